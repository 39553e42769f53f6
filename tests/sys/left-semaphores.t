#!/bin/sh
# A semaphore's handle that a plugin left open is closed with fds=close as soon as nobody refers to its page, or when the host has it open too.
. "$(dirname "$0")/lib.sh"

build_host mapperhost
build_plugin semaphores
SEMAPHORE_NAME=/relib-test-left.$$
export SEMAPHORE_NAME
forget() { rm -f "/dev/shm/sem.${SEMAPHORE_NAME#/}" "/dev/shm/sem.${SEMAPHORE_NAME#/}.more"; }
trap 'forget; test_leave' EXIT
plugin=$tmp/semaphores.so

begin() {
	forget
	rm -rf "$RELIB_DIR"/*
	host_start "$tmp/mapperhost"
	told load "$plugin"
}
end() { host_end; is "$1: the host ends well" "$status" 0; }
unloads() { asked "$1: the plugin is unloaded" 'ok gone' unload; }
again() { told load "$plugin"; unloads "$1 again"; }
mapped() { asked "$1: its page is ${3-mapped}" "ok $2" there 0; }
unmapped() { mapped "$1" no unmapped; }

RELIB_FDS=close
export RELIB_FDS

for function in leave_semaphore leave_two; do
	n=1
	[ $function = leave_semaphore ] || n=2
	begin
	told call $function
	mapped $function yes
	unloads $function
	unmapped $function
	report "$host_pid" && holds <<-END
		$function: all are closed: balance("semaphore", "semaphores.so") == ($n, 0, $n, $n, 0)
		$function: that is told: leftovers("semaphore", "semaphores.so") == $n * [("taken-back", "$SEMAPHORE_NAME")]
		$function: the C library's record is no residue: [of_generation("semaphores.so", 1, k) for k in ("leaked", "kept", "runtime")] == 3 * [(0, 0)]
		END
	again $function
	report "$host_pid" && holds <<-END
		$function: nor later: [of_generation("semaphores.so", 1, k) for k in ("leaked", "kept", "runtime")] == 3 * [(0, 0)]
		END
	end $function
done

begin
told call close_one_of_two
unloads 'one of two'
unmapped 'one of two'
report "$host_pid" && holds <<-END
	one of two: the other is closed: balance("semaphore", "semaphores.so") == (2, 1, 1, 1, 0)
	END
end 'one of two'

begin
told hold leave_two
unloads held
asked 'held: the host uses it' 'ok 2' post
again held
report "$host_pid" && holds <<-END
	held: both stay: leftovers("semaphore", "semaphores.so") == 2 * [("kept", "$SEMAPHORE_NAME")]
	held: who holds them is named: ["held" in l["root"]["text"] for l in generation("semaphores.so", 1)["leftovers"] if l["state"] == "kept"] == [True, True]
	END
told load "$plugin"
told call leave_semaphore
asked 'held: a later load has the same page' 'ok 4' post
told drop
unloads 'held no more'
unmapped 'held no more'
report "$host_pid" && holds <<-END
	held no more: all are closed: balance("semaphore", "semaphores.so") == (3, 0, 3, 3, 0)
	held no more: that is told: leftovers("semaphore", "semaphores.so") == 3 * [("taken-back", "$SEMAPHORE_NAME")]
	held no more: nothing of it is residue: [of_generation("semaphores.so", 1, k) for k in ("leaked", "kept", "runtime")] == 3 * [(0, 0)]
	END
end held

begin
told hold leave_semaphore
unloads 'handed over'
told give
unmapped 'handed over'
again 'handed over'
report "$host_pid" && holds <<-END
	handed over: the host closes it later: balance("semaphore", "semaphores.so") == (1, 0, 1, 0, 1)
	handed over: that is told: [s for s, t in leftovers("semaphore", "semaphores.so")] == ["given-back"]
	END
end 'handed over'

for other in "$SEMAPHORE_NAME" "$SEMAPHORE_NAME.more"; do
	begin
	told semaphore "$other"
	told call leave_semaphore
	unloads "the host has ${other##*.}"
	report "$host_pid" && holds <<-END
		the host has ${other##*.}: the plugin's is closed: balance("semaphore", "semaphores.so") == (1, 0, 1, 1, 0)
		the host has ${other##*.}: no memory is kept: of_generation("semaphores.so", 1, "kept") == (0, 0)
		END
	if [ "$other" = "$SEMAPHORE_NAME" ]; then
		mapped "the host's own" yes
		asked "the host's own: it goes on" 'ok 2' post
		told give
	fi
	unmapped "the host has ${other##*.}"
	end "the host has ${other##*.}"
done

begin
told call leave_in_block
unloads 'in a block'
unmapped 'in a block'
report "$host_pid" && holds <<-END
	in a block that is leaked: both are gone: of_generation("semaphores.so", 1, "reclaimed") == (1, 444) and balance("semaphore", "semaphores.so")[3] == 1
	END
end 'in a block'

begin
told hold hand_over_block
unloads 'in a kept block'
report "$host_pid" && holds <<-END
	in a kept block: it is kept: leftovers("semaphore", "semaphores.so") == [("kept", "$SEMAPHORE_NAME")]
	in a kept block: with the block that refers to it: ["hand_over_block" in l["root"]["text"] for l in generation("semaphores.so", 1)["leftovers"] if l["root"]] == [True]
	END
told drop
again 'in a kept block'
report "$host_pid" && holds <<-END
	in a kept block: and closed with it: balance("semaphore", "semaphores.so") == (1, 0, 1, 1, 0)
	END
end 'in a kept block'

unset RELIB_FDS
begin
told call leave_semaphore
unloads 'fds=report'
mapped 'fds=report' yes
report "$host_pid" && holds <<-END
	fds=report: it stays: leftovers("semaphore", "semaphores.so") == [("left", "$SEMAPHORE_NAME")]
	END
end 'fds=report'

begin
told hold leave_semaphore
unloads 'fds=report, held'
report "$host_pid" && holds <<-END
	fds=report, held: it is kept: [(l["state"], "held" in l["root"]["text"]) for l in generation("semaphores.so", 1)["leftovers"] if l["root"]] == [("kept", True)]
	END
end 'fds=report, held'

done_testing
