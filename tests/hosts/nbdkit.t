#!/bin/sh
# nbdkit serves a disk through three filters to a program: all go at its end, and the memory plugin leaves a block of its constructor's.
. "$(dirname "$0")/lib.sh"
need nbdkit
nbdkit --dump-plugin memory >/dev/null 2>&1 || skip_all "nbdkit's memory plugin is not here"

same_host 'what a plugin says' nbdkit --dump-plugin memory
report && holds <<-END
	the plugin goes: [g["state"] for g in generations("nbdkit-memory-plugin.so")] == ["unloaded"]
	it leaves one block: totals["leaked"][0] == 1
	it is the plugin's: leavers() == ["nbdkit-memory-plugin.so"]
	of its constructor: [p for p in places("call_init", "nbdkit-memory-plugin.so") if amount(p["leaked"])[0] == 1]
	nothing is kept: totals["kept"] == (0, 0)
	END
rm -rf "$RELIB_DIR"/*
same_host 'a disk with three filters' nbdkit -U - --filter=cow --filter=delay --filter=log memory 1M \
	logfile=/dev/null --run 'echo served'
report && holds <<-END
	plugin and filters go: [[g["state"] for g in m["generations"]] for m in modules if "/nbdkit/" in m["path"]] == [["unloaded"]] * 4
	one block again: (leavers(), totals["leaked"][0]) == (["nbdkit-memory-plugin.so"], 1)
	nothing is kept: totals["kept"] == (0, 0)
	all of it is freed: totals["reclaimed"] == totals["leaked"]
	END
gone_or_explained
done_testing
