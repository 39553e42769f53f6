#!/bin/sh
# Keys of thread-specific data go with their plugin: destructors run for the unloading thread, never later, and no number is lost.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
: "${RELIB_TEST_LOADS:=10000}"
build_host keyshost -rdynamic
build_host records -I"$top_srcdir"
build_plugin keyed

# keys NAME CYCLES KEYS: with so many keys of the host's before
keys() {
	rm -rf "$RELIB_DIR"/*
	with_shim "$tmp/keyshost" "$tmp/keyed.so" "$2" "$3" >"$tmp/output" 2>"$tmp/errors"
	is "$1: the host ends well" "$?" 0
	sed "s/^\(ok\|bad\) /&$1: /" "$tmp/output" >"$tmp/verdicts"
	verdicts "$1" <"$tmp/verdicts"
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
	"$tmp/records" "$RELIB_DIR"/keyshost.*/session |
		awk '$1 == "generation" { print $7, $8 }' >"$tmp/generations"
	is "$1: keys deleted and values run are counted" "$(head -n 6 "$tmp/generations" | tr '\n' ' ')" \
		'4 3 4 5 4 6 4 0 4 0 0 0 '
	report && holds <<-END
		$1: what only another thread's value referred to is leaked: total("keys_hold", "leaked") == (1, 1000)
		$1: and freed: total("keys_hold", "reclaimed") == (1, 1000)
		$1: as is a value whose destructor was dropped: total("keys_set", "leaked")[0] >= 2 and total("keys_set", "leaked") == total("keys_set", "reclaimed")
		$1: no value is kept: total("keys_set", "kept") == (0, 0)
		END
}

keys 'few keys' "$RELIB_TEST_LOADS" 0
keys 'many keys' 100 50

done_testing
