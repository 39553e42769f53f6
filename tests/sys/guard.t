#!/bin/sh
# The addresses of unloaded plugins are held back, no more of them than RELIB_GUARD says, and the oldest go first.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host guarded
build_plugin ticker

# guarded MODE...: what the host says
guarded() { with_shim "$tmp/guarded" "$@"; }

is 'unloaded addresses are closed and not used again' "$(guarded once "$tmp/ticker.so")" \
	'closed elsewhere'
is 'RELIB_GUARD=0: they are used again' "$(RELIB_GUARD=0 && export RELIB_GUARD &&
	guarded once "$tmp/ticker.so")" 'free again'
is 'relib run --guard=0 says the same' \
	"$("$relib" run --quiet --guard=0 "$tmp/guarded" once "$tmp/ticker.so")" 'free again'
is 'relib run --guard=1024 the other' \
	"$("$relib" run --quiet --guard=1024 "$tmp/guarded" once "$tmp/ticker.so")" 'closed elsewhere'
is 'in a child they are held back too' "$(guarded child "$tmp/ticker.so")" ok

set -- $(guarded many "$tmp/ticker.so" 3000)
ok '3,000 reloads: hardly more mappings' test "$1" -le 64
ok '3,000 reloads: no more addresses than RELIB_GUARD says' test "$2" -le 1100
set -- $(RELIB_GUARD=8 && export RELIB_GUARD && guarded many "$tmp/ticker.so" 3000)
ok 'RELIB_GUARD=8: 3,000 reloads: hardly more mappings' test "$1" -le 64
ok 'RELIB_GUARD=8: no more addresses than that' test "$2" -le 16

# 64 images of 1 MiB and a bit
build_plugin ticker -DPADDING=1048576
is 'all are held back' "$(guarded images "$tmp/ticker.so")" '64 1'
set -- $(RELIB_GUARD=10 && export RELIB_GUARD && guarded images "$tmp/ticker.so")
is 'RELIB_GUARD=10: nine images are held back' "$1" 9
is 'RELIB_GUARD=10: the last is' "$2" 1
# the tenth is mapped before the first is given back: the eleventh finds its addresses
is 'RELIB_GUARD=10: the first is given back first' "$(RELIB_GUARD=10 && export RELIB_GUARD &&
	guarded again "$tmp/ticker.so")" '10 0'
is 'RELIB_GUARD=1: none, they are larger' "$(RELIB_GUARD=1 && export RELIB_GUARD &&
	guarded images "$tmp/ticker.so")" '0 0'
set -- $(guarded limited "$tmp/ticker.so")
is 'without a limit: all of them' "$1" 64
ok 'before the host limits its address space, they are given back' test "$2" -le 32
set -- $(ulimit -v 600000 && guarded images "$tmp/ticker.so")
ok 'under a limit: a small part of what it leaves' test "$1" -ge 1 -a "$1" -le 36

done_testing
