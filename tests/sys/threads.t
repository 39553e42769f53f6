#!/bin/sh
# Two threads load and unload two plugins while two others allocate and free across them: no crash, no deadlock, exact totals.
. "$(dirname "$0")/lib.sh"

# of each of the two plugins
: "${RELIB_TEST_LOADS:=5000}"
build_host hammer
build_plugin churn
for copy in first second steady; do
	cp "$tmp/churn.so" "$tmp/$copy.so"
done

with_shim timeout 280 "$tmp/hammer" "$RELIB_TEST_LOADS" "$tmp/first.so" "$tmp/second.so" "$tmp/steady.so" \
	>"$tmp/output" 2>"$tmp/errors"
is 'the host ends well and in time' "$?" 0
steady=$(sed -n 's/^steady //p' "$tmp/output")
grep -v "^steady" "$tmp/output" >"$tmp/verdicts"
verdicts hammer <"$tmp/verdicts"
[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"

report && holds <<-END
	all loads of the first are counted: generations("first.so")[-1]["number"] == $RELIB_TEST_LOADS + 1
	all loads of the second are counted: generations("second.so")[-1]["number"] == $RELIB_TEST_LOADS
	every leak of the first is counted: total("churn_leak", "allocated", "first.so") == times($RELIB_TEST_LOADS, (1, 100))
	every leak of the second is counted: total("churn_leak", "allocated", "second.so") == times($RELIB_TEST_LOADS, (1, 100))
	no leak was freed by anybody but relib: total("churn_leak", "freed") == (0, 0)
	every leak is freed, but for a few that the stack of an ended thread still shows: total("churn_leak", "reclaimed")[0] + total("churn_leak", "kept")[0] == 2 * $RELIB_TEST_LOADS and total("churn_leak", "kept")[0] <= 4
	all that was handed over is counted: add(total("churn_make", "allocated", n)[0:1] + (0,) for n in ("first.so", "second.so"))[0] == 2 * $RELIB_TEST_LOADS
	all that was handed over was freed by the host: add([total("churn_make", "freed", n) for n in ("first.so", "second.so")]) == add([total("churn_make", "allocated", n) for n in ("first.so", "second.so")])
	nothing that was handed over was taken for leaked: total("churn_make", "leaked") == (0, 0)
	nothing was freed twice: sum(p["late_frees"] for p in all_places()) == 0
	the steady plugin's blocks are counted: total("churn_make", "allocated", "steady.so")[0] == ${steady:-0}
	the steady plugin's blocks are all freed: of_module("steady.so", "live") == (0, 0)
	END

done_testing
