#!/bin/sh
# SPDX-License-Identifier: MIT
# Every error of a user gets one line that names the thing, and its exit status.
. "${top_srcdir:-.}/tests/sys/cli-lib.sh"
plan 90

# A preload library that does nothing, so that this needs no other part of relib.
printf 'int nothing;\n' >"$work/nothing.c"
printf 'int plugin_main(int c, char **v) { return c; }\n' >"$work/plugin.c"
printf 'int main(void) { return 7; }\n' >"$work/host.c"
$CC -shared -fPIC -o "$work/librelib.so" "$work/nothing.c" &&
	$CC -shared -fPIC -g -o "$work/plugin.so" "$work/plugin.c" &&
	$CC -c -fPIC -o "$work/plugin.o" "$work/plugin.c" &&
	$CC -o "$work/host" "$work/host.c" || skip_all 'the C compiler does not work'
RELIB_SHIM=$work/librelib.so
export RELIB_SHIM
cd "$work" || exit 99

# The command line.
fails 2 'relib: which command? see relib help' "$relib"
fails 2 "relib: unknown command 'lekas'; see relib help" "$relib" lekas
fails 2 "relib: unknown option '--lekas'; see relib help" "$relib" --lekas
fails 2 'relib: relib leaks needs a command; see relib help leaks' "$relib" leaks
fails 2 "relib: unknown command 'leaks repot'; see relib help leaks" "$relib" leaks repot
fails 2 "relib: unknown command 'nothing'; see relib help" "$relib" help nothing
fails 2 "relib: unknown option '--trak'; see relib run --help" "$relib" run --trak=x host
fails 2 "relib: unknown option '-z'; see relib run --help" "$relib" run -z host
fails 2 'relib: --quiet takes no value' "$relib" run --quiet=yes host
fails 2 'relib: --output needs FILE after it; see relib run --help' "$relib" run -o
fails 2 'relib: --track: GLOB must not be empty' "$relib" run --track= host
long=$(printf '%0600d' 0)
fails 2 "relib: --track: '0000000000000000000000000000000000000000...' is longer than 511 bytes" \
	"$relib" run --track="$long" host
fails 2 "relib: --frames: '65' is not a number from 0 to 64" "$relib" run --frames=65 host
fails 2 "relib: --error-exitcode: '0' is not a number from 1 to 255" \
	"$relib" run --error-exitcode=0 host
fails 2 "relib: --leaks: 'keep' is none of free, report, off" "$relib" run --leaks=keep host
fails 2 "relib: --threads: 'join' is none of defer, refuse" "$relib" run --threads join host
fails 2 "relib: --fds: 'keep' is none of report, close" "$relib" run --fds=keep host
fails 2 "relib: --names: 'close' is none of report, remove" "$relib" run --names=close host
kinds='descriptors, streams, mappings, names, hooks, locks, children, handles, process, threads'
kinds="$kinds, descriptor, stream, directory, mapping, segment, shm-name, shm-id, semaphore"
kinds="$kinds, semaphore-name, semaphore-id, queue-name, queue-id, temporary, timer, interval-timer"
kinds="$kinds, signal-handler, signal-stack, exit-handler, fork-handler, environment, syslog"
kinds="$kinds, locale, buffer, handle, child, mutex, file-lock, umask, working-directory, memory"
kinds="$kinds, thread, thread-local, key"
fails 2 "relib: --kind: 'files' is none of $kinds" "$relib" leaks report --kind=memory,files
fails 2 'relib: --kind: KIND[,KIND...] must not be empty' "$relib" leaks report --kind=
fails 2 "relib: --unload-timeout: '-1' is not a number from 0 to 4294967" \
	"$relib" run --unload-timeout=-1 host
fails 2 "relib: --unload-timeout: '1.5' is not a number from 0 to 4294967" \
	"$relib" run --unload-timeout 1.5 host
fails 2 "relib: --unload-timeout-action: 'kill' is none of report, abandon" \
	"$relib" run --unload-timeout-action=kill host
fails 2 'relib: --unload-timeout-action: nothing is abandoned with --unload-timeout=0' \
	"$relib" run --unload-timeout-action=abandon --unload-timeout=0 host
fails 2 "relib: --guard: '1G' is not a number from 0 to 16777216" "$relib" run --guard=1G host
fails 2 "relib: --format: 'xml' is none of text, json" "$relib" leaks report --format xml
fails 2 'relib: a HOST or, after --, a PLUGIN.so is needed; see relib run --help' "$relib" run
fails 2 'relib: a PLUGIN.so is needed after --; see relib run --help' "$relib" run ./host --
fails 2 'relib: ./plugin.so: is a plugin, not a host: say relib run -- ./plugin.so' \
	"$relib" run ./plugin.so
fails 2 'relib: --entry is of the built-in host only, and ./host is the host' \
	"$relib" run --entry=x ./host
fails 2 "relib: 'c' is one session too many; see relib leaks report --help" \
	"$relib" leaks report b c
fails 2 'relib: two sessions are compared, 1 given; see relib leaks diff --help' \
	"$relib" leaks diff a

# Plugins.
printf 'hello\n' >text.so
printf '#!/bin/sh\n' >script.so
: >empty.so
head -c 3000 plugin.so >short.so
head -c "$(($(wc -c <plugin.so) - 1))" plugin.so >shorter.so
cp plugin.so bits.so && printf '\001' | dd of=bits.so bs=1 seek=4 conv=notrunc 2>/dev/null
cp plugin.so machine.so && printf '\267' | dd of=machine.so bs=1 seek=18 conv=notrunc 2>/dev/null
mkfifo fifo.so
fails 125 'relib: none.so: no such file' "$relib" run -- none.so
fails 125 'relib: ./none.so: no such file' "$relib" run ./host -- ./none.so
fails 125 'relib: .: is a folder, not a regular file' "$relib" run -- .
fails 125 'relib: fifo.so: is not a regular file' "$relib" run -- fifo.so
fails 125 'relib: text.so: is not an ELF file' "$relib" run -- text.so
fails 125 'relib: script.so: is not an ELF file but a script' "$relib" run -- script.so
fails 125 'relib: empty.so: is empty, not an ELF file: is it still being written?' \
	"$relib" run -- empty.so
fails 125 'relib: shorter.so: is truncated: its section table reaches past the end of the file; build or copy it anew, whole' \
	"$relib" run -- shorter.so
run "$relib" run -- short.so
ends 125 'a plugin cut in its middle is truncated' err '^relib: short.so: is truncated'
run "$relib" run -- bits.so
ends 125 'a 32-bit plugin is refused' err '^relib: bits.so: is a 32-bit file .*: build it for 64-bit'
run "$relib" run -- machine.so
ends 125 "another machine's plugin is refused" err '^relib: machine.so: is built for '
fails 125 'relib: plugin.o: is an object file, not a shared object: link it with -shared' \
	"$relib" run -- plugin.o
fails 125 'relib: ./host: is a program, not a shared object: link it with -shared' \
	"$relib" run -- ./host
if [ "$(id -u)" -eq 0 ]; then
	skip 'a plugin that may not be read' 'the superuser may read everything'
else
	cp plugin.so secret.so && chmod 0 secret.so
	fails 125 'relib: secret.so: permission denied: it must be readable for you' \
		"$relib" run -- secret.so
fi
check 'nothing was left of the refused runs' test ! -e "$RELIB_DIR"

# The same files, and what is more, when they are only looked at.
checked()	# LINE FILE
{
	fails 2 "relib: $2: $1" "$relib" check "$2"
}
fails 2 'relib: a PLUGIN.so is needed; see relib check --help' "$relib" check
checked 'no such file' none.so
checked 'is a folder, not a regular file' .
checked 'is not a regular file' fifo.so
checked 'is not an ELF file' text.so
checked 'is not an ELF file but a script' script.so
checked 'is empty, not an ELF file: is it still being written?' empty.so
checked 'is truncated: its section table reaches past the end of the file; build or copy it anew, whole' shorter.so
checked 'is an object file, not a shared object: link it with -shared' plugin.o
checked 'is a program, not a shared object: link it with -shared' ./host
run "$relib" check bits.so machine.so short.so plugin.so
ends 2 'every file that cannot be read has its line' err '^relib: bits.so: is a 32-bit file' \
	err '^relib: machine.so: is built for ' err '^relib: short.so: is truncated' \
	out '^plugin.so: will unload$'
fails 2 'relib: none: no such file' "$relib" check --host=none plugin.so
fails 2 'relib: text.so: is not an ELF file' "$relib" check --host text.so plugin.so
# The first of its dynamic entries is a text.
$CC -shared -fPIC -Wl,-soname,x -o damaged.so plugin.c
dynamic=$(readelf -SW damaged.so | sed -n 's/.* DYNAMIC *[0-9a-f]* *\([0-9a-f]*\) .*/0x\1/p')
printf '\377\377\377' | dd of=damaged.so bs=1 seek="$((dynamic + 9))" conv=notrunc 2>/dev/null
fails 2 'relib: damaged.so: is damaged: its dynamic section cannot be read; build or copy it anew' \
	"$relib" check damaged.so
if [ "$(id -u)" -eq 0 ]; then
	skip 'a file that may not be read' 'the superuser may read everything'
else
	checked 'permission denied: it must be readable for you' secret.so
fi
fails 1 'relib: none/report: the report cannot be written there: No such file or directory' \
	"$relib" check -o none/report plugin.so

# Hosts.
fails 127 'relib: no-such-host: no such program in PATH' "$relib" run no-such-host
fails 127 'relib: ./no-such-host: no such program' "$relib" run ./no-such-host
fails 127 'relib: host: no such program in PATH: for the file here, say ./ before it' \
	"$relib" run host
fails 126 'relib: ./text.so.txt: is not executable: chmod +x it, or give its interpreter first' \
	sh -c 'cp text.so text.so.txt && exec "$1" run ./text.so.txt' - "$relib"
fails 126 'relib: ./sessions: is a folder, not a program' \
	sh -c 'mkdir -p sessions && exec "$1" run ./sessions' - "$relib"
printf '#!/nonexistent/shell\n' >lost && chmod +x lost
fails 127 'relib: ./lost: cannot be run: its interpreter is missing' "$relib" run ./lost
run "$relib" run --entry=nothing -- plugin.so
ends 125 'an entry that is named must be there' err '^relib-host: ./plugin.so: .*nothing'

# Parts of relib.
fails 125 "relib: $work/gone.so: no such file, which RELIB_SHIM names as the preload library: No such file or directory" \
	env RELIB_SHIM="$work/gone.so" "$relib" run ./host
mkdir 'a b' && cp librelib.so 'a b/'
fails 125 "relib: $work/a b/librelib.so: LD_PRELOAD cannot hold a path with a blank or colon: link to it from elsewhere and set RELIB_SHIM" \
	env RELIB_SHIM="$work/a b/librelib.so" "$relib" run ./host
fails 125 "relib: text.so: is not a folder: remove it or choose another with RELIB_DIR" \
	"$relib" run --session-dir text.so ./host
fails 125 "relib: none/x: the folder of sessions cannot be made: No such file or directory; choose another with RELIB_DIR or --session-dir" \
	"$relib" run --session-dir none/x ./host
fails 125 'relib: none/report: the report cannot be written there: No such file or directory' \
	"$relib" run -o none/report ./host
mkdir -m 777 open
fails 125 "relib: open: the folder of sessions must belong to you and be writable by nobody else: chmod go-w it or choose another with RELIB_DIR or --session-dir" \
	"$relib" run --session-dir open ./host
mkdir -m 755 runtime runtime/relib
fails 125 "relib: $work/runtime/relib: is open to others: chmod 700 it or set RELIB_DIR" \
	env -u RELIB_DIR XDG_RUNTIME_DIR="$work/runtime" "$relib" run ./host
mkdir links && ln -s /tmp links/relib
fails 125 "relib: $work/links/relib: is a symbolic link: remove it or set RELIB_DIR to a folder of yours" \
	env -u RELIB_DIR XDG_RUNTIME_DIR="$work/links" "$relib" run ./host

# Sessions.
fails 1 "relib: there is no session in $RELIB_DIR: start one with relib run" "$relib" leaks report
fails 1 "relib: nothing: no such session, neither here nor in $RELIB_DIR" \
	"$relib" leaks report nothing
fails 1 'relib: ./nothing: no such session' "$relib" leaks report ./nothing
fails 1 "relib: links: is not the folder of a session: there is no file 'session' in it" \
	"$relib" leaks report links
fails 1 "relib: $work/text.so: is not a relib session" "$relib" leaks report ./text.so
fails 1 "relib: 99999999: no such process, and no session of one in $RELIB_DIR" \
	"$relib" leaks report 99999999
fails 1 "relib: $$: the process has no session in $RELIB_DIR: start it with relib run or LD_PRELOAD=librelib.so" \
	"$relib" leaks report $$
"$builddir/tests/sys/make-session" "$work/session" /nonexistent/plugin.so 0x1000 0x2000
head -c 70000 session >short
run "$relib" leaks report ./short
ends 1 'a session that was cut is truncated' \
	err "^relib: $work/short: is a truncated session: 70000 bytes of [0-9]+ are there\$"
cp session newer && printf '\011' | dd of=newer bs=1 seek=8 conv=notrunc 2>/dev/null
fails 1 "relib: $work/newer: is a session of format 9, this relib reads format 1: use the relib that wrote it" \
	"$relib" leaks report ./newer
run "$relib" leaks report ./session -o none/report
ends 1 'a report that cannot be written is an error' \
	err '^relib: none/report: the report cannot be written there: No such file'
run sh -c '"$1" leaks report ./session >/dev/full' - "$relib"
ends 1 'output that cannot be written is an error' err '^relib: standard output: .*could not be written'
for command in '' run test leaks 'leaks report' 'leaks diff' check; do
	# shellcheck disable=SC2086
	"$relib" $command --help
done >"$work/help"
check 'no line of a help is longer than 80 characters' awk 'length > 80 { print; bad = 1 } END { exit bad }' "$work/help"
exit $test_failed
