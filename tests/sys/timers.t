#!/bin/sh
# Timers, alarms and alternate stacks that a plugin leaves: those that would harm the host are taken back, all are told, the host's own go on.
. "$(dirname "$0")/lib.sh"

build_host timed
build_plugin timers

# does WHAT STATUS SAID WORD...: the host does the words.
does() {
	what=$1 wanted="$2 $3"
	shift 3
	rm -rf "$RELIB_DIR"/*
	with_shim timeout 60 "$tmp/timed" "$tmp/timers.so" "$@" >"$tmp/said" 2>"$tmp/errors"
	is "$what: how the host ends" "$? $(tr '\n' ' ' <"$tmp/said")" "$wanted"
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
	report
}

# balance_is KIND ACQUIRED GIVEN_BACK LEFT TAKEN_BACK LATER LEFTOVERS
balance_is() {
	holds <<-END
		$what: the balance: balance("$1", "timers.so") == ($2, $3, $4, $5, $6)
		$what: what is left: leftovers("$1", "timers.so") == $7
	END
}

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'without the shim the host is killed here'
ALRM=14 USR1=10 USR2=12 CHLD=17

# --- timer_create

for by in signal default thread_id; do
	does "a timer by $by, and the plugin's handler" 0 'worked ' \
		open handle=$ALRM timer_by_$by=20 close work=80
	balance_is timer 1 0 1 1 0 '[("taken-back", "SIGALRM")]'
	does "a timer by $by, and no handler" 0 'worked ' open timer_by_$by=200 close work=400
	balance_is timer 1 0 1 1 0 '[("taken-back", "SIGALRM")]'
	does "a timer by $by, and the host's handler" 0 '' own=$ALRM open timer_by_$by=10 close seen
	balance_is timer 1 0 1 0 0 '[("left", "SIGALRM")]'
	does "a timer by $by, of a signal that waits" 0 'worked ' \
		block=$ALRM open handle=$ALRM timer_by_$by=1 work=20 close unblock=$ALRM
	balance_is timer 1 0 1 1 0 '[("taken-back", "SIGALRM")]'
done
does 'a timer of a signal that ends nobody' 0 'worked ' \
	open timer_signal_is=$CHLD timer_by_signal=10 close work=20
balance_is timer 1 0 1 0 0 '[("left", "SIGCHLD")]'
does 'a timer that tells nobody' 0 '' open timer_by_nothing=10 close
balance_is timer 1 0 1 0 0 '[("left", None)]'
does 'a timer that is deleted' 0 '' open timer_by_nothing=10 timer_end=0 close
balance_is timer 1 1 0 0 0 '[]'
does 'a timer that is deleted unseen' 0 '' open timer_by_signal=0 timer_end_unseen=0 close
balance_is timer 1 1 0 0 0 '[]'
does 'a timer that the host deletes later' 0 '' open timer_by_nothing=10 close delete=0
balance_is timer 1 0 1 0 1 '[("given-back", None)]'
does 'a timer that calls the plugin' 0 'worked worked ' open timer_by_thread=5 work=20 close work=20
balance_is timer 1 0 1 1 0 '[]'
holds <<-END
	a timer that calls the plugin: it is told once: len([d for g in generations("timers.so") for d in g["dangling"] if d["kind"] == "timer"]) == 1
END
RELIB_FDS=close
export RELIB_FDS
does 'fds=close: a timer that tells nobody' 0 '' open timer_by_nothing=10 close
balance_is timer 1 0 1 1 0 '[("taken-back", None)]'
does 'fds=close: an alarm, and the host ignores it' 0 'worked ' own=$ALRM open set_real=200 close work=300
balance_is interval-timer 1 0 1 1 0 '[("taken-back", "ITIMER_REAL")]'
unset RELIB_FDS
does "the host's own timers" 0 '' own=$USR2 own_timer=50 open handle=$ALRM timer_by_signal=200 close seen
holds <<-END
	the host's own timers: they are not counted: balance("timer", "timers.so")[0] == 1
END

# --- setitimer, alarm, ualarm

for set in alarm=1 ualarm=300000 real=300; do
	does "set_$set, and the plugin's handler" 0 'worked ' \
		open handle=$ALRM set_$set close work=1200
	balance_is interval-timer 1 0 1 1 0 '[("taken-back", "ITIMER_REAL")]'
	does "set_$set, and the host's handler" 0 '' own=$ALRM open set_$set close seen
	balance_is interval-timer 1 0 1 0 0 '[("left", "ITIMER_REAL")]'
	does "set_$set, and the host's own after it" 0 '' \
		own=$ALRM open set_$set own_alarm=20 close seen
	balance_is interval-timer 1 1 0 0 0 '[]'
	does "set_$set, and off" 0 '' open set_$set "set_${set%%=*}=0" close
	balance_is interval-timer 1 1 0 0 0 '[]'
done
does 'an alarm, and no handler' 0 'worked ' open set_real=300 close work=500
balance_is interval-timer 1 0 1 1 0 '[("taken-back", "ITIMER_REAL")]'
does 'an alarm that is over' 0 'worked ' own=$ALRM open set_ualarm=1000 work=20 close
balance_is interval-timer 1 1 0 0 0 '[]'
does 'an alarm that is over and waits' 0 'worked ' \
	block=$ALRM open handle=$ALRM set_ualarm=1000 work=20 close unblock=$ALRM
balance_is interval-timer 1 1 0 0 0 '[]'
does 'ITIMER_VIRTUAL' 0 'worked ' open handle=26 set_virtual=100 close work=300
balance_is interval-timer 1 0 1 1 0 '[("taken-back", "ITIMER_VIRTUAL")]'
does 'ITIMER_PROF' 0 'worked ' open handle=27 set_prof=100 close work=300
balance_is interval-timer 1 0 1 1 0 '[("taken-back", "ITIMER_PROF")]'
does "the host's own alarm" 0 '' own=$ALRM own_alarm=50 open close seen
holds <<-END
	the host's own alarm: it is not counted: [g["balances"] for g in generations("timers.so")] == [[]]
END
does 'fork: the child has none' 0 'child 7 ' own=$ALRM open set_alarm=50 timer_by_nothing=10 fork close
balance_is interval-timer 1 0 1 0 0 '[("left", "ITIMER_REAL")]'

# --- sigaltstack

for in in image heap; do
	does "a stack in the $in" 0 'no stack ' open stack_in_$in=0 close stack
	balance_is signal-stack 1 0 1 1 0 '[("taken-back", None)]'
	does "a stack in the $in, and none" 0 'no stack ' open stack_in_$in=0 stack_end=0 close stack
	balance_is signal-stack 1 1 0 0 0 '[]'
done
does 'a stack of a thread that ended' 0 '' open stack_of_thread=0 close
balance_is signal-stack 1 1 0 0 0 '[]'
does "a stack of a host's thread" 0 'signalled ' open thread=stack_in_heap close signal=$USR1 end
balance_is signal-stack 1 0 1 0 1 '[("given-back", None)]'
holds <<-END
	a stack of a host's thread: its block is not freed: of_generation("timers.so", 1, "kept") == (1, 65536)
END
for guard in '' 0; do
	RELIB_GUARD=$guard
	export RELIB_GUARD
	does "a stack in the image of a host's thread${guard:+, without a guard}" 0 'signalled ' \
		open thread=stack_in_image close signal=$USR1 end
	balance_is signal-stack 1 0 1 0 1 '[("given-back", None)]'
done
unset RELIB_GUARD

done_testing
