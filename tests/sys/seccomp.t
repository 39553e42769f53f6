#!/bin/sh
# Where ptrace is forbidden the world is stopped by signals, and leaks are freed and blocks kept all the same.
. "$(dirname "$0")/lib.sh"

build_host noptrace
build_host host
build_host keeper
build_plugin residue
build_plugin give
build_plugin holder
"$tmp/noptrace" true 2>"$tmp/errors" || skip_all "seccomp: $(cat "$tmp/errors")"

printf 'cycle 3 %s leak_blocks 5\n' "$tmp/residue.so" >"$tmp/input"
with_shim "$tmp/noptrace" "$tmp/host" <"$tmp/input" >"$tmp/output"
is 'the host ends well' "$?" 0
is 'the plugin is loaded and gone three times' "$(cat "$tmp/output")" ok
report && holds <<-END
	the world is stopped by signals: stops("residue.so") == ["signal"] * 3
	leaks are exact and freed: totals["leaked"] == (15, 1500) and totals["reclaimed"] == (15, 1500)
	END

for mode in global stack register specific; do
	host_start "$tmp/noptrace" "$tmp/keeper" $mode "$tmp/give.so" "$tmp/holder.so"
	told take
	tell verify
	is "$mode: the block is whole after the unload" "$answer" ok
	report "$host_pid" && holds <<-END
		$mode: the world is stopped by signals: stops("give.so") == ["signal"]
		$mode: the block is kept: totals["kept"] == (1, 4321)
		END
	tell free
	is "$mode: the host frees it" "$answer" ok
	host_end
	is "$mode: the host ends well" "$status" 0
done

done_testing
