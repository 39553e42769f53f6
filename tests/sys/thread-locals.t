#!/bin/sh
# Destructors of thread-locals do not pin a plugin: the unloading thread's run in order, those of other threads never after the unload.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host localshost -rdynamic
build_host records -I"$top_srcdir"

# language NAME PLUGIN [OTHER]
language() {
	rm -rf "$RELIB_DIR"/*
	name=$1
	shift
	with_shim "$tmp/localshost" "$@" >"$tmp/output" 2>"$tmp/errors"
	is "$name: the host ends well" "$?" 0
	sed "s/^\(ok\|bad\) /&$name: /" "$tmp/output" >"$tmp/verdicts"
	verdicts "$name" <"$tmp/verdicts"
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
	"$tmp/records" "$RELIB_DIR"/localshost.*/session | awk -v file="$1" \
		'$1 == "generation" && $2 == file { print $4, $5, $6 }' >"$tmp/generations"
}

build_plugin locals
cp "$tmp/locals.so" "$tmp/first.so"
build_plugin locals -DBASE=10
language C++ "$tmp/first.so" "$tmp/locals.so"
is 'C++: the record tells that all were unloaded' "$(awk '$1 != 2 && $1 != 3' "$tmp/generations")" ''
is 'C++: what the unload ran is counted' "$(sed -n 1p "$tmp/generations")" '2 4 0'
is 'C++: what it dropped is counted' "$(sed -n 2p "$tmp/generations")" '2 0 3'
report && holds <<-END
	C++: the memory of those that were run is no leak: of_generation("first.so", 1, "leaked") == (0, 0)
	C++: that of those that were dropped is, and is freed: (of_generation("first.so", 2, "leaked"), of_generation("first.so", 2, "reclaimed")) == ((3, 300), (3, 300))
	END
: "${RUSTC:=$(command -v rustc)}"
if [ -n "$RUSTC" ] && $RUSTC --version >/dev/null 2>&1; then
	build_plugin localsrs
	language Rust "$tmp/localsrs.so"
	is 'Rust: the record tells that all were unloaded' "$(awk '$1 != 2 && $1 != 3' "$tmp/generations")" ''
else
	skip Rust 'there is no rustc here'
fi

done_testing
