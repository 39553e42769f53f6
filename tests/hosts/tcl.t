#!/bin/sh
# A small extension of Tcl, loaded and unloaded twenty times, leaves two blocks each time.
. "$(dirname "$0")/lib.sh"
need tclsh8.6
cat >"$tmp/x.c" <<-'END'
	#include <tcl.h>
	#include <stdlib.h>
	#include <string.h>
	static int x_command(ClientData data, Tcl_Interp *interp, int count, Tcl_Obj *const args[])
	{
		char *volatile leaked = strdup("leak");

		(void)leaked;
		Tcl_SetObjResult(interp, Tcl_NewStringObj("hi", -1));
		return TCL_OK;
	}
	int X_Init(Tcl_Interp *interp)
	{
		void *volatile leaked = NULL;

		if (!Tcl_InitStubs(interp, "8.6", 0))
			return TCL_ERROR;
		leaked = malloc(100);
		(void)leaked;
		Tcl_CreateObjCommand(interp, "x", x_command, NULL, NULL);
		return Tcl_PkgProvide(interp, "x", "1.0");
	}
	int X_Unload(Tcl_Interp *interp, int flags)
	{
		return Tcl_DeleteCommand(interp, "x");
	}
	END
$CC -O1 -shared -fPIC -DUSE_TCL_STUBS -I/usr/include/tcl8.6 -o "$tmp/libx.so" "$tmp/x.c" \
	-ltclstub8.6 2>"$tmp/build.out" || skip_all 'extensions of Tcl cannot be built here'
cat >"$tmp/script.tcl" <<-END
	for {set i 0} {\$i < 20} {incr i} {
		load $tmp/libx.so X
		puts [x]
		unload $tmp/libx.so X
	}
	END
same_host 'twenty loads' tclsh8.6 "$tmp/script.tcl"
# a word that the interpreter did not clear may keep a block until the next unload
report && holds <<-END
	it goes twenty times: [g["state"] for g in generations("libx.so")] == ["unloaded"] * 20
	40 blocks, 2,100 bytes are left, of which a few are still kept: add([totals["reclaimed"], totals["kept"]]) == (40, 2100)
	no more than two are kept: totals["kept"][0] <= 2
	nothing of anybody else: {os.path.basename(m["path"]) for m in modules if any(g["reclaimed"]["blocks"] for g in m["generations"])} == {"libx.so"}
	END
gone_or_explained
done_testing
