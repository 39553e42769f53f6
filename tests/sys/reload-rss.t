#!/bin/sh
# 10,000 reloads of a plugin that leaks 1 MiB each leave the host's memory where it was after the tenth.
. "$(dirname "$0")/lib.sh"

: "${RELIB_TEST_RELOADS:=10000}"
build_host host
build_plugin residue

# reloads BLOCKS TIMES: 1 MiB in so many blocks is leaked at each load.
reloads() {
	times=$2
	host_start "$tmp/host"
	tell "reload $times $tmp/residue.so leak_mebibyte $1"
	set -- "$1" $answer
	is "$1 blocks of $((1048576 / $1)) bytes: all reloads are done" "$2" ok
	diag "resident after the tenth: ${3-?} bytes, after the last: ${4-?}"
	if [ -n "$RELIB_TEST_PLAIN" ]; then
		skip 'memory is where it was' 'run without the shim'
	else
		ok "$1 blocks: memory is where it was, within 2 MiB" \
			test "${4-0}" -le $((${3-0} + 2097152))
	fi
	host_end
	report && holds <<-END
		$1 blocks: every one is counted: totals["leaked"] == ($1 * $times, 1048576 * $times)
		$1 blocks: every one is freed: totals["reclaimed"] == totals["leaked"]
		$1 blocks: every generation is counted: generations("residue.so")[-1]["number"] == $times
		END
}

if [ -n "$RELIB_TEST_PLAIN" ]; then
	RELIB_TEST_RELOADS=20
fi
reloads 1 "$RELIB_TEST_RELOADS"
reloads 16 "$RELIB_TEST_RELOADS"
# 16,384 blocks take their time: a tenth of the loads shows what all would
reloads 16384 $((RELIB_TEST_RELOADS / 10))

done_testing
