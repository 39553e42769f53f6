#!/bin/sh
# A module that exports relib_before_unload is told before its threads are looked for, once for each unload.
. "$(dirname "$0")/lib.sh"

relib_host=$top_builddir/cli/relib-host
[ -x "$relib_host" ] || skip_all 'the built-in host is not built'
build_plugin informed

for threads in defer refuse; do
	RELIB_THREADS=$threads
	export RELIB_THREADS
	with_shim "$relib_host" --cycles 3 "$tmp/informed.so" >"$tmp/output" 2>"$tmp/errors"
	is "$threads: the host ends well" "$?" 0
	is "$threads: it was told at each unload" "$(grep -c told "$tmp/output")" 3
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
	report && holds <<-END
		$threads: it was unloaded each time: [g["state"] for g in generations("informed.so")] == ["unloaded"] * 3
		$threads: its threads were in nobody's way: all(g["deferrals"] == 0 and g["refusals"] == 0 for g in generations("informed.so"))
		$threads: they are over: thread_counts("informed.so") == (3, 3, 0)
		END
done

done_testing
