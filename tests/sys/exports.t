#!/bin/sh
# librelib.so exports every interposed function without a version and nothing else, needs libc only, and stays loaded.
. "$(dirname "$0")/lib.sh"

[ -f "$shim" ] || skip_all 'the shim is not built'

# the one list of them, and those that are not resolved from it
sed -n 's/^\tX(.*, "\([A-Za-z0-9_]*\)".*/\1/p' "$top_srcdir/shim/next.h" >"$tmp/names"
cat >>"$tmp/names" <<-END
	fopencookie
	io_uring_queue_init
	io_uring_queue_init_params
	io_uring_queue_exit
	END
ok 'the list is long' test "$(wc -l <"$tmp/names")" -gt 200

nm -D --defined-only "$shim" | awk '{ print $NF }' | sort >"$tmp/exported"
sort "$tmp/names" >"$tmp/wanted"
is 'every interposed function is exported' "$(comm -13 "$tmp/exported" "$tmp/wanted" | tr '\n' ' ')" ''
is 'nothing else is exported' "$(comm -23 "$tmp/exported" "$tmp/wanted" | grep -v '^relib_' | tr '\n' ' ')" ''
is 'no export has a version, which would keep it from interposing' "$(grep -c @ "$tmp/exported")" 0

readelf -dW "$shim" >"$tmp/dynamic"
is 'it needs libc only' \
	"$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$tmp/dynamic" | grep -v -e '^libc\.so' -e '^ld-linux' | tr '\n' ' ')" ''
ok 'it is never unloaded' grep -q 'FLAGS_1.*NODELETE' "$tmp/dynamic"
is 'it has no text relocations' "$(grep -c TEXTREL "$tmp/dynamic")" 0
is 'its stack is not executable' "$(readelf -lW "$shim" | awk '/GNU_STACK/ { print $7 }')" RW

done_testing
