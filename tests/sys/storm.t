#!/bin/sh
# Fifteen threads open, use and close plugins, throw exceptions and ask for the loaded objects at once, however the world is stopped: no deadlock, no crash, every use is right.
. "$(dirname "$0")/lib.sh"

# of each run
: "${RELIB_TEST_SECONDS:=3}"
build_host storm
build_host noptrace
build_plugin stormxx
for copy in 1 2 3 4; do
	cp "$tmp/stormxx.so" "$tmp/storm$copy.so"
done
set -- "$tmp/storm1.so" "$tmp/storm2.so" "$tmp/storm3.so" "$tmp/storm4.so"

# storm WHAT COMMAND...
storm() {
	what=$1
	shift
	with_shim timeout $((RELIB_TEST_SECONDS + 120)) "$@" >"$tmp/output" 2>"$tmp/errors"
	is "$what: the host ends well and in time" "$?" 0
	sed "s/^\\(ok\\|bad\\) /&$what: /" "$tmp/output" >"$tmp/verdicts"
	verdicts storm <"$tmp/verdicts"
	[ ! -s "$tmp/errors" ] || diag "$(head -n 5 "$tmp/errors")"
}

for policy in defer refuse; do
	export RELIB_THREADS=$policy
	storm "$policy" "$tmp/storm" "$RELIB_TEST_SECONDS" 15 0 0 "$@"
done
export RELIB_THREADS=defer
storm 'children and signals' "$tmp/storm" "$RELIB_TEST_SECONDS" 8 3 1000 "$@"
if "$tmp/noptrace" true 2>"$tmp/errors"; then
	storm 'without ptrace' "$tmp/noptrace" "$tmp/storm" "$RELIB_TEST_SECONDS" 15 0 0 "$@"
else
	skip 'without ptrace' "seccomp: $(cat "$tmp/errors")"
fi

if ! command -v gdb >/dev/null 2>&1; then
	skip 'under gdb' 'there is no gdb here'
elif [ -z "$RELIB_TEST_PLAIN" ]; then
	# where an unload is watched by SIGURG, the world is stopped by another signal
	timeout $((RELIB_TEST_SECONDS + 120)) gdb -nx -batch -iex 'set debuginfod enabled off' \
		-ex 'handle SIG64 nostop noprint pass' -ex 'set startup-with-shell on' -ex "set exec-wrapper env LD_PRELOAD=$shim" \
		-ex "run $RELIB_TEST_SECONDS 6 0 0 $* >'$tmp/output'" "$tmp/storm" >"$tmp/gdb" 2>&1 </dev/null
	if [ -s "$tmp/output" ]; then
		ok 'under gdb: the host ends well' grep -q 'exited normally' "$tmp/gdb"
		sed "s/^\\(ok\\|bad\\) /&under gdb: /" "$tmp/output" >"$tmp/verdicts"
		verdicts storm <"$tmp/verdicts"
		diag "$(grep -a 'is not whole\|^dlopen:' "$tmp/gdb" | head -n 3)"
	else
		skip 'under gdb' "gdb cannot run a program here: $(tail -n 1 "$tmp/gdb")"
	fi
fi

done_testing
