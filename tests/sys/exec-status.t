#!/bin/sh
# relib run ends with the host's status, 128+N for a signal, and --error-exitcode when a module left residue.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host host
build_plugin residue
build_plugin give
build_plugin leaks -DWITH_HELPER "$plugins/helper.c"

# status_of COMMAND...: input is the variable $input.
input=
status_of() {
	printf '%s\n' "$input" | timeout 60 "$@" >"$tmp/output" 2>"$tmp/errors"
	echo $?
}

for number in 0 1 42 127 255; do
	is "the host's status $number" "$(status_of "$relib" run sh -c "exit $number")" $number
done
for number in 1 9 11 15; do
	is "a host killed by signal $number" "$(status_of "$relib" run sh -c "kill -$number \$\$")" $((128 + number))
done
input='exit 13'
is "the host's own status" "$(status_of "$relib" run "$tmp/host")" 13

input="cycle 1 $tmp/residue.so leak_blocks 4"
is 'residue alone does not change the status' "$(status_of "$relib" run "$tmp/host")" 0
is 'the host prints what it prints' "$(cat "$tmp/output")" ok
ok 'the summary is on standard error' grep -q residue.so "$tmp/errors"
is '--error-exitcode with residue' "$(status_of "$relib" run --error-exitcode 99 "$tmp/host")" 99
input="cycle 1 $tmp/give.so give_nothing 4"
is '--error-exitcode without residue' "$(status_of "$relib" run --error-exitcode 99 "$tmp/host")" 0
input="cycle 1 $tmp/residue.so leak_blocks 4"
is '--error-exitcode, residue of a plugin that is not tracked' \
	"$(status_of "$relib" run --error-exitcode 99 --track 'nothing*' "$tmp/host")" 0
is '--error-exitcode, residue of a plugin that is tracked' \
	"$(status_of "$relib" run --error-exitcode 99 --track 'residue*' "$tmp/host")" 99

input=
is 'the built-in host' "$(status_of "$relib" run --cycles 3 -- "$tmp/leaks.so")" 0
report && holds <<-END
	the built-in host loads three times: len(generations("leaks.so")) == 3
	the built-in host's plugin leaks three times: total("leak_malloc", "leaked") == (9, 909)
	END
is 'the built-in host with --error-exitcode' \
	"$(status_of "$relib" run --error-exitcode 98 -- "$tmp/leaks.so")" 98
is 'the built-in host with another entry' \
	"$(status_of "$relib" run --entry plugin_main --error-exitcode 98 -- "$tmp/leaks.so")" 98

is 'JSON goes to a file' "$(status_of "$relib" run --format=json -o "$tmp/report.json" -- "$tmp/leaks.so")" 0
holds <<-END
	the file is the report: totals["leaked"] == totals["reclaimed"] and total("leak_malloc", "leaked") == (3, 303)
	END

done_testing
