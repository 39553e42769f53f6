#!/bin/sh
# Reloads of a plugin that leaves one of each kind, with everything given back: all is as after the tenth, and the report is exact.
. "$(dirname "$0")/lib.sh"

: "${RELIB_TEST_RELOADS:=300}"
build_host everythinghost
build_plugin everything
build_plugin residue
mkdir "$tmp/left"

RELIB_FDS=close RELIB_NAMES=remove
export RELIB_FDS RELIB_NAMES
with_shim "$tmp/everythinghost" "$tmp/left" "$tmp/everything.so" "$tmp/residue.so" \
	"$RELIB_TEST_RELOADS" >"$tmp/out" 2>"$tmp/err"
is 'the host ends well' "$?" 0
diag "$(head -n 5 "$tmp/err")"
diag "        rss fds maps tasks timers keys names segments"
diag "$(cat "$tmp/out")"
[ -z "$RELIB_TEST_PLAIN" ] || done_testing

# field NUMBER OF
field() { awk -v when="$2" -v n="$1" '$1 == when { print $n }' "$tmp/out"; }
same() { is "$1" "$(field "$2" last)" "$(field "$2" tenth)"; }
ok 'memory is where it was, within 2 MiB' test "$(field 2 last)" -le $(($(field 2 tenth) + 2097152))
same 'descriptors are as after the tenth' 3
ok 'mappings are as after the tenth, but for those of relib' \
	test "$(field 4 last)" -le $(($(field 4 tenth) + 40))
same 'threads are' 5
same 'timers are' 6
same 'keys are' 7
is 'no name is left' "$(find "$tmp/left" -mindepth 1 | wc -l)" 0

n=$RELIB_TEST_RELOADS
# of 10,000 loads all that can be told is half a gigabyte
if [ "$n" -gt 1000 ]; then
	timeout 300 "$relib" leaks report >"$tmp/report" 2>&1
	is 'the report can be made' "$?" 0
	ok 'each load has left the same' grep "generations 1-$n: each left 1 block, 1,000 bytes" "$tmp/report"
	done_testing
fi
report && holds <<-END
	each load is counted: generations("everything.so")[-1]["number"] == $n
	each is gone: {g["state"] for g in generations("everything.so")} == {"unloaded"}
	the memory is freed: [sum(p[k]["blocks"] for p in places("leave_process", "everything.so")) for k in ("leaked", "reclaimed")] == [$n, $n]
	the C library keeps tables of the first, and until the next what the last has left: [g["number"] for g in generations("everything.so") if 1 < g["number"] < $n and g["kept"]["blocks"] + g["runtime"]["blocks"]] == []
	nobody else keeps anything: sum(g["kept"]["blocks"] for g in generations("everything.so")) == 0
	descriptors, all of them: balance("descriptor", "everything.so", function="leave_descriptors") == (17 * $n, 0, 17 * $n, 17 * $n, 0)
	streams: balance("stream", "everything.so") == (3 * $n, 0, 3 * $n, 3 * $n, 0)
	directories: balance("directory", "everything.so") == ($n, 0, $n, $n, 0)
	mappings: balance("mapping", "everything.so") == ($n, 0, $n, $n, 0)
	and their bytes: balance_bytes("mapping", "everything.so")[:4] == (65536 * $n, 0, 65536 * $n, 65536 * $n)
	segments: balance("segment", "everything.so") == ($n, 0, $n, $n, 0)
	temporary files and folders: balance("temporary", "everything.so") == (2 * $n, 0, 2 * $n, 2 * $n, 0)
	names of shared memory: balance("shm-name", "everything.so") == ($n, 0, $n, $n, 0)
	semaphores: balance("semaphore", "everything.so") == ($n, 0, $n, $n, 0)
	names of semaphores: balance("semaphore-name", "everything.so") == ($n, 0, $n, $n, 0)
	System V ids: [balance(k, "everything.so") for k in ("shm-id", "semaphore-id", "queue-id")] == [($n, 0, $n, $n, 0)] * 3
	timers: balance("timer", "everything.so") == (2 * $n, 0, 2 * $n, 2 * $n, 0)
	the interval timer: balance("interval-timer", "everything.so") == ($n, 0, $n, $n, 0)
	the signal handler: balance("signal-handler", "everything.so") == ($n, 0, $n, $n, 0)
	the signal stack: balance("signal-stack", "everything.so") == ($n, 0, $n, $n, 0)
	keys are deleted: sum(g["keys"]["deleted"] for g in generations("everything.so")) == $n
	handles: balance("handle", "everything.so")[:4] == ($n, 0, $n, 0)
	the lock was held: balance("mutex", "everything.so")[:3] == ($n, 0, $n)
	the file lock went with its descriptor: balance("file-lock", "everything.so")[:3] == ($n, 0, $n)
	the variable is set: balance("environment", "everything.so")[:3] == ($n, 0, $n)
	the directory was changed: balance("working-directory", "everything.so")[:3] == ($n, 0, $n)
	so was the umask: balance("umask", "everything.so")[:3] == ($n, 0, $n)
	and the locale: balance("locale", "everything.so")[:3] == ($n, 0, $n)
	END

done_testing
