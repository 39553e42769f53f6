#!/bin/sh
# What a block's former owner left behind its end refers to nothing.
. "$(dirname "$0")/lib.sh"
build_plugin slack
cp "$tmp/slack.so" "$tmp/leaver.so"
build_host slack-host
ok 'a block is lent, and a smaller one stands in its place' \
	with_shim "$tmp/slack-host" "$tmp/slack.so" "$tmp/leaver.so"
report && holds <<-END
	the blocks are leaked: of_generation("leaver.so", 1, "leaked") == (10, 1000)
	none is kept: totals["kept"] == (0, 0)
	all are freed: totals["reclaimed"] == (10, 1000)
	END
done_testing
