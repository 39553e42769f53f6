#!/bin/sh
# What RELIB_LEAKS, RELIB_FRAMES, RELIB_TRACK and RELIB_THROUGH ask for is done.
. "$(dirname "$0")/lib.sh"

$CC -O2 -g -fPIC -shared -o "$tmp/libmaker.so" "$plugins/maker.c" || bail_out 'libmaker.so'
build_host host -Wl,--no-as-needed -L"$tmp" -lmaker -Wl,-rpath,"$tmp"
build_plugin residue
build_plugin orders
cp "$tmp/residue.so" "$tmp/other.so"

# cycles [NAME=VALUE...]: three loads of each plugin under these settings
cycles() {
	rm -rf "$RELIB_DIR"/*
	with_shim env "$@" "$tmp/host" >"$tmp/output" <<-END
		cycle 3 $tmp/residue.so leak_blocks 5
		cycle 3 $tmp/other.so leak_blocks 2
		cycle 3 $tmp/orders.so leak_order 77
		END
	is "$*: the host does its work" "$(sort -u "$tmp/output")" ok
}

cycles RELIB_LEAKS=free
report && holds <<-END
	leaks are freed: of_module("residue.so", "leaked") == (15, 1500) and of_module("residue.so", "reclaimed") == (15, 1500)
	what a library of the host made is the host's: of_module("orders.so", "allocated") == (0, 0)
	sixteen frames are asked for, and what there is is there: min(len([f for f in p["stack"] if not f["inlined"]]) for p in module("residue.so")["places"]) > 3
	END

cycles RELIB_LEAKS=report
report && holds <<-END
	RELIB_LEAKS=report: leaks are counted, each once: of_module("residue.so", "leaked") == (15, 1500)
	RELIB_LEAKS=report: and left alone: totals["reclaimed"] == (0, 0) and of_module("residue.so", "live") == (15, 1500)
	END

cycles RELIB_LEAKS=off
report && holds <<-END
	RELIB_LEAKS=off: nothing is looked through: totals["leaked"] == (0, 0) and totals["reclaimed"] == (0, 0)
	RELIB_LEAKS=off: allocations are counted: of_module("residue.so", "allocated") == (15, 1500)
	END

for frames in 0 1 2 64; do
	cycles RELIB_FRAMES=$frames
	report && holds <<-END
		RELIB_FRAMES=$frames: leaks are exact: of_module("residue.so", "leaked") == (15, 1500)
		RELIB_FRAMES=$frames: so many frames are there: all(len([f for f in p["stack"] if not f["inlined"]]) <= max($frames, 1) for p in module("residue.so")["places"])
		RELIB_FRAMES=$frames: the function is named: total("residue_leak", "leaked") == (21, 2100)
		END
done

cycles 'RELIB_TRACK=oth*:nothing'
report && holds <<-END
	RELIB_TRACK: the plugin that is named is tracked: of_module("other.so", "leaked") == (6, 600)
	RELIB_TRACK: and no other: [m["path"] for m in modules if not m["path"].endswith("other.so")] == []
	END

cycles RELIB_THROUGH=libmaker.so
report && holds <<-END
	RELIB_THROUGH: what the library made is its caller's: of_module("orders.so", "leaked") == (3, 231)
	RELIB_THROUGH: by the caller's function: total("leak_order", "reclaimed") == (3, 231)
	END

cycles RELIB_FRAMES=many RELIB_LEAKS=perhaps RELIB_QUARANTINE=-1
report && holds <<-END
	wrong values are as none: of_module("residue.so", "reclaimed") == (15, 1500)
	END

done_testing
