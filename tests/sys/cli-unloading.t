#!/bin/sh
# SPDX-License-Identifier: MIT
# Reports tell of threads, of what stays loaded and why, and of what still points into a module that went.
. "${top_srcdir:-.}/tests/sys/cli-lib.sh"
plan 18

maker=$builddir/tests/sys/make-session
mkdir -p "$RELIB_DIR/host.4321" "$RELIB_DIR/objects"
"$maker" --unloading "$RELIB_DIR/host.4321/session" /nonexistent/plugin.so 0x1000 0x2000
cd "$work" || exit 99

run "$relib" leaks report
ends 0 'a module that stays, and why' out 'generation 3: still loaded, its unload is deferred; deferred 2 times; revived once; an unload timed out' \
	out '^    linked with -z nodelete$' out '^    still open 2 times$' \
	out '^    needed by libhelper.so$' out 'libhelper.so has bound its symbol plugin_init' \
	out 'the unique symbol _ZN5stats5countE( \(stats::count\))? is used by host$' \
	out '^    pinned by 3 thread-local destructors$'
ends 0 'threads, where they stand and came from' \
	out 'deferred: thread 4322 \(worker\) stands in plugin.so\+0x1300 .*, created in plugin.so\+0x1000' \
	out '^  created 10 threads here: 9 ended, 1 running at the end$' \
	out "^  the host's thread 4323 \(pool-1\); the unload of generation 3 waits for it"
ends 0 'dangling pointers, and what was taken back' out '^  warning: dangling pointers' \
	out '^    host\+0x4040 -> plugin.so\+0x1500 .*, in 2 generations$' \
	out "^    a block of the host's heap at 0x5500 -> .*, 6 words, in 2 generations\$" \
	out '^  hooks that led into what was unmapped$' \
	out '^    signal handler SIGUSR1 -> .*, set in .*, taken back,' out 'environ: FOO=bar -> ' \
	out 'stdout buffer -> ' out 'timer \(SIGEV_THREAD\) -> ' out 'openlog ident: my plugin -> '
check 'stale ones are left out' sh -c '! grep -q "stack of thread 99" out'
ends 0 'what the unload did' \
	out '; finalized early; 2 thread-local destructors run; 1 thread-local destructor dropped; 1 key deleted; 1 key destructor run$'
ends 0 'late calls and timeouts' \
	out 'note: plugin.so generation 1: plugin.so\+0x1500 .* was called after the unload, by thread 4321 \(2 times\)$' \
	out 'note: plugin.so generation 3: the unload took longer than 10 s: thread 4322 \(worker\)'
ends 0 'all of it in the last line' \
	out '1 generation could not be unloaded, 1 thread left running, 2 late calls, 1 unload timed out, 8 dangling pointers$'
run "$relib" leaks report --error-exitcode 9
ends 9 'it sets the exit status'
run "$relib" leaks report --all
ends 0 'all there is has the stale ones, too, and says so' out '^  possibly stale pointers' \
	out '^    stack of thread 99 -> '
if command -v python3 >/dev/null 2>&1; then
	"$relib" leaks report --format=json -o json
	check 'and is in the JSON' python3 - <<-'END'
		import json
		generations = json.load(open("json"))["sessions"][0]["modules"][0]["generations"]
		last = generations[2]
		assert last["closing"] == "deferred" and last["deferrals"] == 2
		assert len(last["stays"]) == 12 and len(last["threads"]) == 2
		assert [s["kind"] for s in last["stays"] if not s["current"]] == ["unknown"]
		assert len(last["timeouts"]) == 2 and generations[0]["late_calls"][0]["count"] == 2
		assert len(generations[0]["dangling"]) == 11
		END
else
	skip 'and is in the JSON' 'no python3'
fi
run "$relib" leaks diff 4321 host.4321
ends 0 'sessions with all that can be compared' out '^relib: no difference$'

# Names: of the module's functions and of the variables that point there.
cat >plugin.c <<'C'
void on_tick(void)
{
}
C
cat >host.c <<'C'

struct hook { int id; void (*call)(void); };
struct hook handlers[4] = {{1}};
int main(void)
{
	return handlers[0].id;
}
C
if $CC -g -shared -fPIC -o plugin.so plugin.c && $CC -g -o host host.c && command -v nm >nm.out; then
	target=$(nm plugin.so | sed -n 's/^\([0-9a-f]*\) T on_tick$/\1/p')
	holder=$(nm host | sed -n 's/^\([0-9a-f]*\) D handlers$/\1/p')
	mkdir "$RELIB_DIR/named" && cp host plugin.so "$RELIB_DIR/objects"
	"$maker" --unloading --named host $((0x$holder + 56)) $((0x$target)) \
		"$RELIB_DIR/named/session" /nonexistent/plugin.so 0x1000 0x2000 plugin.so
	run "$relib" leaks report named
	ends 0 'both sides of a dangling pointer are named' \
		out '^    host: handlers\[3\].call \(host.c:3\) -> on_tick in plugin.so \(plugin.c:2\), in 2 generations$' \
		out '^note: plugin.so generation 1: on_tick in plugin.so \(plugin.c:2\) was called after the unload'
else
	skip 'both sides of a dangling pointer are named' 'no compiler or nm'
fi

# An unload that waits is told while the host still waits.
printf 'int nothing;\n' >nothing.c && $CC -shared -fPIC -o librelib.so nothing.c
RELIB_SHIM=$work/librelib.so
export RELIB_SHIM maker
cat >hangs <<'S'
#!/bin/sh
mkdir "$RELIB_DIR/hangs.$$"
env -u LD_PRELOAD "$maker" --unloading --running $$ "$RELIB_RUN" "$RELIB_DIR/hangs.$$/session" \
	/nonexistent/plugin.so 0x1000 0x2000
i=0
while ! grep -q 'waiting for thread' err && [ $i -lt 300 ]; do sleep 0.05; i=$((i + 1)); done
[ $i -lt 300 ] && echo told
sleep "${1-0}"
S
chmod +x hangs
run "$relib" run ./hangs 1.5
ends 0 'an unload that waits is told while the host waits' out '^told$' \
	err '^relib: unloading plugin.so is waiting for 10 s, in process [0-9]+$' \
	err '^  thread 4321 \(main\)$' err '^  waiting for thread 4322 \(worker\)$'
check 'and once only' test "$(grep -c 'is waiting for' err)" -eq 1
check 'with stacks' test "$(grep -c '^    at ' err)" -ge 2
run "$relib" run --error-exitcode=9 --format=json -o report ./hangs
ends 9 'with the report in a file as well' out '^told$'
sed 's/-lt 300/-lt 30/g' hangs >silent && chmod +x silent
run "$relib" run --quiet ./silent
check '--quiet says nothing of it' test ! -s err -a ! -s out
run "$relib" run --unload-timeout=0 -o report ./silent
check 'nor is it looked for without a timeout' test "$(grep -c 'is waiting for' err)" -eq 0
exit $test_failed
