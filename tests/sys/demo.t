#!/bin/sh
# The demo and the examples do what the documentation says they do.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
top_builddir=$top_builddir CC=$CC sh "$top_srcdir/docs/demo.sh" >"$tmp/screen" 2>&1
is 'the demo ends well' "$?" 0
ok 'its last line of a report has every block' \
	grep -q 'generations unloaded: leaked 70 blocks, 1,000 bytes (freed)$' "$tmp/screen"
ok 'a leak has its function and line' grep -q 'path_build (leaky.c:[0-9]*)$' "$tmp/screen"
if lua5.4 -e 'require "cjson" require "socket"' 2>/dev/null; then
	ok 'the modules of Lua are unloaded and left nothing' \
		grep -q '2 modules, 2 generations unloaded: nothing left' "$tmp/screen"
else
	skip 'the modules of Lua' 'lua5.4, lua-cjson or lua-socket is not installed'
fi
done_testing
