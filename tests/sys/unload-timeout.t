#!/bin/sh
# An unload that does not come back in time is reported with the stacks of the threads involved, while it waits; then it goes on, or is given up.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host waiter -rdynamic
build_host noptrace
build_plugin hanging
mv "$tmp/hanging.so" "$tmp/h.so"
build_plugin worker
mv "$tmp/worker.so" "$tmp/p.so"
RELIB_SHIM=$shim
export RELIB_SHIM

# run_start OPTION...: the host, under relib run
run_start() {
	rm -rf "$RELIB_DIR"/*
	RELIB_TEST_PLAIN=1
	host_start "$relib" run "$@" -o "$tmp/run.out" "$tmp/waiter" 2>"$tmp/run.err"
	RELIB_TEST_PLAIN=
}

# live PATTERN: is told while the host runs
live() {
	live_tries=0
	while ! grep -Eq -- "$1" "$tmp/run.err" "$tmp/run.out"; do
		live_tries=$((live_tries + 1))
		[ $live_tries -lt 200 ] || return 1
		sleep 0.05
	done
}

# late: until the record says that the unload is late
late() {
	late_tries=0
	while report && [ "$(json 'any(g["timed_out"] for g in generations("h.so"))')" != True ]; do
		late_tries=$((late_tries + 1))
		[ $late_tries -lt 100 ] || return 1
		sleep 0.05
	done
}

start() {
	rm -rf "$RELIB_DIR"/*
	host_start "$@" "$tmp/waiter"
}

fresh() {
	told load h "$tmp/h.so"
	told log
}

# --- the report ---
run_start --unload-timeout=1
fresh
told call h hang_in_join 8
tell tid 8
stuck=${answer#ok }
told closer 1 h
ok 'a finalizer that joins a thread: it is told while the host waits' \
	live "waiting for thread $stuck"
ok 'how long it waits, and for what' grep -Eq '^relib: unloading h.so is waiting for 1 s, in process [0-9]+$' "$tmp/run.err"
ok 'with the name of the thread' grep -Eq "^  waiting for thread $stuck \(stuck\)$" "$tmp/run.err"
sed -n "/waiting for thread $stuck/,\$p" "$tmp/run.err" >"$tmp/stuck.err"
ok 'where the unloading thread waits' grep -Eq 'finalize .*hanging.c:[0-9]+' "$tmp/run.err"
ok 'where the other stands' grep -Eq 'work .*hanging.c:[0-9]+' "$tmp/stuck.err"
report && holds <<-END
	the record says the same: len(timeouts("h.so")) == 2 and timeouts("h.so")[1]["thread"] == $stuck
	the unloading one comes first: frame_of(timeouts("h.so")[0], "finalize")["file"].endswith("hanging.c")
	both with their stacks: frame_of(timeouts("h.so")[1], "work")["file"].endswith("hanging.c")
	nothing of the shim stands in them: not [f for n in timeouts("h.so") for f in n["stack"] if "librelib" in str(f.get("object"))]
	END
asked 'it is not unmapped meanwhile' 'ok mapped' mapped h
asked 'the host works on' 'ok 42' call h answer 1
told release 8
asked 'released, the unload goes on to its end' 'ok 0 gone' join 1
asked 'the finalizer ran once' 'ok finalized' log
told load p "$tmp/p.so"
asked 'and others are unloaded as ever' 'ok 0 gone' close p
host_end
is 'the host ends well' "$status" 0
is 'it was told once' "$(grep -c 'is waiting for' "$tmp/run.err")" 1

# --- what may hang ---
RELIB_UNLOAD_TIMEOUT=1
export RELIB_UNLOAD_TIMEOUT
for way in finalizer thread_local key; do
	start
	fresh
	if [ $way = finalizer ]; then
		told call h hang_in_finalizer 7
		told closer 1 h
	else
		# its own thread-locals and keys are those of the thread that unloads
		told closer 1 h hang_in_$way 7
	fi
	told arrived 7
	ok "$way: the unload is reported" late
	holds <<-END
		$way: with the stack of the unloading thread: len(timeouts("h.so")) == 1 and frame_of(timeouts("h.so")[0], "$([ $way = finalizer ] && echo finalize || echo destroy)")
		END
	told release 7
	asked "$way: released it goes on to its end" 'ok 0 gone' join 1
	host_end
	is "$way: the host ends well" "$status" 0
done

# --- no timeout ---
RELIB_UNLOAD_TIMEOUT=0
start
fresh
told call h hang_in_join 8
told closer 1 h
sleep 1.5
report && holds <<-END
	without a timeout nothing is reported: timeouts("h.so") == [] and not generations("h.so")[-1]["timed_out"]
	END
told release 8
asked 'and the unload goes on to its end' 'ok 0 gone' join 1
host_end

# --- nothing times out ---
RELIB_UNLOAD_TIMEOUT=5
start
told handle 23
fresh
told call h nap 300
asked 'an unload in time' 'ok 0 gone' close h
asked 'sleeps and waits are not disturbed' 'ok polled slept finalized' log
report && holds <<-END
	and nothing is reported: timeouts("h.so") == []
	END
asked "the host's own SIGURG handler is there" 'ok 1' raise 23
host_end
start
fresh
told close h
told handle 23
asked 'and can be set later' 'ok 1' raise 23
host_end

# --- a host that uses SIGURG ---
RELIB_UNLOAD_TIMEOUT=1
start
told handle 23
fresh
told call h hang_in_join 8
told closer 1 h
ok 'SIGURG is in use: the unload is reported' late
asked "the host's handler is called meanwhile" 'ok 1' raise 23
told release 8
asked 'it goes on to its end' 'ok 0 gone' join 1
asked "the host's handler was not called for us" 'ok 2' raise 23
host_end
is 'the host ends well' "$status" 0

# --- giving up ---
RELIB_UNLOAD_TIMEOUT_ACTION=abandon
export RELIB_UNLOAD_TIMEOUT_ACTION
for way in join finalizer; do
	start
	fresh
	told call h hang_in_$way 8
	asked "abandon, $way: dlclose returns and the module is left" 'ok 0 mapped' close h
	report && holds <<-END
		abandon, $way: the report says so: generations("h.so")[-1]["closing"] == "abandoned" and stays("h.so", 1) == ["timeout"]
		abandon, $way: with the stacks: len(timeouts("h.so")) == $([ $way = join ] && echo 2 || echo 1)
		END
	asked "abandon, $way: it is whole" 'ok 42' call h answer 1
	told release 8
	told load p "$tmp/p.so"
	asked "abandon, $way: others are unloaded as ever" 'ok 0 gone' close p
	told load p "$tmp/p.so"
	told call p start_returning 2
	asked "abandon, $way: or deferred" 'ok 0 mapped' close p
	told release 2
	told join 2
	asked "abandon, $way: and gone" 'ok gone' mapped p
	asked "abandon, $way: it can be opened again" 'ok same' again h
	asked "abandon, $way: and closed, and stays" 'ok 0 mapped' close h
	host_end
	is "abandon, $way: the host ends well" "$status" 0
done
for way in thread_local key; do
	start
	fresh
	told call h hang_in_$way 7
	asked "abandon, $way: dlclose returns and the module is left" 'ok 0 mapped' close h
	report && holds <<-END
		abandon, $way: the report says so: generations("h.so")[-1]["closing"] == "abandoned"
		abandon, $way: with the stack: len(timeouts("h.so")) == 1 and frame_of(timeouts("h.so")[0], "destroy")
		END
	asked "abandon, $way: it is whole" 'ok 42' call h answer 1
	host_end
	is "abandon, $way: the host ends well" "$status" 0
done
start
fresh
told call h nap 100
asked 'abandon: what is in time is unloaded' 'ok 0 gone' close h
asked 'and not disturbed' 'ok polled slept finalized' log
told load p "$tmp/p.so"
asked 'without anything to wait for too' 'ok 0 gone' close p
host_end

unset RELIB_UNLOAD_TIMEOUT_ACTION
if "$tmp/noptrace" true 2>"$tmp/errors"; then
	start "$tmp/noptrace"
	fresh
	told call h hang_in_join 8
	told closer 1 h
	ok 'without ptrace: the unload is reported' late
	holds <<-END
		without ptrace: both threads with their stacks: [bool(frame_of(n, f)) for n, f in zip(timeouts("h.so"), ("finalize", "work"))] == [True, True]
		END
	told release 8
	asked 'without ptrace: it goes on to its end' 'ok 0 gone' join 1
	host_end
	is 'without ptrace: the host ends well' "$status" 0
else
	skip 'without ptrace' "seccomp: $(cat "$tmp/errors")"
fi

done_testing
