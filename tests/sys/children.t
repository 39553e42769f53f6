#!/bin/sh
# Child processes that a plugin starts are counted, and told where it does not wait for them; none is touched.
. "$(dirname "$0")/lib.sh"

build_host host
build_plugin box
build_plugin parents -lutil
build_plugin parentsxx -std=gnu++17 -fno-gnu-unique
RELIB_TRACK='parents*'
export RELIB_TRACK

begin() {
	rm -rf "$RELIB_DIR"
	mkdir "$RELIB_DIR"
	host_start "$tmp/host"
	told load box "$tmp/box.so" global
}

finish() {
	host_end
	is "$1: the host ends well" "$status" 0
	report
}

# started PID: the last answer is the id of a child that runs.
started() {
	kill -0 "${answer#ok }" 2>/dev/null && pass "$1: it runs" || fail "$1: it runs"
}

begin
for function in start_fork start_vfork start_clone start_spawn start_spawnp start_forkpty; do
	told load p "$tmp/parents.so"
	told call p $function 0
	child=$answer
	# what it shows is its program's name once it runs that
	case $function in
	start_fork) ;;
	*) until [ "$(cat "/proc/${child#ok }/comm")" = cat ]; do :; done ;;
	esac
	asked "$function: the plugin goes" 'ok gone' unload p
	answer=$child
	started $function
done
told load p "$tmp/parents.so"
told call p leave_ended 7
told call p leave_ended -9
asked 'those that ended: the plugin goes' 'ok gone' unload p
finish 'one of each'
holds <<-END
	fork: leftovers("child", "parents.so", 1) == [("left", "runs: host")]
	vfork: leftovers("child", "parents.so", 2) == [("left", "runs: cat")]
	clone: leftovers("child", "parents.so", 3) == [("left", "runs: cat")]
	posix_spawn: leftovers("child", "parents.so", 4) == [("left", "runs: cat")]
	posix_spawnp: leftovers("child", "parents.so", 5) == [("left", "runs: cat")]
	forkpty: leftovers("child", "parents.so", 6) == [("left", "runs: cat")]
	zombies: sorted(leftovers("child", "parents.so", 7)) == [("left", "host ended by signal 9, not waited for"), ("left", "host ended with status 7, not waited for")]
	END
for function in start_fork start_vfork start_clone start_spawn start_spawnp start_forkpty; do
	holds <<-END
		$function: it is counted where it was called: balance("child", "parents.so", None, "$function") == (1, 0, 1, 0, 0)
		END
done

holds <<-END
	forkpty: its descriptor is the parent's: balance("descriptor", "parents.so", 6, "start_forkpty") == (1, 0, 1, 0, 0)
	END
for number in 2 3; do
	holds <<-END
		what the child of vfork or clone closes and opens is not the parent's: balance("descriptor", "parents.so", $number) == (2, 0, 2, 0, 0)
		END
done

begin
told load p "$tmp/parents.so"
asked 'children that are waited for' 'ok 500' call p start_and_wait 500
asked 'children that nobody need wait for' 'ok 1' call p start_ignored 20
asked 'a program that there is not' 'ok 1' call p start_failing 0
asked 'a command' 'ok 42' call p run_system 42
asked 'the plugin goes' 'ok gone' unload p
told load x "$tmp/parentsxx.so"
asked 'a command, in C++' 'ok 33' call x system_status 33
asked 'vfork while an exception is under way' 'ok 1' call x vfork_unwinding 0
asked 'children of threads' 'ok 4' call x fork_in_threads 4
asked 'the plugin goes' 'ok gone' unload x
finish 'nothing left'
holds <<-END
	vfork and fork: balance("child", "parents.so", None, "start_and_wait") == (500, 500, 0, 0, 0)
	ignored: balance("child", "parents.so", None, "start_ignored") == (20, 20, 0, 0, 0)
	nothing is left: leftovers("child", "parents.so") == []
	what failed is not counted: balance("child", "parents.so", None, "start_failing") == (0, 0, 0, 0, 0)
	C++: balance("child", "parentsxx.so") == (201, 201, 0, 0, 0)
	END

begin
told load p "$tmp/parents.so"
told call p leave_ended 0
told call p leave_ended 1
asked 'the plugin goes' 'ok gone' unload p
asked 'the host waits for them' 'ok 2' call box wait_all 0
told load p "$tmp/parents.so"
asked 'the plugin goes' 'ok gone' unload p
finish 'the host waits'
holds <<-END
	what the host waits for later: [s for s, t in leftovers("child", "parents.so", 1)] == ["given-back", "given-back"]
	and that is counted: balance("child", "parents.so", 1) == (2, 0, 2, 0, 2)
	END

# a plugin that is never unloaded
begin
told load p "$tmp/parents.so"
told call p start_and_wait 5
told call p leave_ended 3
finish 'never unloaded'
holds <<-END
	at the host's end those that were waited for are not held: balance("child", "parents.so") == (6, 5, 1, 0, 0)
	END

# a plugin that starts many leaves no trace of them but the counts
begin
told load p "$tmp/parents.so"
told call p start_and_wait 100
tell rss
before=${answer#ok }
told call p start_and_wait 4000
tell rss
ok 'many children take no memory' test $((${answer#ok } - before)) -lt 200000
asked 'the plugin goes' 'ok gone' unload p
finish 'many'
holds <<-END
	all are counted: balance("child", "parents.so") == (4100, 4100, 0, 0, 0)
	END

done_testing
