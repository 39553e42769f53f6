# Shell library of the system tests: TAP, a private folder, the built programs,
# hosts that are told what to do, and questions to the report.
#
#	. "$(dirname "$0")/lib.sh"
#	build_plugin leaks
#	with_shim "$tmp/host" <<-END
#		load p $tmp/leaks.so
#		END
#	report && holds <<-END
#		the plugin is named: generations("leaks.so")
#		END
#	done_testing
#
# Each test runs alone as well: tests/sys/NAME.t, from the build's top folder
# when that is not the source's.  RELIB_TEST_PLAIN=1 leaves the shim away and
# skips what only the shim can show: so a broken host is told from a broken
# shim.

set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${top_srcdir:=$here/../..}"
: "${top_builddir:=$([ -e shim/.libs ] && echo . || echo "$top_srcdir")}"
top_srcdir=$(cd "$top_srcdir" && pwd)
top_builddir=$(cd "$top_builddir" && pwd)
: "${CC:=cc}" "${CXX:=c++}" "${RELIB_TEST_PLAIN:=}"
plugins=$top_srcdir/tests/plugins
shim=$top_builddir/shim/.libs/librelib.so
relib=$top_builddir/cli/relib

# Nothing of the caller's settings reaches a test.
unset RELIB_DIR RELIB_TRACK RELIB_THROUGH RELIB_FRAMES RELIB_LEAKS RELIB_THREADS RELIB_FDS
unset RELIB_NAMES RELIB_UNLOAD_TIMEOUT RELIB_UNLOAD_TIMEOUT_ACTION RELIB_GUARD RELIB_QUARANTINE
unset RELIB_RUN LD_PRELOAD LD_LIBRARY_PATH NO_COLOR
LC_ALL=C
tmp=$(mktemp -d "${TMPDIR:-/tmp}/relib-test.XXXXXX") || exit 99
tmp=$(cd "$tmp" && pwd -P)
RELIB_DIR=$tmp/sessions
export LC_ALL RELIB_DIR
mkdir "$RELIB_DIR"
trap 'test_leave' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

test_leave() {
	[ -z "${host_pid-}" ] || kill -9 "$host_pid" 2>/dev/null
	rm -rf "$tmp"
}

# --- TAP ---------------------------------------------------------------

test_count=0
test_failed=0

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

pass() {
	test_count=$((test_count + 1))
	echo "ok $test_count - $*"
}

fail() {
	test_count=$((test_count + 1))
	test_failed=$((test_failed + 1))
	echo "not ok $test_count - $*"
}

# skip DESCRIPTION REASON
skip() {
	test_count=$((test_count + 1))
	echo "ok $test_count - $1 # SKIP $2"
}

# ok DESCRIPTION COMMAND...: the command succeeds.
ok() {
	description=$1
	shift
	if "$@" >"$tmp/ok.out" 2>&1; then
		pass "$description"
	else
		fail "$description"
		diag "status $? of: $*"
		diag "$(tail -n 20 "$tmp/ok.out")"
	fi
}

# is DESCRIPTION GOT WANTED: the two texts are the same.
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "     got: $2"
		diag "expected: $3"
	fi
}

# same_file DESCRIPTION GOT WANTED: the two files are the same.
same_file() {
	if cmp -s "$2" "$3"; then
		pass "$1"
	else
		fail "$1"
		diag "$(diff "$3" "$2" | head -n 20)"
	fi
}

done_testing() {
	echo "1..$test_count"
	[ "$test_failed" -eq 0 ]
	exit
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

bail_out() {
	echo "Bail out! $*"
	exit 1
}

need() {
	for program; do
		command -v "$program" >/dev/null 2>&1 || skip_all "there is no $program here"
	done
}

need python3
if [ -z "$RELIB_TEST_PLAIN" ]; then
	[ -f "$shim" ] || bail_out "$shim is not built"
	[ -x "$relib" ] || bail_out "$relib is not built"
fi

# --- building ----------------------------------------------------------

# build_plugin NAME [FLAG...]: $tmp/NAME.so from tests/plugins/NAME.c, .cc or .rs
build_plugin() {
	build_name=$1
	shift
	if [ -f "$plugins/$build_name.c" ]; then
		$CC -O2 -g -fPIC -shared -pthread -D_GNU_SOURCE -Wall -Wextra -I"$plugins" \
			-o "$tmp/$build_name.so" "$plugins/$build_name.c" "$@"
	elif [ -f "$plugins/$build_name.cc" ]; then
		$CXX -O2 -g -fPIC -shared -pthread -D_GNU_SOURCE -Wall -Wextra -I"$plugins" \
			-o "$tmp/$build_name.so" "$plugins/$build_name.cc" "$@"
	else
		$RUSTC --edition 2021 --crate-type cdylib -O -g -C panic=abort \
			-o "$tmp/$build_name.so" "$plugins/$build_name.rs" "$@"
	fi >"$tmp/build.out" 2>&1 || bail_out "$build_name: $(tr '\n' ' ' <"$tmp/build.out")"
}

# build_host NAME [FLAG...]: $tmp/NAME from tests/plugins/NAME.c
build_host() {
	build_name=$1
	shift
	$CC -O2 -g -pthread -D_GNU_SOURCE -Wall -Wextra -I"$plugins" -o "$tmp/$build_name" \
		"$plugins/$build_name.c" -ldl "$@" \
		>"$tmp/build.out" 2>&1 || bail_out "$build_name: $(tr '\n' ' ' <"$tmp/build.out")"
}

# --- running -----------------------------------------------------------

# with_shim PROGRAM [ARG...]: the program with the shim preloaded.
with_shim() {
	if [ -n "$RELIB_TEST_PLAIN" ]; then
		"$@"
	else
		env LD_PRELOAD="$shim" "$@"
	fi
}

# host_start PROGRAM [ARG...]: starts a host under the shim that reads commands
# and answers each with one line; host_pid is its process.
host_start() {
	rm -f "$tmp/to-host" "$tmp/from-host"
	mkfifo "$tmp/to-host" "$tmp/from-host"
	if [ -n "$RELIB_TEST_PLAIN" ]; then
		"$@" <"$tmp/to-host" >"$tmp/from-host" &
	else
		LD_PRELOAD=$shim "$@" <"$tmp/to-host" >"$tmp/from-host" &
	fi
	host_pid=$!
	exec 8>"$tmp/to-host" 9<"$tmp/from-host"
}

# tell COMMAND: one command to the host; its answer is in $answer.
tell() {
	answer=
	printf '%s\n' "$*" >&8
	IFS= read -r answer <&9 || answer="no answer to: $*"
}

# told COMMAND: as tell, and a test fails unless the host answers "ok...".
told() {
	tell "$@"
	case $answer in
	ok*) ;;
	*) fail "the host does: $*"
	   diag "it answered: $answer" ;;
	esac
}

# asked DESCRIPTION ANSWER COMMAND: a test fails unless the host answers just so.
asked() {
	asked_what=$1
	asked_answer=$2
	shift 2
	tell "$@"
	is "$asked_what" "$answer" "$asked_answer"
}

# host_end: the host's input ends; its exit status is in $status, what else it
# printed in $tmp/host.rest.
host_end() {
	exec 8>&-
	cat <&9 >"$tmp/host.rest"
	exec 9<&-
	wait "$host_pid"
	status=$?
	host_pid=
}

# verdicts NAME < LINES: every line "ok WHAT" or "bad WHAT" of a host becomes a test.
verdicts() {
	verdicts_seen=0
	while read -r verdict text; do
		case $verdict in
		ok) pass "$text"; verdicts_seen=1 ;;
		bad) fail "$text" ;;
		*) diag "$verdict $text" ;;
		esac
	done
	[ "$verdicts_seen" = 1 ] || fail "$1 reports anything at all"
}

# --- the report --------------------------------------------------------

# report [SESSION | PID]: its JSON is asked for; holds and json read it.
report() {
	[ -z "$RELIB_TEST_PLAIN" ] || return 0
	if ! timeout 60 "$relib" leaks report --all --format=json "$@" \
			>"$tmp/report.json" 2>"$tmp/report.err"; then
		fail "relib leaks report${1:+ $1}"
		diag "$(cat "$tmp/report.err")"
		return 1
	fi
}

# json EXPRESSION: the value of a Python expression over the report.
json() { python3 "$here/report.py" value "$tmp/report.json" "$1"; }

# holds < "DESCRIPTION: EXPRESSION" LINES: each is a test; report.py says what
# the expressions can use.
holds() {
	if [ -n "$RELIB_TEST_PLAIN" ]; then
		while IFS= read -r line; do
			[ -z "$line" ] || skip "${line%%: *}" "run without the shim"
		done
		return
	fi
	python3 "$here/report.py" holds "$tmp/report.json" >"$tmp/holds.out"
	holds_status=$?
	while IFS= read -r line; do
		case $line in
		'ok '*) pass "${line#ok }" ;;
		'not ok '*) fail "${line#not ok }" ;;
		*) echo "$line" ;;
		esac
	done <"$tmp/holds.out"
	[ $holds_status -eq 0 ] || fail "the report can be read"
}

# danglings: what the only session says of pointers into unloaded images goes to
# $tmp/danglings, as show-danglings.c says.
danglings() {
	"$top_builddir/tests/sys/show-danglings" "$RELIB_DIR"/*/session >"$tmp/danglings" ||
		fail 'the session can be read'
}

# expected_leaks SOURCE...: the table of the lines marked LEAK in plugin
# sources, for leaks_exactly(); a line is marked by a comment
# "LEAK FUNCTION BLOCKS BYTES" (what one call leaks; BYTES may be "A|B").
expected_leaks() {
	for source; do
		sed -n "s,.*/\* LEAK \([^*]*\) \*/.*,\1,p;=" "$source" |
			awk -v file="$(basename "$source")" '
				/^[0-9]+$/ { if (mark != "") print mark, file, $0; mark = ""; next }
				{ mark = $0 }'
	done >"$tmp/expected"
}
