#!/bin/sh
# A module with threads in it stays whole after dlclose and is unloaded, without another call, as the last of them leaves.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_plugin catcher
build_host waiter -rdynamic -Wl,--no-as-needed "$tmp/catcher.so" -Wl,-rpath,"$tmp"
build_host noptrace
build_plugin worker
mv "$tmp/worker.so" "$tmp/p.so"
build_plugin worker -DNAME='"q"'
mv "$tmp/worker.so" "$tmp/q.so"
build_plugin pool
mv "$tmp/pool.so" "$tmp/libpool.so"
build_plugin worker -DNAME='"d"' -Wl,--no-as-needed -L"$tmp" -lpool -Wl,-rpath,"$tmp"
mv "$tmp/worker.so" "$tmp/d.so"
build_plugin workerxx

build_gomp() {
	$CC -O2 -g -fPIC -shared -fopenmp -I"$plugins" -o "$tmp/gomper.so" "$plugins/gomper.c" 2>"$tmp/build.out"
}

# line_of FUNCTION: of its call of host_hold, in worker.c
line_of() { awk "/ \*?$1\(/ { seen = 1 } seen && /host_hold/ { print NR; exit }" "$plugins/worker.c"; }

# fresh NAME FILE: it is loaded, and the log is empty
fresh() {
	told load "$1" "$tmp/$2.so"
	told log
}

# --- its own threads ---
host_start "$tmp/waiter"
for way in returning exiting c11 closing named; do
	fresh p p
	told call p start_$way 1
	if [ $way = closing ]; then
		told release 1
		told join 1
		asked "$way: it is closed in its own thread, and finalized once" 'ok closed -p' log
	else
		asked "$way: dlclose succeeds and unmaps nothing" 'ok 0 mapped' close p
		asked "$way: its functions still work" 'ok 42' call p answer 1
		asked "$way: its finalizers have run" 'ok -p' log
		told release 1
		told join 1
	fi
	asked "$way: it is gone when the thread is" 'ok gone' mapped p
	asked "$way: the finalizers do not run again" 'ok' log
done
fresh p p
told call p start_returning 1
told close p
told cancel 1
told join 1
asked 'cancelled: it is gone when the thread is' 'ok gone' mapped p
fresh p p
told call p start_detached 1
told close p
told release 1
told ended 1
asked 'detached: it is gone when the thread is' 'ok gone' mapped p
fresh x workerxx
told call x start_std 1
asked 'std::thread: dlclose succeeds and unmaps nothing' 'ok 0 mapped' close x
asked 'std::thread: static objects are destroyed, since they might have joined it' 'ok -xx' log
told release 1
told ended 1
asked 'std::thread: it is gone when the thread is' 'ok gone' mapped x

fresh p p
told call p start_named 2
told call p start_exiting 3
told close p
report "$host_pid" && holds <<-END
	the report calls it deferred: generations("p.so")[-1]["closing"] == "deferred" and generations("p.so")[-1]["deferrals"] == 1
	because of threads: stays("p.so", generations("p.so")[-1]["number"]) == ["thread", "thread"]
	both threads are its own and waited for: all(t["own"] and t["waited_for"] for t in threads("p.so")) and len(threads("p.so")) == 2
	the name is the one that it has given itself: "the worker" in [t["name"] for t in threads("p.so")]
	where they were created: all(bare(t["created"][0]["function"]) == "start" for t in threads("p.so"))
	by whom: sorted(bare(t["created"][1]["function"]) for t in threads("p.so")) == ["start_exiting", "start_named"]
	where they stand: sorted(stands(t) for t in threads("p.so")) == [("run_exiting", "worker.c:$(line_of run_exiting)"), ("run_named", "worker.c:$(line_of run_named)")]
	END
told release 2
told join 2
asked 'with one of two threads left it stays' 'ok mapped' mapped p
told release 3
told join 3
asked 'with none it goes' 'ok gone' mapped p
report "$host_pid" && holds <<-END
	the report says so: {g["state"] for g in generations("p.so")} == {"unloaded"}
	every thread is counted, and over: thread_counts("p.so") == (9, 9, 0)
	no thread is left in the report: threads("p.so") == []
	END

# --- a thread of the host's ---
for kind in long:hold:43 double:hold_double:1 longdouble:hold_long_double:1 int128:hold_int128:1 \
		complex:hold_complex:1 float128:hold_float128:1; do
	fresh p p
	told thread 2 p "$(echo "$kind" | cut -d: -f2)" "${kind%%:*}"
	asked "a host's worker in it ($kind): dlclose waits for it" 'ok 0 mapped' close p
	asked "($kind) its finalizers wait too" 'ok' log
	told release 2
	asked "($kind) it is gone as the worker returns, the result whole" "ok ${kind##*:} gone" join 2
	asked "($kind) the finalizers ran" 'ok -p' log
done
fresh p p
told thread 2 p hold_nested
asked 'host, plugin, host, plugin: dlclose waits' 'ok 0 mapped' close p
report "$host_pid" && holds <<-END
	the host's thread is named as such: [(t["own"], t["waited_for"]) for t in threads("p.so")] == [(False, True)]
	where it stands in the plugin: stands(threads("p.so")[0]) == ("hold", "worker.c:$(line_of hold)")
	END
told release 2
asked 'it is gone when the outermost returns' 'ok 44 gone' join 2
fresh p p
told thread 2 p hold_twice
told close p
told release 2
told arrived 2
asked 'the inner one has returned: it stays' 'ok mapped' mapped p
told release 2
asked 'the outer one too: it is gone' 'ok 2 gone' join 2
fresh p p
for slot in 2 3 4; do
	told thread $slot p hold
done
told close p
for slot in 3 2; do
	told release $slot
	asked 'one of three workers has left: it stays' "ok $((slot + 41)) mapped" join $slot
done
told release 4
asked 'the last one has left: it is gone' 'ok 45 gone' join 4

fresh q q
fresh p p
told thread 2 p jump_out
told close p
told release 2
asked 'a worker that leaves by longjmp goes on in the host' 'ok -7 mapped' join 2
asked 'the next dlclose of anything' 'ok 0 gone' close q
asked 'unloads what it left' 'ok gone' mapped p
fresh q q
fresh x workerxx
told thread 2 x throw_out catch
told close x
told release 2
asked 'a worker that leaves by an exception goes on in the host' 'ok -5 mapped' join 2
told close q
asked 'the next dlclose of anything unloads that too' 'ok gone' mapped x

# --- closing oneself ---
for way in close_self close_by_host; do
	fresh p p
	asked "$way: the code goes on after the dlclose" 'ok 48' call p $way 7
	asked "$way: it is gone when it has returned" 'ok gone' mapped p
	asked "$way: finalized behind that" 'ok closed -p' log
done

# --- threads of a library that it brought ---
fresh d d
told call d use_dependency 5
asked "a dependency's thread: dlclose waits" 'ok 0 mapped' close d
report "$host_pid" && holds <<-END
	the thread is the dependency's: [t["owner"]["path"].endswith("libpool.so") for t in threads("libpool.so")] == [True]
	the plugin is deferred because of a thread: generations("d.so")[-1]["closing"] == "deferred" and stays("d.so", 1) == ["thread"]
	the reason names the library: "libpool.so" in generations("d.so")[-1]["stays"][0]["text"]
	END
told release 5
told join 5
asked 'both are gone when it is over' 'ok gone' mapped d
asked 'dependents are finalized first' 'ok -d -pool' log
report "$host_pid" && holds <<-END
	both are unloaded: generations("d.so")[-1]["state"] == generations("libpool.so")[-1]["state"] == "unloaded"
	END

# --- opened again ---
fresh p p
told thread 2 p hold
told close p
asked 'a deferred one is opened again: the same' 'ok same' again p
asked 'it works' 'ok 42' call p answer 1
told release 2
asked 'it stays when the worker returns' 'ok 43 mapped' join 2
asked 'nothing was finalized' 'ok' log
asked 'closed again it goes at once' 'ok 0 gone' close p
asked 'finalized once' 'ok -p' log
fresh p p
told call p start_returning 1
told close p
asked 'finalizers have run' 'ok -p' log
asked 'it is opened again behind that: the same' 'ok same' again p
asked 'its initializers run again' 'ok +p' log
told release 1
told join 1
asked 'it stays without the thread' 'ok mapped' mapped p
asked 'closed again it goes at once, ' 'ok 0 gone' close p
asked 'finalized once more' 'ok -p' log
report "$host_pid" && holds <<-END
	revivals are counted: generations("p.so")[-1]["revivals"] == 1 and generations("p.so")[-1]["deferrals"] == 1
	END
fresh x workerxx
told call x start_std 1
told close x
told again x
asked 'C++: static objects are made again' 'ok -xx +xx' log
told release 1
told ended 1
asked 'C++: it works' 'ok 42' call x answer 1
asked 'C++: closed again it goes' 'ok 0 gone' close x
asked 'C++: with its static objects, once' 'ok -xx' log
fresh p p
told call p start_returning 1
told close p
told again p
told again p
told close p
asked 'opened twice, closed once: it is open' 'ok mapped' mapped p
told log
asked 'closed twice: it is deferred' 'ok 0 mapped' close p
told again p
asked 'and again' 'ok 0 mapped' close p
asked 'its finalizers ran each time' 'ok -p +p -p' log
told release 1
told join 1
asked 'it goes with its thread' 'ok gone' mapped p
asked 'with nothing more to run' 'ok' log
asked 'no dlclose is left over' 'ok none' error

# --- two at once ---
fresh p p
fresh q q
told call p start_returning 1
told call q start_returning 2
told close p
told close q
told release 2
told join 2
asked 'of two the one goes whose thread left' 'ok gone' mapped q
asked 'and not the other' 'ok mapped' mapped p
told release 1
told join 1
asked 'which goes then' 'ok gone' mapped p

# --- fork, and the end of the process ---
fresh p p
told call p start_returning 1
told close p
asked 'a child forked meanwhile has it whole, and ends well' 'ok 42 3' fork p answer
told release 1
told join 1
asked 'the parent goes on' 'ok gone' mapped p
fresh p p
fresh q q
told call p start_returning 1
told thread 2 q hold
told close p
told close q
host_end
is 'two are left at the end: the host ends well' "$status" 0

# --- a library whose threads outlive their work ---
if build_gomp; then
	host_start "$tmp/waiter"
	fresh p gomper
	asked 'libgomp: it runs its threads' 'ok 40' call p sum 4
	asked 'libgomp: its workers outlive that, and dlclose waits' 'ok 0 mapped' close p
	report "$host_pid" && holds <<-END
		libgomp: it is called deferred because of the workers: generations("gomper.so")[-1]["closing"] == "deferred" and stays("gomper.so", 1) == ["thread"] * 3
		libgomp: by name: all("libgomp" in s["text"] for s in generations("gomper.so")[-1]["stays"])
		END
	asked 'libgomp: it is opened again' 'ok same' again p
	asked 'libgomp: and works' 'ok 40' call p sum 4
	asked 'libgomp: closed again it waits again' 'ok 0 mapped' close p
	host_end
	is 'libgomp: the host ends well' "$status" 0
else
	skip 'libgomp' 'it cannot be linked here'
fi

# --- no ptrace ---
if "$tmp/noptrace" true 2>"$tmp/errors"; then
	host_start "$tmp/noptrace" "$tmp/waiter"
	fresh p p
	told call p start_returning 1
	asked 'without ptrace: dlclose waits' 'ok 0 mapped' close p
	told release 1
	told join 1
	asked 'without ptrace: it is gone with its thread' 'ok gone' mapped p
	fresh p p
	told thread 2 p hold_double double
	asked "without ptrace: dlclose waits for a host's worker" 'ok 0 mapped' close p
	told release 2
	asked 'without ptrace: it is gone as that returns' 'ok 1 gone' join 2
	fresh p p
	asked 'without ptrace: it can close itself' 'ok 48' call p close_self 7
	asked 'without ptrace: and is gone' 'ok gone' mapped p
	host_end
	is 'without ptrace: the host ends well' "$status" 0
else
	skip 'without ptrace' "seccomp: $(cat "$tmp/errors")"
fi

done_testing
