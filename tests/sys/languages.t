#!/bin/sh
# Plugins in C++ and in Rust are unloaded, and their leaks are exact.
. "$(dirname "$0")/lib.sh"

build_host host

# language NAME SOURCE: the plugin tests/plugins/SOURCE, loaded five times.
language() {
	expected_leaks "$plugins/$2"
	printf 'cycle 5 %s leak_all 1\n' "$tmp/${2%.*}.so" >"$tmp/input"
	with_shim "$tmp/host" <"$tmp/input" >"$tmp/output"
	is "$1: the host ends well" "$?" 0
	is "$1: the plugin is loaded and gone five times" "$(cat "$tmp/output")" ok
	report && holds <<-END
		$1: leaks are exact, and nothing else is leaked: leaks_wrong("$tmp/expected", 5) == []
		$1: all of them are freed: totals["leaked"] == totals["reclaimed"] and totals["leaked"][0] > 0
		END
}

build_plugin leaksxx
language C++ leaksxx.cc
: "${RUSTC:=$(command -v rustc)}"
if [ -n "$RUSTC" ] && $RUSTC --version >/dev/null 2>&1; then
	build_plugin leaksrs
	language Rust leaksrs.rs
else
	skip Rust 'there is no rustc here'
fi

done_testing
