#!/bin/sh
# Every thread a module creates is counted with its place, and as ended when its last destructor ran, however it ends.
. "$(dirname "$0")/lib.sh"

need addr2line
[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host host
build_host records -I"$top_srcdir"
build_plugin begetter
build_plugin begetterxx

records() { "$tmp/records" "$RELIB_DIR/host.$1/session" >"$tmp/records.out"; }

# threads FUNCTION: "STARTED ENDED" of all places in the function
threads() {
	awk '$1 == "place"' "$tmp/records.out" | while read -r _ file offset started ended; do
		[ "$(addr2line -fe "$file" "$offset" | head -n 1)" = "$1" ] && echo "$started $ended"
	done | awk '{ started += $1; ended += $2 } END { print started + 0, ended + 0 }'
}

# going: "STATE PLUGIN GENERATION NAME START-ROUTINE" of the threads that are not over
going() {
	awk '$1 == "thread"' "$tmp/records.out" | while read -r _ state _ file number name start; do
		echo "$state $(basename "$file") $number $name $(addr2line -fe "${start%:*}" "${start##*:}" | head -n 1)"
	done
}

host_start "$tmp/host"
told load p "$tmp/begetter.so"
told load x "$tmp/begetterxx.so"
for way in returning exiting cancelled detached c11 cloned; do
	tell call p "make_$way" 20
	is "$way: all twenty do what they do without the shim" "$answer" 'ok 20'
	records "$host_pid"
	is "$way: they are counted, and over" "$(threads "make_$way")" '20 20'
done
tell call x make_std 20
is 'std::thread: all twenty run' "$answer" 'ok 20'
records "$host_pid"
is 'std::thread: they are counted where the plugin creates them, and over' \
	"$(awk '$1 == "place" && $2 ~ /begetterxx/ { print $4, $5 }' "$tmp/records.out") $(threads make_std)" '20 20 20 20'
is 'no thread is left' "$(going)" ''

tell call p make_failing 5
is 'threads that cannot be created' "$answer" 'ok 5'
records "$host_pid"
is 'are not counted' "$(threads make_failing)" '0 0'
is 'and not left' "$(going)" ''

told call p make_by_jump 1
told call p join_jumped 1
records "$host_pid"
is 'a thread of a call that became a jump is known by its code' \
	"$(awk '$1 == "place" && $4 == 1 && $5 == 1' "$tmp/records.out" | wc -l)" 1

told call p hold 1
records "$host_pid"
is 'a thread in the last round of its key destructors is not over' "$(threads hold) $(going | cut -d' ' -f1,2,3,5)" \
	'1 0 2 begetter.so 1 holds'
told call p fork_one 7
child=${answer#ok }
records "$child"
is 'of the threads of its parent a forked child has none' "$(going)" ''
is 'those it creates itself are counted' "$(threads make_returning)" '27 27'
records "$host_pid"
is 'the parent goes on counting for itself' "$(threads make_returning)" '20 20'
told call p release 1
records "$host_pid"
is 'the thread is over when that destructor returned' "$(threads hold) $(going)" '1 1 '

told call p make_returning 2000
records "$host_pid"
before=$(grep -e ^records -e ^bytes "$tmp/records.out")
tell rss
rss=${answer#ok }
told call p make_returning 20000
records "$host_pid"
is 'twenty thousand threads are counted' "$(threads make_returning)" '22020 22020'
is 'and the session has not grown' "$(grep -e ^records -e ^bytes "$tmp/records.out")" "$before"
tell rss
ok 'nor has the process' [ $((${answer#ok } - rss)) -lt 400000 ]

tell call p make_many 1500
many=${answer#ok }
records "$host_pid"
is 'of many at once all are counted, and over' "$(threads make_many)" "$many $many"
ok 'there were more than a thousand' [ "$many" -gt 1000 ]

told call p make_vanishing 1
told call p hold 1
host_end
is 'the host ends well' "$status" 0
records "$(cd "$RELIB_DIR" && ls -d host.* | sed 's/host\.//' | grep -vx "$child")"
is 'one that ended by the system call alone is found out' "$(threads make_vanishing)" '1 1'
is 'a thread that is left at the end is named' "$(going)" '2 begetter.so 1 holder holds'

done_testing
