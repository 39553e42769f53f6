#!/bin/sh
# SPDX-License-Identifier: MIT
# relib run starts the host as the user would have, and ends as it ended.
. "${top_srcdir:-.}/tests/sys/cli-lib.sh"
plan 26

# A preload library that does nothing: this is about the command line alone.
printf 'int nothing;\n' >"$work/nothing.c"
cat >"$work/plugin.c" <<'C'
#include <stdio.h>
int plugin_main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("[%s]", argv[i]);
	printf("\n");
	return argc;
}
int other(int argc, char **argv) { return 300 + argc; }
C
$CC -shared -fPIC -o "$work/librelib.so" "$work/nothing.c" &&
	$CC -shared -fPIC -o "$work/plugin.so" "$work/plugin.c" &&
	$CC -shared -fPIC -o "$work/silent.so" "$work/nothing.c" ||
	skip_all 'the C compiler does not work'
RELIB_SHIM=$work/librelib.so
export RELIB_SHIM
cd "$work" || exit 99

run "$relib" run -- plugin.so a 'b c'
ends 3 'the built-in host calls plugin_main' out '^\[./plugin.so\]\[a\]\[b c\]$'
printf '#include <unistd.h>\nint plugin_main(void) { return chdir("/"); }\n' >wanderer.c
$CC -shared -fPIC -o wanderer.so wanderer.c
run "$relib" run --cycles 2 -- ./wanderer.so
ends 0 'a plugin that changes the directory is found again'
run "$relib" run --cycles 4 -- ./plugin.so
check 'and as often as asked' test "$(wc -l <out)" -eq 4
run "$relib" run --entry other -- plugin.so
ends 45 'or another function, whose low eight bits are the status'
run "$relib" run -- silent.so
ends 0 'a plugin without entry is loaded and unloaded' err '^relib: no module was loaded$'

run "$relib" run sh -c 'exit 42'
ends 42 'the exit status is that of the host'
run "$relib" run sh -c 'kill -9 $$'
ends 137 'or 128 and the signal'
run "$relib" run --error-exitcode=9 sh -c 'exit 3'
ends 3 'without residue --error-exitcode changes nothing'
run "$relib" run sh -c 'echo out; echo err >&2'
ends 0 'the streams are left alone' out '^out$' err '^err$'
run "$relib" run printf '%s,' -o x --help
ends 0 'options after the host are its own' out '^-o,x,--help,$'
run "$relib" run printf '%s,' a -- plugin.so -q z
ends 0 'the host gets the plugin and what follows' out '^a,./plugin.so,-q,z,$'

run "$relib" run --track 'a*' --track b --through libglib --frames 3 --leaks=report env
ends 0 'options become variables' out '^RELIB_TRACK=a\*:b$' out '^RELIB_THROUGH=libglib$' \
	out '^RELIB_FRAMES=3$' out '^RELIB_LEAKS=report$' out "^RELIB_DIR=$work/sessions$" \
	out '^RELIB_RUN=.' out "^LD_PRELOAD=$work/librelib.so$"
run "$relib" run --threads=refuse --unload-timeout 3 --unload-timeout-action=abandon --guard=0 \
	--fds=close --names remove env
ends 0 'those of unloading, too' out '^RELIB_THREADS=refuse$' out '^RELIB_UNLOAD_TIMEOUT=3$' \
	out '^RELIB_UNLOAD_TIMEOUT_ACTION=abandon$' out '^RELIB_GUARD=0$' \
	out '^RELIB_FDS=close$' out '^RELIB_NAMES=remove$'
run "$relib" run sh -c 'env | grep -c "^RELIB_\(THREADS\|UNLOAD\|GUARD\|FDS\|NAMES\)"'
ends 1 'and no others' out '^0$'
run env RELIB_LEAKS=off "$relib" run env
ends 0 'what was not said is left to the variables' out '^RELIB_LEAKS=off$'
# A sanitized relib would not start under another library.
run env ASAN_OPTIONS=verify_asan_link_order=0 "LD_PRELOAD=$work/silent.so" "$relib" run env
ends 0 'an LD_PRELOAD of the user comes after ours' \
	out "^LD_PRELOAD=$work/librelib.so:$work/silent.so$"
mkdir 'x[1]:y' && cp plugin.so 'x[1]:y/p*.so'
run "$relib" run sh -c 'printf "%s\n" "$RELIB_TRACK"' sh -- 'x[1]:y/p*.so'
check 'a path becomes a glob that matches it only' \
	test "$(cat out)" = "$work/x\\[1\\]?y/p\\*.so"
run "$relib" run --session-dir here sh -c 'echo "$RELIB_DIR"'
ends 0 'a relative folder of sessions is made absolute' out "^$work/here\$"
check 'and is for its owner only' test "$(stat -c %a here)" = 700

run "$relib" run --quiet true
check '--quiet says nothing' test ! -s err
run "$relib" run -o report true
ends 0 'with --output one line is left on standard error' err '^relib: 0 modules, 0 generations unloaded'
check 'and the report is in the file' grep -q '^relib: no module was loaded$' report
run "$relib" run --format=json true
ends 0 'the report can be JSON' err '"schema": "relib-leaks"'

printf '#!/bin/sh\nexit 5\n' >script && chmod +x script
run "$relib" run ./script
ends 5 'a script is a host'
printf 'int main(void) { return 6; }\n' >static.c
if $CC -static -o static static.c 2>/dev/null; then
	run "$relib" run ./static
	ends 6 'a static host is run with a warning' err '^relib: warning: ./static is a static program'
else
	skip 'a static host is run with a warning' 'no static C library'
fi

# The terminal's ^C is the host's affair; TERM is passed on.
"$relib" run sh -c 'trap "exit 11" TERM; echo ready >ready; while :; do sleep 0.05; done' \
	2>/dev/null &
i=0
while [ ! -s ready ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
kill -TERM $!
wait $!
check 'TERM is passed on to the host' test $? -eq 11
exit $test_failed
