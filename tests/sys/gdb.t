#!/bin/sh
# Under a debugger, where nobody else can ptrace, leaks are freed all the same.
. "$(dirname "$0")/lib.sh"

need gdb
build_host host
build_host keeper
build_plugin residue
build_plugin give
build_plugin holder
printf 'cycle 3 %s leak_blocks 5\n' "$tmp/residue.so" >"$tmp/input"

# under_gdb GDB-COMMAND PROGRAM [ARGS]: input and output are files in $tmp.
under_gdb() {
	: >"$tmp/output"
	timeout 120 gdb -nx -batch -iex 'set debuginfod enabled off' \
		-ex 'set startup-with-shell on' -ex 'set disable-randomization off' -ex "$1" \
		-ex "run ${3-} <'$tmp/input' >'$tmp/output'" "$2" \
		>"$tmp/gdb" 2>&1 </dev/null
}

under_gdb 'set confirm off' "$tmp/host"
[ "$(cat "$tmp/output")" = ok ] || skip_all "gdb cannot run a program here: $(tail -n 1 "$tmp/gdb")"
if [ -n "$RELIB_TEST_PLAIN" ]; then
	pass 'gdb runs the host'
	done_testing
fi
preload="set exec-wrapper env LD_PRELOAD=$shim"
under_gdb "$preload" "$tmp/host"
is 'the plugin is loaded and gone three times' "$(cat "$tmp/output")" ok
ok 'the host ends well' grep -q 'exited normally' "$tmp/gdb"
report && holds <<-END
	the world is stopped: set(stops("residue.so")) <= {"signal", "ptrace"}
	leaks are exact and freed: totals["leaked"] == (15, 1500) and totals["reclaimed"] == (15, 1500)
	END

# gdb stops a program at most signals: not at one that relib uses
printf '%s\n' take verify free >"$tmp/input"
for mode in global stack; do
	under_gdb "$preload" "$tmp/keeper" "$mode '$tmp/give.so' '$tmp/holder.so'"
	is "$mode: every step is done" "$(grep -cx ok "$tmp/output")" 3
	ok "$mode: the host ends well" grep -q 'exited normally' "$tmp/gdb"
	diag "$(tail -n 3 "$tmp/gdb")"
	report && holds <<-END
		$mode: the block was kept and freed by the host: totals["leaked"] == (0, 0) and of_module("give.so", "freed") == (1, 4321)
		END
done

# threads in a plugin are seen too
build_host waiter -rdynamic
build_plugin worker
cat >"$tmp/input" <<-END
	load p $tmp/worker.so
	call p start_returning 1
	close p
	release 1
	join 1
	mapped p
	load p $tmp/worker.so
	thread 2 p hold_double double
	close p
	release 2
	join 2
	END
under_gdb "$preload" "$tmp/waiter"
is 'dlclose waits for threads in a plugin, and it is gone when they are' "$(tr '\n' ' ' <"$tmp/output")" \
	'ok ok 1 ok 0 mapped ok 0 ok ok gone ok ok ok 0 mapped ok 0 ok 1 gone '
ok 'the host ends well' grep -q 'exited normally' "$tmp/gdb"

done_testing
