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
