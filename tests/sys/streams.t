#!/bin/sh
# Streams and directory streams that a module opens are counted, told when they are left, closed when asked for, and never the host's.
. "$(dirname "$0")/lib.sh"

# with the C++ library, which would keep a plugin that brought it
build_host host -Wl,--no-as-needed -lstdc++
build_plugin streams
build_plugin streamsxx -fno-gnu-unique
cp "$tmp/streams.so" "$tmp/hostside.so"
cd "$tmp" || exit 99
RELIB_TRACK=streams.so:streamsxx.so
export RELIB_TRACK

# functions SOURCE: those that open by one function of the library each
functions() { sed -n 's/^PLUGIN long \(by_[a-z0-9_]*\)(.*/\1/p' "$plugins/$1"; }

kind_of() {
	case $1 in
	*dir*) echo directory ;;
	*) echo stream ;;
	esac
}

# host_begin: a host with a part that is not tracked, which opens and closes as the host does
host_begin() {
	host_start "$tmp/host"
	told load h "$tmp/hostside.so"
}

# left FUNCTION...: it leaves what it opened; $FUNCTION is that
left() {
	for function; do
		told call p "$function" 0
		eval "$function=\${answer#ok }"
	done
}

# --- one by one: each once left and once closed --------------------------

for plugin in streams.c streamsxx.cc; do
	name=${plugin%.*}
	host_begin
	told load p "$tmp/$name.so"
	for function in $(functions $plugin); do
		tell call p "$function" 0
		asked "$function opens and closes" 'ok 1' call p "$function" 1
	done
	asked "$name goes" 'ok gone' unload p
	host_end
	is "the host of $name ends well" "$status" 0
	report
	for function in $(functions $plugin); do
		echo "$function: one is left, one was given back: \
			balance('$(kind_of "$function")', '$name.so', 1, '$function')[:3] == (2, 1, 1)"
	done | tr -d '\t' >"$tmp/lines"
	holds <"$tmp/lines"
	holds <<-END
		$name: no descriptor is counted beside them: balance('descriptor', '$name.so')[2] == 0
		END
done

# --- handed over: the host uses and closes them after the module went -----

rm -rf "$RELIB_DIR"/*
host_begin
told load p "$tmp/streams.so"
left by_fopen by_tmpfile by_fopencookie of_file by_ended_command by_opendir with_static_buffer \
	with_static_memory
told call h open_stream
host_stream=${answer#ok }
told call p reopen_stderr 0
told call p reopen_nowhere 0
asked 'a module that left streams goes' 'ok gone' unload p
asked 'a cookie stream of a module that went takes what is written, and has nothing to read' \
	'ok 0' call h use_stream "$by_fopencookie"
told call h use_stream "$of_file"
for stream in $by_fopen $by_tmpfile $by_fopencookie $of_file; do
	asked 'the host closes it later' 'ok 1' call h close_stream "$stream"
done
asked 'the host ends the command later' 'ok 0' call h close_command "$by_ended_command"
asked 'the host closes its own stream' 'ok 1' call h close_stream "$host_stream"
host_end
is 'the host that was handed streams ends well' "$status" 0
is 'what it wrote is there' "$(cat left.txt)" "$(printf 'pending\nafter the plugin went')"
is "what waited in a module's buffer is there" "$(cat buffered.txt)" 'from the buffer'
report
holds <<-END
	a stream that the host closes was given back later: balance('stream', 'streams.so', 1, 'of_file') == (1, 0, 1, 0, 1)
	so was the cookie stream: balance('stream', 'streams.so', 1, 'by_fopencookie')[4] == 1
	so was the command: balance('stream', 'streams.so', 1, 'by_ended_command')[4] == 1
	a stream is told by its file: ('given-back', '$tmp/left.txt') in leftovers('stream', 'streams.so')
	a command is told by its text: ('given-back', 'true') in leftovers('stream', 'streams.so')
	a directory stream is told by its path: '/' in [text for state, text in leftovers('directory', 'streams.so')]
	reopening a stream of the host's acquires nothing: balance('stream', 'streams.so', 1, 'reopen_stderr')[0] == 0
	a stream that could not be reopened is closed: balance('stream', 'streams.so', 1, 'reopen_nowhere') == (1, 1, 0, 0, 0)
	the functions of the cookie stream are told: [d for d in generation('streams.so', 1)['dangling'] if d['kind'] == 'cookie']
	END

# --- fds=close -----------------------------------------------------------

rm -rf "$RELIB_DIR"/*
RELIB_FDS=close
export RELIB_FDS
descriptors() { ls "/proc/$host_pid/fd" | wc -l; }

host_begin
told call h make_pipe
pipe=${answer#ok }
told call h open_stream
host_stream=${answer#ok }
told call h descriptor_of "$host_stream"
descriptor=${answer#ok }
before=$(descriptors)
told load p "$tmp/streams.so"
left $(functions streams.c) of_file broken_pipe with_static_buffer with_static_memory
told call p over_descriptor "$descriptor"
told call p full_pipe "$pipe"
told unload p
is 'all descriptors but those of the command that runs and the full pipe are closed' \
	"$(($(descriptors) - before))" 2
asked "the host's descriptor under a module's stream is still open" 'ok 1' \
	call h close_stream "$host_stream"
told call h drain_pipe
host_end
is 'the host ends well, in spite of the broken pipe' "$status" 0
is 'the output of a stream that is closed is written' "$(cat left.txt)" pending
is "what waited over the host's descriptor as well" "$(cat host.txt)" pending
report
holds <<-END
	a stream is taken back: balance('stream', 'streams.so', 1, 'by_fopen') == (1, 0, 1, 1, 0)
	a directory stream is: balance('directory', 'streams.so', 1, 'by_opendir') == (1, 0, 1, 1, 0)
	a command that ended is: balance('stream', 'streams.so', 1, 'by_ended_command') == (1, 0, 1, 1, 0)
	a command that runs is not waited for: balance('stream', 'streams.so', 1, 'by_popen') == (1, 0, 1, 0, 0)
	writing is not waited for: balance('stream', 'streams.so', 1, 'full_pipe') == (1, 0, 1, 0, 0)
	it says why: sorted(l['why'] for l in generation('streams.so', 1)['leftovers'] if l['why']) == ['its command still runs', 'writing would block']
	END

done_testing
