#!/bin/sh
# Under a debugger, where nobody else can ptrace, leaks are freed all the same.
. "$(dirname "$0")/lib.sh"

need gdb
build_host host
build_plugin residue
printf 'cycle 3 %s leak_blocks 5\n' "$tmp/residue.so" >"$tmp/input"

# under_gdb OPTION...
under_gdb() {
	timeout 120 gdb -nx -batch -iex 'set debuginfod enabled off' \
		-ex 'set startup-with-shell on' -ex 'set disable-randomization off' "$@" \
		-ex "run <'$tmp/input' >'$tmp/output'" -ex 'info inferiors' "$tmp/host" \
		>"$tmp/gdb" 2>&1 </dev/null
}

: >"$tmp/output"
under_gdb
[ "$(cat "$tmp/output")" = ok ] || skip_all "gdb cannot run a program here: $(tail -n 1 "$tmp/gdb")"
if [ -n "$RELIB_TEST_PLAIN" ]; then
	pass 'gdb runs the host'
	done_testing
fi
: >"$tmp/output"
under_gdb -ex "set exec-wrapper env LD_PRELOAD=$shim"
is 'the plugin is loaded and gone three times' "$(cat "$tmp/output")" ok
ok 'the host ends well' grep -q 'exited normally' "$tmp/gdb"
diag "$(tail -n 5 "$tmp/gdb")"
report && holds <<-END
	the world is stopped by signals: stops("residue.so") == ["signal"] * 3
	leaks are exact and freed: totals["leaked"] == (15, 1500) and totals["reclaimed"] == (15, 1500)
	END

done_testing
