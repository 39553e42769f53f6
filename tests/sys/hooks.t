#!/bin/sh
# What a plugin leaves in the C library that would call or read it after it went is taken back and named.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'without the shim hosts crash here'
: "${VALGRIND:=$(command -v valgrind)}"
build_host hooked
build_plugin hooks

# uses HOOK STATUS OUTPUT: the host uses the hook and ends well; OUTPUT is what it prints.
uses() {
	rm -rf "$RELIB_DIR"/*
	printf 'first line\nsecond line\n' |
		with_shim "$tmp/hooked" "$1" "$tmp/hooks.so" >"$tmp/output" 2>"$tmp/errors"
	is "$1: the host's status" $? "$2"
	is "$1: what it prints" "$(cat "$tmp/output")" "$3"
	danglings
}

# taken KIND TARGET NUMBER TEXT PLACE: there is one record, of something taken back.
taken() {
	is "$1 of $5: what is recorded" "$(awk -F '\t' '$1 != "generation" && $1 != "memory" {
		print $1, $2, $3, $5, $6, $7, $8, $9 }' "$tmp/danglings")" "$1 hooks.so#1 $2 1 1 $3 $4 $5"
	is "$1 of $5: the generation counts it" \
		"$(awk -F '\t' '$1 == "generation" { print $3, $4 }' "$tmp/danglings")" '0 1'
}

none() {
	is "$1: nothing is recorded" "$(grep -vc ^generation "$tmp/danglings")" 0
}

lines() { printf '%s\n' "$@"; }

uses timer 0 ''
is 'timer: each is recorded' "$(grep -c '^timer	hooks.so#[0-9]*	on_tick	.*	1	1	.*	set_timer$' \
	"$tmp/danglings")" 20
uses own_timer 0 ''
none own_timer

uses on_exit 5 "$(lines first last)"
taken on_exit on_end 0 - set_on_exit
uses on_exit+ 5 "$(lines first 'on_exit 5 plugin' last)"
uses host_on_exit 0 ''
taken on_exit on_end 0 - -
uses host_on_exit+ 0 'on_exit 0 host'

uses quick_exit 6 "$(lines first last)"
taken quick_exit on_quick 0 - set_quick_exit
uses quick_exit+ 6 "$(lines first 'at_quick_exit plugin' last)"
uses host_quick_exit 6 "$(lines first last)"
taken quick_exit on_quick 0 - -
uses host_quick_exit+ 6 "$(lines first 'at_quick_exit plugin' last)"

uses host_atexit 0 "$(lines first last)"
taken on_exit on_atexit 0 - -
uses host_atexit+ 0 "$(lines first 'atexit plugin' last)"
uses nobody 0 ''
taken on_exit on_nobody 0 - set_atexit_of_nobody
uses nobody+ 0 'atexit of nobody'

uses environ 0 "$(lines getenv system setenv unsetenv)"
taken environ string 0 'RELIB_HOOK=from the plugin' -
uses environ_array 0 "$(lines getenv system setenv unsetenv)"
is 'environ_array: the array, and what is in it' "$(awk -F '\t' '$1 == "environ" { print $3, $6, $8 }' \
	"$tmp/danglings" | grep -v PATH)" "$(lines 'array 1 environ' 'string 1 RELIB_HOOK=from the plugin')"

uses stdout 0 'one two'
taken buffer buffer 1 stdout set_stdout
uses stderr 0 ''
is 'stderr: what it prints' "$(cat "$tmp/errors")" 'one two'
taken buffer buffer 2 stderr set_stderr
uses stdin 0 "$(lines 'First line' 'second line')"
taken buffer buffer 0 stdin set_stdin

uses openlog 0 ''
is 'openlog: who says it' "$(cat "$tmp/errors")" 'hooks-plugin: said by the host'
taken openlog ident 0 hooks-plugin set_openlog
uses openlog_closed 0 ''
none openlog_closed

uses all 0 'one one one one one one one one one one one one one one one one one one one one '
is 'all: each time six are taken back' \
	"$(awk -F '\t' '$1 == "generation" { print $4 }' "$tmp/danglings" | sort | uniq -c |
		tr -s ' ' | tr '\n' ';')" ' 1 0; 20 6;'

# --- what is counted

build_host timed
build_plugin timers

# counts WHAT SAID KIND BALANCE LEFTOVERS WORD...: the host does the words, and KIND is counted so.
counts() {
	what=$1 said=$2 kind=$3 balance=$4 left=$5
	shift 5
	rm -rf "$RELIB_DIR"/*
	with_shim "$tmp/timed" "$tmp/timers.so" "$@" >"$tmp/output" 2>"$tmp/errors"
	is "$what: how the host ends" "$? $(tr '\n' ' ' <"$tmp/output")" "0 $said"
	danglings
	report
	holds <<-END
		$what: the balance: balance("$kind", "timers.so") == $balance
		$what: what is left: leftovers("$kind", "timers.so") == $left
	END
}
taken_too() {
	is "$what: it is told once, as taken back" \
		"$(grep -c "^$1	timers.so#1	$2	" "$tmp/danglings")" 1
}

for by in handle handle_by_signal; do
	counts $by '' signal-handler '(1, 0, 1, 1, 0)' '[]' open $by=10 close
	taken_too signal on_signal
done
counts 'a handler, and the default' '' signal-handler '(1, 1, 0, 0, 0)' '[]' \
	open handle=10 handle_default=10 close
counts "a handler, and the host's" '' signal-handler '(1, 1, 0, 0, 0)' '[]' \
	open handle=10 own=10 close
counts 'two handlers' '' signal-handler '(3, 1, 2, 2, 0)' '[]' \
	open handle=10 handle=12 handle_by_signal=10 close
counts 'a handler for one time' 'worked ' signal-handler '(1, 1, 0, 0, 0)' '[]' \
	open handle_once=14 set_alarm=1 work=1100 close
counts "the host's handler" '' signal-handler '(0, 0, 0, 0, 0)' '[]' own=10 open close

counts pthread_atfork 'child 7 ' fork-handler '(1, 1, 0, 0, 0)' '[]' open set_fork=0 close fork
is 'pthread_atfork: nothing dangles' "$(grep -c ^fork "$tmp/danglings")" 0
counts "pthread_atfork in nobody's name" 'child 7 ' fork-handler '(1, 0, 1, 1, 0)' '[]' \
	open set_fork_of_nobody=0 close fork
taken_too fork on_fork
counts "pthread_atfork of the plugin's function by the host" 'child 7 ' \
	fork-handler '(0, 0, 0, 0, 0)' '[]' open host_fork close fork
taken_too fork on_fork
counts 'pthread_atfork, and the plugin stays' 'child 7 ' fork-handler '(1, 0, 1, 0, 0)' '[]' \
	open set_fork=0 fork

counts atexit '' exit-handler '(1, 1, 0, 0, 0)' '[]' open set_atexit=0 close
counts openlog '' syslog '(1, 0, 1, 0, 0)' '[("left", "timers-plugin")]' open set_log=0 close
counts 'openlog, closelog' '' syslog '(1, 1, 0, 0, 0)' '[]' open set_log=0 end_log=0 close
counts setvbuf '' buffer '(1, 0, 1, 0, 0)' '[("left", "stdout")]' open set_buffer=0 close
counts 'setvbuf, setbuf' '' buffer '(1, 1, 0, 0, 0)' '[]' open set_buffer=0 end_buffer=0 close

# hooked_counts HOOK STATUS KIND BALANCE
hooked_counts() {
	rm -rf "$RELIB_DIR"/*
	with_shim "$tmp/hooked" "$1" "$tmp/hooks.so" >"$tmp/output" 2>"$tmp/errors" </dev/null
	is "$1: the host's status" $? "$2"
	report
	holds <<-END
		$1: the balance: balance("$3", "hooks.so") == $4
		$1: there is no second record: leftovers("$3", "hooks.so") == []
	END
}
hooked_counts timer 0 timer '(20, 0, 20, 20, 0)'
hooked_counts own_timer 0 timer '(1, 1, 0, 0, 0)'
hooked_counts on_exit 5 exit-handler '(1, 0, 1, 1, 0)'
hooked_counts quick_exit 6 exit-handler '(1, 0, 1, 1, 0)'
hooked_counts nobody 0 exit-handler '(1, 0, 1, 1, 0)'
hooked_counts host_atexit 0 exit-handler '(0, 0, 0, 0, 0)'
hooked_counts stdout 0 buffer '(1, 0, 1, 1, 0)'
hooked_counts openlog 0 syslog '(1, 0, 1, 1, 0)'
hooked_counts openlog_closed 0 syslog '(1, 1, 0, 0, 0)'

if [ -n "$VALGRIND" ]; then
	for hook in timer on_exit quick_exit host_atexit environ stdout openlog; do
		LD_PRELOAD=$shim "$VALGRIND" --error-exitcode=9 -q --trace-children=no \
			--soname-synonyms=somalloc=nouserintercepts \
			"$tmp/hooked" $hook "$tmp/hooks.so" >"$tmp/output" 2>"$tmp/errors"
		status=$?
		case $hook in
		on_exit) wanted=5 ;;
		quick_exit) wanted=6 ;;
		*) wanted=0 ;;
		esac
		is "valgrind finds nothing wrong with $hook" "$status" "$wanted"
		[ "$status" = "$wanted" ] || diag "$(head -n 40 "$tmp/errors")"
	done
else
	skip 'valgrind finds nothing wrong' 'there is no valgrind here'
fi

done_testing
