#!/bin/sh
# A signal handler that an unloaded plugin had set is taken back, and SIGSEGV stays the host's though relib handles it.
. "$(dirname "$0")/lib.sh"

build_host signalled
build_plugin ticker
cp "$tmp/ticker.so" "$tmp/other.so"

with_shim "$tmp/signalled" same "$tmp/ticker.so" >"$tmp/output" 2>"$tmp/errors"
is 'the host ends well' "$?" 0
verdicts same <"$tmp/output"
is 'nothing is said' "$(cat "$tmp/errors")" ''

if [ -z "$RELIB_TEST_PLAIN" ]; then
	(with_shim "$tmp/signalled" taken "$tmp/ticker.so" "$tmp/other.so" >"$tmp/output"
		echo $? >"$tmp/status") 2>/dev/null
	verdicts taken <"$tmp/output"
	is 'a signal by default ends the host, as without the plugin' "$(cat "$tmp/status")" \
		$((128 + $(kill -l RTMIN+1 2>/dev/null || echo 35)))
fi

done_testing
