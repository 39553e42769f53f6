#!/bin/sh
# A frame in the plugin is seen behind a signal's handler on an alternate stack, and the plugin stays until it has left.
. "$(dirname "$0")/lib.sh"

build_host altstack
build_plugin spinner
cp "$tmp/spinner.so" "$tmp/other.so"

with_shim "$tmp/altstack" "$tmp/spinner.so" "$tmp/other.so" >"$tmp/verdicts" 2>"$tmp/errors"
is 'the host ends well' "$?" 0
verdicts altstack <"$tmp/verdicts"
[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"

report && holds <<-END
	it was deferred once: generation("spinner.so", 1)["deferrals"] == 1
	END

done_testing
