#!/bin/sh
# SPDX-License-Identifier: MIT
# relib leaks finds sessions by every name, and writes them in both formats.
. "${top_srcdir:-.}/tests/sys/cli-lib.sh"
plan 20

maker=$builddir/tests/sys/make-session
mkdir -p "$RELIB_DIR/host.4321" "$RELIB_DIR/objects"
"$maker" "$RELIB_DIR/host.4321/session" /nonexistent/plugin.so 0x1000 0x2000
cd "$work" || exit 99

for operand in '' 4321 host.4321 "$RELIB_DIR/host.4321" sessions/host.4321/session; do
	run "$relib" leaks report $operand
	ends 0 "the session is found by '$operand'" \
		out '^relib: 2 modules, 4 generations unloaded: leaked 3 blocks, 192 bytes \(freed\), kept 1 block, 1,000 bytes$'
done
run "$relib" leaks report --session-dir sessions
ends 0 'or in a folder that is named' out '^host --fast  process 4321, exited'
run "$relib" leaks report --error-exitcode 9
ends 9 'residue can set the exit status'
run "$relib" leaks report --module 'libhelper*' --error-exitcode 9
ends 0 'but only of the modules asked for' out '1 module, 1 generation unloaded: nothing left'
run "$relib" leaks report --format=json
check 'JSON has the schema' grep -q '"schema": "relib-leaks"' out
if command -v python3 >/dev/null 2>&1; then
	check 'and is JSON' python3 -c 'import json; json.load(open("out"))'
else
	skip 'and is JSON' 'no python3'
fi
run "$relib" leaks report -o report
check '--output writes a file' grep -q '^relib: 2 modules' report
check 'and nothing else' test ! -s out -a ! -s err
run "$relib" leaks report --color=always
check 'colours on demand' grep -q "$(printf '\033\\[31m')" out
run "$relib" leaks report
check 'none in a file' sh -c '! grep -q "$(printf "\033")" out'

# The plugin's own file, kept when it was loaded, gives names.
nm=$(command -v nm) code=
[ -n "$nm" ] && code=$("$nm" "$builddir/tests/unit/.libs/fixture.so" 2>/dev/null |
	sed -n 's/^\([0-9a-f]*\) T fixture_outer$/\1/p')
if [ -n "$code" ]; then
	cp "$builddir/tests/unit/.libs/fixture.so" "$RELIB_DIR/objects/kept"
	mkdir "$RELIB_DIR/host.1"
	"$maker" "$RELIB_DIR/host.1/session" /nonexistent/plugin.so $((0x$code + 1)) 0x2000 kept
	run "$relib" leaks report host.1
	ends 0 'names come from the file that was kept' out 'fixture_outer \(fixture.c:[0-9]+\)'
else
	skip 'names come from the file that was kept' 'no fixture'
fi
run "$relib" leaks report 4321
ends 0 'without it offsets are shown' out 'plugin.so\+0x1000 \(file gone\)'

run "$relib" leaks diff 4321 host.4321
ends 0 'a session does not differ from itself' out '^relib: no difference$'
run "$relib" leaks diff --all 4321 host.4321
ends 0 'all places can be seen' out 'as before: leaked 3 blocks, 192 bytes'
run "$relib" leaks diff --format=json 4321 host.4321
ends 0 'comparisons can be JSON' out '"schema": "relib-leaks-diff"'
run sh -c '"$1" help leaks diff && "$1" leaks diff --help && "$1" --version' - "$relib"
ends 0 'help is printed' out '^usage: relib leaks diff' out '^relib [0-9]'
exit $test_failed
