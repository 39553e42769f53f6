#!/bin/sh
# A call into an unloaded plugin, or a use of its data, is named, and then ends where it would have ended without relib.
. "$(dirname "$0")/lib.sh"

build_host latecaller
build_plugin ticker -DPADDING=300000
mv "$tmp/ticker.so" "$tmp/larger.so"
build_plugin ticker
cp "$tmp/ticker.so" "$tmp/same.so"

# late MODE [PLUGIN]: the host does it; its status is in $status, what it said in $tmp/said.
late() {
	mode=$1
	shift
	# the shell that waits says what it died of, which is not the host's
	(with_shim sh -c 'exec "$@" 2>&4' - "$tmp/latecaller" "$mode" "$tmp/ticker.so" "$@" \
		4>"$tmp/said" >"$tmp/output"
		echo $? >"$tmp/status") 2>/dev/null
	status=$(cat "$tmp/status")
}

# says DESCRIPTION PATTERN: a line of the message
says() {
	[ -z "$RELIB_TEST_PLAIN" ] || { skip "$1" 'run without the shim'; return; }
	if grep -q "^==relib==$2\$" "$tmp/said"; then
		pass "$1"
	else
		fail "$1"
		diag "$(cat "$tmp/said")"
	fi
}

# line_of TEXT: FILE:LINE in the host
line_of() { echo "latecaller.c:$(grep -n -m 1 "$1" "$plugins/latecaller.c" | cut -d: -f1)"; }

caller=$(line_of '	callback(n);')
when='generation 1, unloaded [0-9]*\.[0-9]\{3\} s ago'
tick="on_tick (ticker.c:[0-9]*) in ticker.so"

late call
is 'a late call: the host dies of it' "$status" 139
says 'who called what' " late call: thread [0-9]* (latecaller) called on_tick in ticker.so, $when"
says 'where that was' "    at  $tick"
says 'from where' "    by  host_loop ($caller) in host"
says 'up to main' "    by  main (latecaller.c:[0-9]*) in host"
[ -n "$RELIB_TEST_PLAIN" ] ||
	is 'it is told once' "$(grep -c 'late' "$tmp/said")" "$(grep -c 'late call:\|latecaller.c' "$tmp/said")"

late thread
is 'from another thread: the host dies of it' "$status" 139
says 'the thread is named' " late call: thread [0-9]* (worker) called on_tick in ticker.so, $when"
says 'and its stack' "    by  worker (latecaller.c:[0-9]*) in host"

for image in same larger; do
	# without relib the call may meet the new image's code
	[ -z "$RELIB_TEST_PLAIN" ] || break
	late call "$tmp/$image.so"
	is "after a load of $image: the host dies of it" "$status" 139
	says "$image: the old generation is named" \
		" late call: thread [0-9]* (latecaller) called on_tick in ticker.so, $when"
done

late read
is 'a read of its data: the host dies of it' "$status" 139
says 'the variable' " late access: thread [0-9]* (latecaller) read ticker_count in ticker.so, $when"
says 'who read it' "    at  host_read ($(line_of 'return variable')) in host"
late write
is 'a write: the host dies of it' "$status" 139
says 'what was written' " late access: .* wrote ticker_count in ticker.so, $when"
says 'who wrote it' "    at  host_write ($(line_of 'variable\[0\] = 1')) in host"

late forked
verdicts forked <"$tmp/output"
says 'in a child: it is told' " late call: thread $(sed -n 's/^child //p' "$tmp/output") .*"

late caught
is "with a handler of the host's: it ends well" "$status" 0
verdicts caught <"$tmp/output"
if [ -z "$RELIB_TEST_PLAIN" ]; then
	told_times=$(grep -c '^==relib== late' "$tmp/said")
	ok 'late calls without end are told 48 times at most' test "$told_times" -le 48
	ok 'but different ones each' test "$told_times" -ge 10
fi

late small-stack
verdicts small-stack <"$tmp/output"
says 'the message is the same' "    by  host_loop ($caller) in host"

late other
is 'another fault: the host dies of it' "$status" 139
is 'and nothing is said' "$(cat "$tmp/said")" ''
late overflow
is 'a stack overflow: the host dies of it' "$status" 139
is 'a stack overflow: nothing is said' "$(cat "$tmp/said")" ''
late overflow-lost
is 'with a handler, but no stack for it: the host dies of it' "$status" 139
late overflow-caught
verdicts overflow <"$tmp/output"

# no reader of standard error: the fault ends the host, not SIGPIPE
if [ -z "$RELIB_TEST_PLAIN" ]; then
	mkfifo "$tmp/pipe"
	(exec 3<>"$tmp/pipe"; exec 4>"$tmp/pipe"; exec 3<&-
		with_shim sh -c 'exec "$@" 2>&4' - "$tmp/latecaller" call "$tmp/ticker.so"
		echo $? >"$tmp/status") 2>/dev/null
	is 'nobody reads what is said: the host dies of the fault' "$(cat "$tmp/status")" 139
fi

done_testing
