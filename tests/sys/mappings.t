#!/bin/sh
# What a plugin maps is counted to the byte; at its unload what nobody refers to is unmapped, and the rest is kept and looked at again.
. "$(dirname "$0")/lib.sh"

build_host mapperhost
build_plugin mapper

begin() { rm -rf "$RELIB_DIR"/*; host_start "$tmp/mapperhost"; told load "$tmp/mapper.so"; }
end() { host_end; is "$1: the host ends well" "$status" 0; }
gone() { [ -z "$RELIB_TEST_PLAIN" ] && asked "$1" 'ok no' "$2" || skip "$1" 'run without the shim'; }
unloads() { asked "$1: the plugin is unloaded" 'ok gone' unload; }

# only STATE BYTES KIND FUNCTION [NUMBER]: what the function left is so many bytes in that state.
only() {
	only_state=$1 only_bytes=$2 only_kind=$3
	shift 3
	begin
	told call "$@"
	unloads "$1"
	gone "$1: its mapping is gone" there
	report "$host_pid" && holds <<-END2
		$1: one is left and taken back: balance("$only_kind", "mapper.so", 1, "$1") == (1, 0, 1, 1, 0)
		$1: that is told: [state for state, text in leftovers("$only_kind", "mapper.so")] == ["$only_state"]
		$1: so many bytes: balance_bytes("$only_kind", "mapper.so")[2:4] == ($only_bytes, $only_bytes)
		END2
	end "$1"
}

only taken-back 12288 mapping leave_mmap 3
only taken-back 12288 mapping leave_mmap64 3
only taken-back 4096 mapping leave_file
only taken-back 8192 segment leave_segment 2
only taken-back 2457600 mapping grow
only taken-back 12288 mapping shrink
only taken-back 8192 mapping refused
only taken-back 28672 mapping in_parts 0
only taken-back 4096 mapping below
only taken-back 20480 mapping stack_like
only taken-back 1099511627776 mapping sparse
only taken-back 24576 mapping ring 3
only taken-back 4096 mapping fixed
only taken-back 2449408 mapping by_syscall

begin
told call give_back 2
told call in_parts 1
told call give_back_segment
unloads 'given back'
report "$host_pid" && holds <<-END
	all is given back: balance("mapping", "mapper.so") == (2, 2, 0, 0, 0)
	a segment too: balance("segment", "mapper.so") == (1, 1, 0, 0, 0)
	to the byte: balance_bytes("mapping", "mapper.so")[:3] == (49152, 49152, 0)
	nothing is left: leftovers(None, "mapper.so") == []
	END
end 'given back'

begin
told call over
told call move
unloads 'fixed'
report "$host_pid" && holds <<-END
	what is mapped over one of its own is a part of that: balance_bytes("mapping", "mapper.so") == (4*4096 + 2*4096 + 6*4096, 2*4096, 10*4096, 10*4096, 0)
	what is moved there is one no more: balance("mapping", "mapper.so") == (3, 1, 2, 2, 0)
	END
end fixed

begin
told call left_behind
unloads 'left behind'
gone 'where the pages went is unmapped' there
report "$host_pid" && holds <<-END
	pages that were moved away are two mappings: balance("mapping", "mapper.so") == (2, 1, 1, 1, 0)
	END
end 'left behind'

begin
told call unmapped_by_syscall
unloads 'by a system call'
report "$host_pid" && holds <<-END
	what a system call unmaps is given back: balance("mapping", "mapper.so") == (1, 1, 0, 0, 0)
	END
end 'by a system call'

# --- at addresses of others --------------------------------------------

begin
told reserve 5
told call commit
unloads 'reserved by the host'
asked 'reserved by the host: what the plugin put there stays' 'ok yes' there
report "$host_pid" && holds <<-END
	reserved by the host: it is the host's: balance("mapping", "mapper.so") == (0, 0, 0, 0, 0)
	END
end 'reserved by the host'

for moved in 0 1; do
	begin
	told call image_page $moved
	unloads "over its image $moved"
	[ -n "$RELIB_TEST_PLAIN" ] ||
		asked "over its image $moved: nothing can come there yet" 'ok yes' there
	report "$host_pid" && holds <<-END
		over its image $moved: nothing is left: balance("mapping", "mapper.so") == ($moved, $moved, 0, 0, 0)
		END
	end "over its image $moved"
done

begin
told call leave_file
told call leave_segment 1
told call leave_mmap 1
unloads texts
report "$host_pid" && holds <<-END
	the file is named: [t for s, t in leftovers("mapping", "mapper.so") if "mapperhost" in t] == ["$tmp/mapperhost at 0x1000"]
	the segment is named: [t.rstrip("0123456789") for s, t in leftovers("segment", "mapper.so")] == ["shared memory segment "]
	the other is anonymous: sorted(t for s, t in leftovers("mapping", "mapper.so"))[1] == "anonymous"
	END
end texts

begin
told file "$tmp/shared"
truncate -s 4096 "$tmp/shared"
told call leave_shared
unloads 'a shared file'
gone 'a shared file: it is unmapped' there
is 'a shared file: what was written stays in it' "$(head -c 5 "$tmp/shared")" stays
end 'a shared file'

# --- who refers to whom ------------------------------------------------

begin
told hold leave_mmap 5
unloads kept
asked 'kept: it is there' 'ok yes' there 4
report "$host_pid" && holds <<-END
	kept: it is told: leftovers("mapping", "mapper.so") == [("kept", "anonymous")]
	kept: the root is named: ["held" in l["root"]["text"] for l in generation("mapper.so", 1)["leftovers"]] == [True]
	END
told load "$tmp/mapper.so"
unloads 'kept again'
asked 'kept: it is there after another unload' 'ok yes' there 4
told drop
told load "$tmp/mapper.so"
unloads 'kept no more'
gone 'kept: it is unmapped once nobody holds it' there
report "$host_pid" && holds <<-END
	kept: that is told: leftovers("mapping", "mapper.so") == [("taken-back", "anonymous")]
	kept: the balance is even: balance("mapping", "mapper.so", 1) == (1, 0, 1, 1, 0)
	END
end kept

begin
told hold leave_mmap 5
unloads 'handed over'
told unmap 2
report "$host_pid" && holds <<-END
	handed over: a part is given back: balance_bytes("mapping", "mapper.so")[4] == 8192 and balance("mapping", "mapper.so")[4] == 0
	END
told unmap 5
report "$host_pid" && holds <<-END
	handed over: the host unmaps it later: balance("mapping", "mapper.so") == (1, 0, 1, 0, 1)
	handed over: that is told: leftovers("mapping", "mapper.so") == [("given-back", "anonymous")]
	handed over: to the byte: balance_bytes("mapping", "mapper.so")[4] == 20480
	END
end 'handed over'

begin
told hold leave_mmap 5
unloads 'mapped over'
told over 5
told load "$tmp/mapper.so"
told drop
unloads 'mapped over again'
asked "mapped over: the host's own stays" 'ok yes' there
report "$host_pid" && holds <<-END
	mapped over: the plugin's is given back: balance("mapping", "mapper.so") == (1, 0, 1, 0, 1)
	END
end 'mapped over'

begin
told hold leave_mmap 5
unloads resized
told resize 5 700
told drop
told load "$tmp/mapper.so"
unloads 'resized again'
report "$host_pid" && holds <<-END
	what the host resizes is its own: balance("mapping", "mapper.so") == (1, 0, 1, 0, 1)
	END
end resized

begin
told hold mapping_to_block 2
unloads 'a block'
report "$host_pid" && holds <<-END
	a block that only a kept mapping refers to is kept: of_generation("mapper.so", 1, "kept") == (1, 777)
	END
told drop
told load "$tmp/mapper.so"
unloads 'a block again'
report "$host_pid" && holds <<-END
	and freed with it: of_generation("mapper.so", 1, "reclaimed") == (1, 777)
	END
end 'a block'

begin
told call mapping_to_block 2
told call block_to_mapping 2
told call cycle
unloads 'nobody'
report "$host_pid" && holds <<-END
	what refers to each other only is leaked: of_generation("mapper.so", 1, "reclaimed") == (3, 777 + 333 + 555)
	mappings too: balance("mapping", "mapper.so") == (4, 0, 4, 4, 0)
	END
end nobody

begin
told hold ring 2
unloads 'a ring'
asked 'a ring: its second half is there' 'ok yes' there 3
report "$host_pid" && holds <<-END
	a ring: it is kept: balance("mapping", "mapper.so") == (1, 0, 1, 0, 0)
	END
told drop
told load "$tmp/mapper.so"
unloads 'a ring again'
gone 'a ring: it is unmapped once nobody holds it' there 3
end 'a ring'

for function in block_to_mapping cycle sparse; do
	begin
	told hold $function 3
	unloads $function
	report "$host_pid" && holds <<-END
		$function: all of it is kept: of_generation("mapper.so", 1, "leaked") == (0, 0) and of_generation("mapper.so", 1, "kept")[0] == 1
		$function: no mapping is taken back: balance("mapping", "mapper.so")[3] == 0
		END
	told drop
	told load "$tmp/mapper.so"
	unloads "$function again"
	report "$host_pid" && holds <<-END
		$function: and none when it is dropped: balance("mapping", "mapper.so")[2] == balance("mapping", "mapper.so")[3]
		$function: nor a block: of_generation("mapper.so", 1, "reclaimed")[0] == 1
		END
	end $function
done

report_time=$(json 'generation("mapper.so", 1)["stop"]["looked_bytes"]' 2>/dev/null || echo 0)
[ -n "$RELIB_TEST_PLAIN" ] ||
	ok 'a tebibyte that is kept is not read' test "$report_time" -lt 100000000

# --- what the kernel refers to -----------------------------------------

begin
told hold leave_mmap 64
told stack 64
unloads 'a stack'
asked 'a stack: it is there while its thread runs' 'ok yes' there
report "$host_pid" && holds <<-END
	a stack: it is told: [(l["state"], l["root"]["kind"]) for l in generation("mapper.so", 1)["leftovers"]] == [("kept", "stack")]
	END
told join
told load "$tmp/mapper.so"
unloads 'a stack again'
gone 'a stack: it is unmapped after its end' there
end 'a stack'

begin
told hold leave_mmap 16
told signals 16
unloads 'a signal stack'
asked 'a signal stack: it is there while its thread runs' 'ok yes' there
report "$host_pid" && holds <<-END
	a signal stack: why is told: [(l["state"], l["root"]["kind"], l["why"]) for l in generation("mapper.so", 1)["leftovers"] if l["kind"] == "mapping"] == [("kept", "thread", "it is a signal stack")]
	END
told join
told load "$tmp/mapper.so"
unloads 'a signal stack again'
gone 'a signal stack: it is unmapped after its end' there
end 'a signal stack'

begin
told hold allocate 16
told signals 16
unloads 'an allocated signal stack'
report "$host_pid" && holds <<-END
	an allocated signal stack is kept: of_generation("mapper.so", 1, "kept") == (1, 65536)
	END
told join
told load "$tmp/mapper.so"
unloads 'an allocated signal stack again'
report "$host_pid" && holds <<-END
	and freed after its thread's end: of_generation("mapper.so", 1, "reclaimed") == (1, 65536)
	END
end 'an allocated signal stack'

begin
told call handler 10
unloads 'a handler'
asked 'code that handles a signal is there' 'ok yes' there
kill -USR1 "$host_pid"
asked 'and runs' 'ok yes' there
report "$host_pid" && holds <<-END
	why is told: [(l["state"], l["why"]) for l in generation("mapper.so", 1)["leftovers"]] == [("kept", "a signal is handled there")]
	END
end 'a handler'

# --- others ------------------------------------------------------------

begin
told call leave_mmap 2
gone 'in a forked child it is unmapped' fork
asked 'and not in the parent' 'ok yes' there
unloads fork
gone 'but by its own unload' there
end fork

RELIB_LEAKS=report
export RELIB_LEAKS
begin
told call leave_mmap 2
unloads 'leaks=report'
asked 'leaks=report: it stays' 'ok yes' there
report "$host_pid" && holds <<-END
	leaks=report: it is told: leftovers("mapping", "mapper.so") == [("left", "anonymous")]
	END
end 'leaks=report'
unset RELIB_LEAKS

done_testing
