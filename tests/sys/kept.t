#!/bin/sh
# A block that the host or another module holds is kept, whole and freeable, and freed once nothing holds it any more.
. "$(dirname "$0")/lib.sh"

build_host keeper
build_plugin give
build_plugin holder

# kept MODE KIND TEXT: the block held by MODE is reported with a root of that
# kind, the text of which has TEXT in it.
kept() {
	host_start "$tmp/keeper" "$1" "$tmp/give.so" "$tmp/holder.so"
	told take
	is "$1: the plugin is gone" "$answer" ok
	tell verify
	is "$1: the block is whole after the unload" "$answer" ok
	report "$host_pid" && holds <<-END
		$1: the block is kept: of_generation("give.so", 1, "kept") == (1, 4321)
		$1: nothing is freed: totals["leaked"] == (0, 0) and totals["reclaimed"] == (0, 0)
		$1: the report says what holds it: [k for k, text in roots("give.so")] == ["$2"] and "$3" in roots("give.so")[0][1]
		END
	tell free
	is "$1: the host frees it" "$answer" ok
	told take
	told drop
	told turn
	report "$host_pid" && holds <<-END
		$1: the first was freed by the host: of_generation("give.so", 1, "reclaimed") == (0, 0) and of_generation("give.so", 1, "kept") == (0, 0)
		$1: the second is freed at a later unload: of_generation("give.so", 2, "reclaimed") == (1, 4321) and of_generation("give.so", 2, "kept") == (0, 0)
		END
	host_end
	is "$1: the host ends well" "$status" 0
}

kept global global global_slot
kept heap heap ''
kept mapping mapping ''
kept local thread ''
kept module global holder
kept block block ''
kept interior global global_slot
kept stack stack ''
kept register register ''
kept specific thread ''

done_testing
