#!/bin/sh
# After a fork the child unloads with a record of its own, and the parent's totals stay exact.
. "$(dirname "$0")/lib.sh"

build_host forker
build_plugin residue

with_shim "$tmp/forker" "$tmp/residue.so" >"$tmp/output"
is 'the parent ends well' "$?" 0
parent=$(sed -n 's/^pids \([0-9]*\) .*/\1/p' "$tmp/output")
child=$(sed -n 's/^pids [0-9]* //p' "$tmp/output")
grep -v '^pids' "$tmp/output" >"$tmp/verdicts"
verdicts forker <"$tmp/verdicts"

[ -n "$parent" ] || bail_out 'the host does not say its pid'
report "$parent" && holds <<-END
	the parent has its session: session["pid"] == $parent and len(report["sessions"]) >= 1
	the parent leaked what it leaked: of_module("residue.so", "leaked") == (11, 1100)
	the parent's plugin was loaded once: len(generations("residue.so")) == 1
	all of it is freed in the parent: of_module("residue.so", "reclaimed") == (11, 1100)
	END
report "$child" && holds <<-END
	the child has a session of its own: session["pid"] == $child and session["pid"] != $parent
	the child leaked what it inherited, and its own: of_generation("residue.so", 1, "leaked") == (15, 1500)
	the child's second load is counted apart: of_generation("residue.so", 2, "leaked") == (2, 200)
	all of it is freed in the child: of_module("residue.so", "reclaimed") == (17, 1700)
	END

done_testing
