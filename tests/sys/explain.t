#!/bin/sh
# The names in a message come from a program of relib's own that the host sees nothing of; without it there are addresses.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host latecaller
build_plugin ticker
named='called on_tick in ticker.so'

with_shim "$tmp/latecaller" watched "$tmp/ticker.so" >"$tmp/output" 2>"$tmp/said"
verdicts watched <"$tmp/output"
ok 'the function is named' grep -q "$named" "$tmp/said"

env -i RELIB_DIR="$RELIB_DIR" LD_PRELOAD="$shim" "$tmp/latecaller" watched "$tmp/ticker.so" \
	>"$tmp/output" 2>"$tmp/said"
ok 'without any environment as well' grep -q "$named" "$tmp/said"

(
	exec <&- >"$tmp/output"
	with_shim "$tmp/latecaller" watched "$tmp/ticker.so" 2>"$tmp/said"
)
ok 'with standard input closed as well' grep -q "$named" "$tmp/said"

mkdir "$tmp/a folder"
cp "$tmp/ticker.so" "$tmp/a folder/a ticker.so"
with_shim "$tmp/latecaller" watched "$tmp/a folder/a ticker.so" >"$tmp/output" 2>"$tmp/said"
ok 'with blanks in the path as well' grep -q 'called on_tick in a ticker.so' "$tmp/said"

# a copy of the library, with nothing beside it
mkdir "$tmp/alone"
cp "$shim" "$tmp/alone/librelib.so"
if strings "$shim" 2>/dev/null | grep '/relib-names$' | xargs ls >/dev/null 2>&1; then
	skip 'without the program there are addresses' 'relib is installed here'
else
	env LD_PRELOAD="$tmp/alone/librelib.so" "$tmp/latecaller" watched "$tmp/ticker.so" \
		>"$tmp/output" 2>"$tmp/said"
	verdicts 'without the program' <"$tmp/output"
	ok 'without the program there are addresses' \
		grep -q 'called ticker.so+0x[0-9a-f]*, generation 1' "$tmp/said"
fi

# a program that does not answer
mkdir -p "$tmp/stuck/lib" "$tmp/stuck/libexec/relib"
cp "$shim" "$tmp/stuck/lib/librelib.so"
printf '#!/bin/sh\nexec sleep 100\n' >"$tmp/stuck/libexec/relib/relib-names"
chmod +x "$tmp/stuck/libexec/relib/relib-names"
before=$(date +%s)
env LD_PRELOAD="$tmp/stuck/lib/librelib.so" "$tmp/latecaller" watched "$tmp/ticker.so" \
	>"$tmp/output" 2>"$tmp/said"
ok 'a program that does not answer is given up after five seconds' \
	test $(($(date +%s) - before)) -lt 20
verdicts 'with a program that does not answer' <"$tmp/output"
ok 'and there are addresses' grep -q 'called ticker.so+0x[0-9a-f]*, generation 1' "$tmp/said"

done_testing
