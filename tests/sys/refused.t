#!/bin/sh
# With threads=refuse a dlclose with threads in the module fails and dlerror names them; the module works on, and can be closed again.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host waiter -rdynamic
build_host noptrace
build_plugin worker
mv "$tmp/worker.so" "$tmp/p.so"
build_plugin workerxx
mv "$tmp/workerxx.so" "$tmp/x.so"
build_plugin pool
mv "$tmp/pool.so" "$tmp/libpool.so"
build_plugin worker -DNAME='"d"' -Wl,--no-as-needed -L"$tmp" -lpool -Wl,-rpath,"$tmp"
mv "$tmp/worker.so" "$tmp/d.so"
RELIB_THREADS=refuse
export RELIB_THREADS

# line_of FUNCTION WHAT: of what stands in it, in worker.c
line_of() { awk "/ \\*?$1\\(/ { seen = 1 } seen && /$2/ { print NR; exit }" "$plugins/worker.c"; }

fresh() {
	told load "$1" "$tmp/$2.so"
	told log
}

# error_holds DESCRIPTION PATTERN...: dlerror's text has them all
error_holds() {
	error_what=$1
	shift
	tell error
	for pattern; do
		if ! printf '%s\n' "$answer" | grep -Eq -- "$pattern"; then
			fail "$error_what"
			diag "no '$pattern' in: $answer"
			return
		fi
	done
	pass "$error_what"
}

host_start "$tmp/waiter"
fresh p p
told call p start_named 1
told call p start_exiting 2
tell tid 1
first=${answer#ok }
tell tid 2
second=${answer#ok }
asked 'dlclose fails and unmaps nothing' 'ok -1 mapped' close p
error_holds 'dlerror names the module and counts the threads' "^ok $tmp/p.so: cannot be unloaded: 2 threads are in the way"
asked 'a second dlerror has nothing more to say' 'ok none' error
told close p
error_holds 'dlerror names the thread, where it was created and where it stands' \
	"; thread $first \(the worker\), created by start \(worker.c:$(line_of start pthread_create)\) in p.so, stands in run_named \(worker.c:$(line_of run_named host_hold)\) in p.so"
told close p
error_holds 'and the other' \
	"; thread $second \(waiter\), created by start \(worker.c:$(line_of start pthread_create)\) in p.so, stands in run_exiting \(worker.c:$(line_of run_exiting host_hold)\) in p.so"
report "$host_pid" && holds <<-END
	the report says refused, three times: generation("p.so", 1)["closing"] == "refused" and generation("p.so", 1)["refusals"] == 3
	nothing was deferred: generation("p.so", 1)["deferrals"] == 0
	it names the same threads: sorted((t["tid"], t["name"]) for t in threads("p.so")) == sorted([($first, "the worker"), ($second, "waiter")])
	that stand there: sorted(stands(t) for t in threads("p.so")) == [("run_exiting", "worker.c:$(line_of run_exiting host_hold)"), ("run_named", "worker.c:$(line_of run_named host_hold)")]
	and were created there: {(bare(t["created"][0]["function"]), t["created"][0]["line"]) for t in threads("p.so")} == {("start", $(line_of start pthread_create))}
	its reasons are the two: stays("p.so", 1) == ["thread"] * 2
	END
asked 'it works on' 'ok 42' call p answer 1
told missing
error_holds 'a later error takes the place of it' '^ok /nonexistent/library.so: '
told close p
told missing
error_holds 'so it does when nobody asked between them' '^ok /nonexistent/library.so: '
told missing
told close p
error_holds 'and the other way round' 'cannot be unloaded'
asked 'nothing is left of the older one' 'ok none' error
told release 1
told join 1
told close p
error_holds 'with one thread over the other is still named' "1 thread is in the way; thread $second "
told release 2
told join 2
asked 'it stays when the last is over: it was not deferred' 'ok mapped' mapped p
told log
asked 'closed again it goes' 'ok 0 gone' close p
asked 'the older message is gone with that' 'ok none' error
asked 'and it is finalized' 'ok -p' log

# --- whose finalizers ran before it was known ---
for kind in p:start_returning:-p:+p x:start_std:-xx:+xx; do
	name=${kind%%:*}
	words=${kind#*:*:}
	fresh $name $name
	told call $name "$(echo $kind | cut -d: -f2)" 1
	told close $name
	asked "$name: its finalizers had to run, and its initializers then" "ok ${words%:*} ${words#*:}" log
	asked "$name: opened again it is the same" 'ok same' again $name
	asked "$name: and nothing runs" 'ok' log
	asked "$name: a refused dlclose took nothing away: this is one of two" 'ok 0 mapped' close $name
	asked "$name: and this is refused" 'ok -1 mapped' close $name
	told log
	told release 1
	told ended 1
	asked "$name: the next unloads it" 'ok 0 gone' close $name
	asked "$name: with its finalizers, once" "ok ${words%:*}" log
done

# --- the host's threads, and the caller's own frame ---
fresh p p
told thread 3 p hold
tell tid 3
third=${answer#ok }
asked "a host's worker in it: dlclose fails" 'ok -1 mapped' close p
error_holds 'it is told apart from its own' \
	"1 thread is in the way; thread $third \(waiter\), not created by it, stands in hold \(worker.c:$(line_of hold host_hold)\) in p.so"
asked 'no finalizer ran for nothing' 'ok' log
told release 3
asked 'the worker returns' 'ok 44 mapped' join 3
asked 'closed again it goes' 'ok 0 gone' close p
fresh p p
asked 'one that closes itself is refused' 'ok 48' call p close_self 7
error_holds 'because of the calling thread' \
	"the calling thread [0-9]+ \(waiter\).* stands in close_self \(worker.c:[0-9]+\) in p.so"
asked 'and says so to itself' 'ok refused' log
asked 'closed by the host it goes' 'ok 0 gone' close p
fresh d d
told call d use_dependency 5
asked "a dependency's thread: dlclose fails" 'ok -1 mapped' close d
error_holds 'that library is named' "^ok $tmp/d.so: cannot be unloaded: 1 thread is in the way; .*, created by pool_start \(pool.c:[0-9]+\) in libpool.so, stands in pool_run \(pool.c:[0-9]+\) in libpool.so"
told release 5
told join 5
asked 'closed again both go' 'ok 0 gone' close d
report "$host_pid" && holds <<-END
	all are unloaded: {g["state"] for n in ("p.so", "d.so", "libpool.so") for g in generations(n)} == {"unloaded"}
	END
host_end
is 'the host ends well' "$status" 0

if "$tmp/noptrace" true 2>"$tmp/errors"; then
	# a sanitized relib-names looks for leaks of its own with ptrace
	host_start env ASAN_OPTIONS=detect_leaks=0 "$tmp/noptrace" "$tmp/waiter"
	fresh p p
	told call p start_named 1
	asked 'without ptrace: dlclose fails' 'ok -1 mapped' close p
	error_holds 'without ptrace: the message is the same' "the worker.*run_named \(worker.c:$(line_of run_named host_hold)\)"
	told release 1
	told join 1
	asked 'without ptrace: closed again it goes' 'ok 0 gone' close p
	host_end
else
	skip 'without ptrace' "seccomp: $(cat "$tmp/errors")"
fi

done_testing
