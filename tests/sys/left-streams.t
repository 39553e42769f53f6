#!/bin/sh
# A stream that a plugin left open is closed with fds=close as soon as nobody but the C library refers to it, and is no memory that is kept.
. "$(dirname "$0")/lib.sh"

build_host mapperhost
build_host flusher
build_plugin streamer
STREAMER_FILE=$tmp/written
export STREAMER_FILE

begin() {
	rm -rf "$RELIB_DIR"/* "$tmp/written"
	host_start "$tmp/mapperhost"
	told stream
	told load "$tmp/streamer.so"
}
end() { host_end; is "$1: the host ends well" "$status" 0; }
unloads() { asked "$1: the plugin is unloaded" 'ok gone' unload; }

RELIB_FDS=close
export RELIB_FDS

for function in leave_stream leave_wide; do
	begin
	told call $function
	told stream
	unloads $function
	is "$function: what was pending is written" "$(cat "$tmp/written")" pending
	report "$host_pid" && holds <<-END
		$function: it is closed: balance("stream", "streamer.so") == (1, 0, 1, 1, 0)
		$function: that is told: leftovers("stream", "streamer.so") == [("taken-back", "$tmp/written")]
		$function: its blocks are no residue: [of_generation("streamer.so", 1, k) for k in ("leaked", "kept", "runtime")] == 3 * [(0, 0)]
		$function: no descriptor is left: balance("descriptor", "streamer.so")[2] == 0
		END
	end $function
done

begin
told call leave_buffered
unloads buffered
is 'buffered: what was pending is written' "$(cat "$tmp/written")" pending
told load "$tmp/streamer.so"
unloads 'buffered again'
report "$host_pid" && holds <<-END
	buffered: its own buffer is freed at the next unload: of_generation("streamer.so", 1, "reclaimed") == (1, 2000)
	END
end buffered

begin
told hold leave_two
told stream
unloads two
is 'two: the one that is not held is closed' "$(cat "$tmp/written")" pending
report "$host_pid" && holds <<-END
	two: the other is kept: leftovers("stream", "streamer.so") in ([("taken-back", "$tmp/written"), ("kept", "/dev/null")], [("kept", "/dev/null"), ("taken-back", "$tmp/written")])
	two: who holds it is named: ["held" in l["root"]["text"] for l in generation("streamer.so", 1)["leftovers"] if l["state"] == "kept"] == [True]
	two: and it is kept as memory: of_generation("streamer.so", 1, "kept")[0] > 0
	END
told drop
told load "$tmp/streamer.so"
unloads 'two again'
report "$host_pid" && holds <<-END
	two: it is closed once nobody holds it: balance("stream", "streamer.so") == (2, 0, 2, 2, 0) and [s for s, t in leftovers("stream", "streamer.so")] == 2 * ["taken-back"]
	two: and no memory is kept: of_generation("streamer.so", 1, "kept") == (0, 0)
	END
end two

begin
told hold leave_stream
unloads 'handed over'
told close
is 'handed over: what was pending is written by the host' "$(cat "$tmp/written")" pending
report "$host_pid" && holds <<-END
	handed over: the host closes it later: balance("stream", "streamer.so") == (1, 0, 1, 0, 1)
	handed over: that is told: [s for s, t in leftovers("stream", "streamer.so")] == ["given-back"]
	END
end 'handed over'

begin
told call leave_in_block
unloads 'in a block'
is 'in a block that is leaked: what was pending is written' "$(cat "$tmp/written")" pending
report "$host_pid" && holds <<-END
	in a block that is leaked: both are gone: of_generation("streamer.so", 1, "reclaimed") == (1, 444) and balance("stream", "streamer.so")[3] == 1
	END
end 'in a block'

begin
told call leave_directory
unloads 'a directory'
report "$host_pid" && holds <<-END
	a directory is closed: balance("directory", "streamer.so") == (1, 0, 1, 1, 0)
	a directory is no residue: of_generation("streamer.so", 1, "leaked") == (0, 0)
	END
end 'a directory'

for policy in report close; do
	rm -rf "$RELIB_DIR"/* "$tmp/written"
	RELIB_FDS=$policy with_shim "$tmp/flusher" "$tmp/streamer.so" >"$tmp/output"
	is "flushing, fds=$policy: the host ends well" "$?" 0
	sed "s/^\(ok\|bad\) /&flushing, fds=$policy: /" "$tmp/output" >"$tmp/verdicts"
	verdicts flushing <"$tmp/verdicts"
	report && holds <<-END
		flushing, fds=$policy: what it left is told: [l[1] for l in leftovers("stream", "streamer.so")] == ["$tmp/written"]
		END
done

unset RELIB_FDS
begin
told call leave_stream
told stream
unloads 'fds=report'
report "$host_pid" && holds <<-END
	fds=report: it stays: leftovers("stream", "streamer.so") == [("left", "$tmp/written")]
	fds=report: the C library keeps its memory: of_generation("streamer.so", 1, "runtime")[0] > 0 and of_generation("streamer.so", 1, "leaked") == (0, 0)
	END
end 'fds=report'
is 'fds=report: what was pending is written at the end' "$(cat "$tmp/written")" pending

begin
told hold leave_stream
unloads 'fds=report, held'
report "$host_pid" && holds <<-END
	fds=report, held: it is kept: [(l["state"], "held" in l["root"]["text"]) for l in generation("streamer.so", 1)["leftovers"]] == [("kept", True)]
	END
told close
end 'fds=report, held'

done_testing
