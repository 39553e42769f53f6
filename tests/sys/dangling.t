#!/bin/sh
# Every word outside that points into an unloaded image is recorded with both sides, once; and nothing else is.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'without the shim nothing is recorded'
build_host pointers
build_plugin pointed
build_plugin pointing
build_plugin cleanxx
build_plugin pointedneeds -L"$tmp" -l:pointed.so -Wl,-rpath,"$tmp"
mv "$tmp/pointedneeds.so" "$tmp/both.so"
# as large as pointed.so, so that it lands where that was
{ echo "#define MISSING"; cat "$plugins/pointedneeds.c"; } >"$tmp/failing.c"
$CC -O2 -g -fPIC -shared -I"$plugins" -o "$tmp/failed.so" "$tmp/failing.c" ||
	bail_out 'failed.so cannot be built'

# keeps PLACE [OTHER [PLUGIN]]: the host keeps pointers there; what was recorded is in $tmp/danglings.
keeps() {
	rm -rf "$RELIB_DIR"/*
	is "$1: the host ends well" "$(with_shim "$tmp/pointers" "$1" "$tmp/${3-pointed}.so" \
		"$tmp/pointing.so" ${2:+"$tmp/$2.so"})" ok
	danglings
}

# has DESCRIPTION KIND TARGET ROOT COUNT: there is such a record; ROOT is a pattern.
has() {
	ok "$1" awk -F '\t' -v kind="$2" -v target="$3" -v root="$4" -v count="$5" '
		$1 == kind && $3 ~ "^" target "$" && $4 ~ "^" root "$" && $5 == count { found = 1 }
		END { exit !found }' "$tmp/danglings"
}

# element N: the host's variable with that element, and where it is declared
element() {
	echo "global host: handlers[[]$1[]] [(]pointers.c:$(grep -n '^void \*handlers' \
		"$plugins/pointers.c" | cut -d: -f1)[)]"
}

records() { grep -vc ^generation "$tmp/danglings"; }

# counts MODULE#NUMBER: its generation's total.
counts() { awk -F '\t' -v of="$1" '$1 == "generation" && $2 == of { print $3 }' "$tmp/danglings"; }

none() {
	is "$1: nothing is recorded" "$(records)" 0
	is "$1: nothing is counted" "$(awk -F '\t' '$1 == "generation" { n += $3 } END { print n + 0 }' \
		"$tmp/danglings")" 0
}

keeps global
has 'global: handlers[0]' memory on_tick "$(element 0)" 1
has 'global: handlers[2]' memory on_tock "$(element 2)" 1
has 'global: handlers[3]' memory on_tick "$(element 3)" 1
is 'global: each word once' "$(records)" 3
is 'global: the generation counts them' "$(counts 'pointed.so#1')" 3

keeps heap
has 'heap: three words alike are one record' memory on_tick 'heap .*' 3
has 'heap: another target is another' memory on_tock 'heap .*' 1
is 'heap: no other' "$(records)" 2
is 'heap: the generation counts places' "$(counts 'pointed.so#1')" 2

keeps mapping
has 'mapping: a shared one' memory on_tick 'mapping .*' 1
is 'mapping: no other' "$(records)" 1

keeps local
has "local: a host's thread-local" memory on_tick 'thread .*' 1
is 'local: no other' "$(records)" 1

keeps variable
has "variable: another module's variable" memory on_tick 'global pointing.so: variable .pointing.c:[0-9]*.' 1
is 'variable: no other' "$(records)" 1

keeps tls
has "tls: another module's thread-local" memory on_tick 'thread .*' 1
is 'tls: no other' "$(records)" 1

keeps block
has "block: another module's block" memory on_tick \
	'block a block of pointing.so allocated at pointing_block .*' 1
is 'block: no other' "$(records)" 1

keeps libc
has "libc: the C library's own data" memory 'pointed_array.*' 'runtime .*' 1
is 'libc: no other' "$(records)" 1

keeps stack
has 'stack: two words in one thread are one record' memory on_tick 'stack .*' 2
is 'stack: no other' "$(records)" 1

keeps register
has 'register: r14' memory on_tick 'register register r14 .*' 1
is 'register: no other' "$(records)" 1

keeps many
is 'many: not more than 1,024 are recorded' "$(records)" 1024
is 'many: all are counted' "$(counts 'pointed.so#1')" 3000

keeps both both
has 'both: a pointer into the one' memory on_tick "$(element 0)" 1
has 'both: a pointer into the other' memory other_call "$(element 1)" 1
is 'both: each where it belongs' "$(counts 'pointed.so#1') $(counts 'both.so#1')" '3 1'

keeps clean
none 'clean: what is in dead stack only'
keeps unaligned
none 'unaligned'
keeps ended
none 'ended: what the stacks of ended threads hold'
keeps failed failed
none 'failed: what lies now where a module was that could not be loaded'

keeps work '' cleanxx
none 'work: a clean C++ plugin, 20 times'

done_testing
