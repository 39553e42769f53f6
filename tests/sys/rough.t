#!/bin/sh
# Hosts that lock their memory, limit their addresses, have tiny stacks or fork without memory go on as without the shim.
. "$(dirname "$0")/lib.sh"

build_host rough
build_plugin threadlocal
mv "$tmp/threadlocal.so" "$tmp/plain.so"
for name in small:96 large:60000 living:96; do
	build_plugin threadlocal "-DTHREADLOCAL_SIZE=${name#*:}"
	mv "$tmp/threadlocal.so" "$tmp/${name%:*}.so"
done

for what in locked limited small forked threadlocal; do
	with_shim "$tmp/rough" $what "$tmp/plain.so" "$tmp/small.so" "$tmp/large.so" \
		"$tmp/living.so" >"$tmp/output" 2>"$tmp/errors"
	is "$what: the host ends well" "$?" 0
	verdicts "rough $what" <"$tmp/output"
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
done

done_testing
