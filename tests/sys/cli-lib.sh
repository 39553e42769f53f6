# SPDX-License-Identifier: MIT
# For TAP scripts:
#
#	. "${top_srcdir:-.}/tests/sys/lib.sh"
#	plan 2
#	check 'what is true' command argument...
#	run_status 3 'says what' command argument...; says err 'words'
#
# $work is a private folder that goes with the script; sessions are kept in it.

top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
builddir=$(cd "$top_builddir" && pwd)
relib=$builddir/cli/relib

work=$(mktemp -d "${TMPDIR:-/tmp}/relib-test-XXXXXX") || exit 99
trap 'chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM

unset LD_PRELOAD NO_COLOR RELIB_TRACK RELIB_THROUGH RELIB_FRAMES RELIB_LEAKS RELIB_RUN RELIB_SHIM
unset RELIB_THREADS RELIB_UNLOAD_TIMEOUT RELIB_UNLOAD_TIMEOUT_ACTION RELIB_GUARD RELIB_FDS RELIB_NAMES
unset RELIB_QUARANTINE
RELIB_DIR=$work/sessions
LC_ALL=C
export RELIB_DIR LC_ALL

test_number=0
test_failed=0

plan() { printf '1..%d\n' "$1"; }

skip_all() { printf '1..0 # SKIP %s\n' "$1"; exit 0; }

result()	# STATUS NAME
{
	test_number=$((test_number + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$test_number" "$2"
	else
		printf 'not ok %d - %s\n' "$test_number" "$2"
		test_failed=1
	fi
}

check()		# NAME COMMAND...
{
	check_name=$1
	shift
	"$@" >"$work/check.out" 2>&1
	check_status=$?
	result $check_status "$check_name"
	[ $check_status -eq 0 ] || sed 's/^/# /' "$work/check.out"
}

skip()		# NAME REASON
{
	test_number=$((test_number + 1))
	printf 'ok %d - %s # SKIP %s\n' "$test_number" "$1" "$2"
}

# Runs a command; its output is in $work/out and $work/err, its status in $status.
run()
{
	"$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}

# One test: the command fails with that status and that one line on standard error.
fails()		# STATUS LINE COMMAND...
{
	fails_status=$1 fails_line=$2
	shift 2
	run "$@"
	if [ "$status" -eq "$fails_status" ] && [ "$(cat "$work/err")" = "$fails_line" ]; then
		result 0 "$fails_line"
		return
	fi
	result 1 "$fails_line"
	printf '# status %s, wanted %s\n' "$status" "$fails_status"
	sed 's/^/# said: /' "$work/err"
}

# One test: the last run ended so and said so: ends STATUS NAME [out|err PATTERN]...
ends()
{
	ends_status=$1 ends_name=$2 ends_result=0
	shift 2
	[ "$status" -eq "$ends_status" ] || ends_result=1
	while [ $# -gt 1 ]; do
		grep -Eq -- "$2" "$work/$1" || { ends_result=1; printf '# no "%s" in %s\n' "$2" "$1"; }
		shift 2
	done
	result $ends_result "$ends_name"
	[ $ends_result -eq 0 ] && return
	printf '# status %s, wanted %s\n' "$status" "$ends_status"
	sed 's/^/# out: /' "$work/out"
	sed 's/^/# err: /' "$work/err"
}
