#!/bin/sh
# Whoever frees or resizes a block, from wherever and whenever, of whatever size and alignment: it is right.
. "$(dirname "$0")/lib.sh"

build_host anywhere
build_plugin blocks
cp "$tmp/blocks.so" "$tmp/other.so"

for case in host module thread host-block after resize resize-module resize-steps usable \
		alignment natural zero huge many errors; do
	with_shim "$tmp/anywhere" "$tmp/blocks.so" "$tmp/other.so" $case >"$tmp/output" 2>"$tmp/errors"
	is "$case: the host ends well" "$?" 0
	verdicts "$case" <"$tmp/output"
	[ ! -s "$tmp/errors" ] || diag "$(cat "$tmp/errors")"
	case $case in
	host-block | huge | natural | errors | zero) continue ;;
	resize)
		report && holds <<-END
			$case: what the host resized is not the module's any more: totals["leaked"] == (0, 0) and totals["kept"] == (0, 0)
			END
		continue ;;
	esac
	report && holds <<-END
		$case: nothing is leaked: totals["leaked"] == (0, 0)
		$case: all is freed: of_module("blocks.so", "live") == (0, 0)
		$case: there was something: of_module("blocks.so", "allocated")[0] > 0
		END
done

done_testing
