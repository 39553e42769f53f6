# What the tests of real hosts share, on top of the system tests' library.
#
#	. "$(dirname "$0")/lib.sh"
#	need lua5.4
#	same_host 'a script' lua5.4 "$tmp/script.lua"
#	report && holds <<-END
#		nothing is leaked: totals["leaked"] == (0, 0)
#		END
#	done_testing

: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/sys/lib.sh"
here=$top_srcdir/tests/sys	# of report.py

# same_host NAME COMMAND...: the host says and ends the same with the shim as without.
same_host() {
	same_name=$1
	shift
	timeout 120 "$@" >"$tmp/plain.out" 2>"$tmp/plain.err" </dev/null
	same_status=$?
	with_shim timeout 120 "$@" >"$tmp/shim.out" 2>"$tmp/shim.err" </dev/null
	is "$same_name: the same status" $? $same_status
	same_file "$same_name: the same output" "$tmp/shim.out" "$tmp/plain.out"
	same_file "$same_name: the same errors" "$tmp/shim.err" "$tmp/plain.err"
}

# gone_or_explained: of the report that was asked for, each module that was closed is gone or has
# a reason, a true one as far as its file tells.
gone_or_explained() {
	holds <<-END
		each closed module is gone or has its reason: unexplained() == []
		what is said to be linked to stay is so: falsely_marked() == []
		what came with others and stays has its reason as well: left_behind() == []
		END
}
