#!/bin/sh
# A kept block is used and freed by the host under valgrind without an error.
. "$(dirname "$0")/lib.sh"

: "${VALGRIND:=$(command -v valgrind)}"
[ -n "$VALGRIND" ] || skip_all 'there is no valgrind here'
build_host keeper
build_plugin give
build_plugin holder

# under_valgrind WHAT PRELOAD OPTION...: take, verify, free, take, drop, turn.
under_valgrind() {
	what=$1
	preload=$2
	shift 2
	for mode in global heap stack; do
		printf '%s\n' take verify free take drop turn |
			timeout 200 env ${preload:+"LD_PRELOAD=$preload"} "$VALGRIND" --error-exitcode=9 -q --trace-children=no "$@" \
				"$tmp/keeper" $mode "$tmp/give.so" "$tmp/holder.so" \
				>"$tmp/output" 2>"$tmp/errors"
		is "$what: the host ends well ($mode)" "$?" 0
		is "$what: every step is done ($mode)" "$(grep -cx ok "$tmp/output")" 6
		[ ! -s "$tmp/errors" ] || diag "$(head -n 40 "$tmp/errors")"
	done
}

under_valgrind 'without the shim' ''
if [ -z "$RELIB_TEST_PLAIN" ]; then
	# valgrind takes the allocator's place: the shim sees no block
	under_valgrind "valgrind's malloc" "$shim"
	# valgrind leaves the shim's malloc alone: the shim works as ever
	under_valgrind "the shim's malloc" "$shim" --soname-synonyms=somalloc=nouserintercepts
	report && holds <<-END
		the shim saw the plugin there: len(generations("give.so")) == 3
		a kept block was freed by relib in the end: totals["kept"] == (0, 0)
		END
fi

done_testing
