#!/bin/sh
# A session can be read while the host runs and is complete after kill -9.
. "$(dirname "$0")/lib.sh"

build_host host
build_plugin residue
build_plugin give

host_start "$tmp/host"
told "load p $tmp/residue.so"
told "call p leak_blocks 20"
told "unload p"
told "load p $tmp/residue.so"
told "call p leak_blocks 7"
told "load q $tmp/give.so"
report "$host_pid" && holds <<-END
	while it runs the session is running: session["state"] == "running" and session["pid"] == $host_pid
	while it runs the first load is counted: of_generation("residue.so", 1, "leaked") == (20, 2000)
	while it runs live blocks are counted: of_module("residue.so", "live") == (7, 700)
	END

host_pid_was=$host_pid
kill -9 "$host_pid"
host_end
is 'the host was killed' "$status" 137
for which in '' "$host_pid_was"; do
	report $which && holds <<-END
		${which:+by pid: }the session was killed: session["state"] == "killed"
		${which:+by pid: }what was unloaded is there: of_generation("residue.so", 1, "reclaimed") == (20, 2000)
		${which:+by pid: }what was loaded is there: of_module("residue.so", "live") == (7, 700) and generation("residue.so", 2)["state"] == "loaded"
		${which:+by pid: }the second plugin is there: len(generations("give.so")) == 1
		END
done

done_testing
