#!/bin/sh
# A block that relib freed and the host frees later is recognised, swallowed and reported with the caller.
. "$(dirname "$0")/lib.sh"

build_host latefree
build_plugin give

if [ -n "$RELIB_TEST_PLAIN" ]; then
	with_shim "$tmp/latefree" "$tmp/give.so" >"$tmp/output"
	verdicts latefree <"$tmp/output"
	done_testing
fi

with_shim "$tmp/latefree" "$tmp/give.so" >"$tmp/output" 2>"$tmp/errors"
is 'the host ends well' "$?" 0
verdicts latefree <"$tmp/output"
is 'nothing is printed inside the host' "$(cat "$tmp/errors")" ''
report && holds <<-END
	the three blocks were freed at the unload: total("give", "reclaimed") == (3, 3000)
	the late frees are counted at the place: sum(p["late_frees"] for p in places("give")) == 3
	a note says so: len(said("late")) >= 1
	the note names the caller: any("free_too_late" in json.dumps(n) for n in said("late"))
	END

done_testing
