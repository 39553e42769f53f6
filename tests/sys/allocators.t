#!/bin/sh
# Hosts with another allocator work under the shim: jemalloc and tcmalloc exactly, their own malloc untouched.
. "$(dirname "$0")/lib.sh"

build_host host
build_host ownmalloc
build_host anywhere
build_plugin residue
build_plugin blocks -DWITHOUT_PVALLOC
cp "$tmp/blocks.so" "$tmp/other.so"

# library NAME: where the loader finds it, or nothing.
library() {
	{ ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } |
		sed -n "s,^[[:space:]]*$1 .*x86-64.* => ,,p" | head -n 1
}

for name in libjemalloc.so.2 libtcmalloc_minimal.so.4; do
	path=$(library $name)
	if [ -z "$path" ]; then
		skip "$name" 'it is not installed'
		continue
	fi
	preload=$path
	[ -n "$RELIB_TEST_PLAIN" ] || preload="$shim $path"
	LD_PRELOAD=$preload "$tmp/host" >"$tmp/output" <<-END
		cycle 10 $tmp/residue.so leak_blocks 12
		END
	is "$name: the host ends well" "$?" 0
	is "$name: ten loads are done" "$(cat "$tmp/output")" ok
	report && holds <<-END
		$name: leaks are exact: totals["leaked"] == (120, 12000) and totals["reclaimed"] == (120, 12000)
		END
	for case in host module after resize resize-module many; do
		LD_PRELOAD=$preload "$tmp/anywhere" "$tmp/blocks.so" "$tmp/other.so" $case >"$tmp/output"
		is "$name: $case: the host ends well" "$?" 0
		sed "s/^\([a-z]*\) /\1 $name: /" "$tmp/output" >"$tmp/verdicts"
		verdicts "$case" <"$tmp/verdicts"
	done
done

with_shim "$tmp/ownmalloc" "$tmp/residue.so" >"$tmp/output" 2>"$tmp/errors"
is 'own malloc: the host ends well' "$?" 0
verdicts ownmalloc <"$tmp/output"
is 'own malloc: nothing is printed inside the host' "$(cat "$tmp/errors")" ''
if report; then
	holds <<-END
		own malloc: nothing is taken for the plugin's: totals["leaked"] == (0, 0) and totals["reclaimed"] == (0, 0)
		END
	[ -n "$RELIB_TEST_PLAIN" ] || ok 'own malloc: the report says that nothing was seen' \
		sh -c "'$relib' leaks report 2>&1 | grep -i 'malloc'"
fi

done_testing
