#!/bin/sh
# SPDX-License-Identifier: MIT
# Reports tell what modules left besides memory: by generation, by place, per reload, limited to kinds, quickly.
. "${top_srcdir:-.}/tests/sys/cli-lib.sh"
plan 17

maker=$builddir/tests/sys/make-session
mkdir -p "$RELIB_DIR/host.4321" "$RELIB_DIR/many" "$RELIB_DIR/objects"
"$maker" --resources "$RELIB_DIR/host.4321/session" /nonexistent/plugin.so 0x1000 0x2000
cd "$work" || exit 99

run "$relib" leaks report --all 4321
ends 0 'a generation has a balance' out '^  generation 1: left 1 block, 64 bytes$' \
	out '^    descriptors: +3 acquired, 1 given back, 2 left, +2 closed by relib$' \
	out '^    directory streams: +2 acquired, 2 given back$' \
	out '^    memory: +1 left \(64 bytes\), +1 freed by relib$'
run "$relib" leaks report 4321
ends 0 'and all of them have one' out '^  in all 3 generations:$' \
	out '^    descriptors: +9 acquired, 3 given back, 6 left, +6 closed by relib$'
ends 0 'what a reload adds' out '^  growth per reload: 1 mapping \(4,096 bytes\), '
ends 0 'what was left stands with its place' \
	out '^  left 6 descriptors \(2 in each of 3 generations\), closed by relib$' \
	out '^    descriptor 5: /tmp/log, 3 times, closed$' \
	out '^    at 0x7000: /dev/zero, 3 times, kept: host\+0x4010$' \
	out '^    mutex host\+0x4040, held by thread 99$'
ends 0 'all of it in the last line' \
	out 'kept 1 block, 1,000 bytes, 6 descriptors \(closed\), 3 mappings, 1 shared memory name, 3 timers \(deleted\), 3 other things left, 3 environment changes$'
run "$relib" leaks report --kind=names,descriptors 4321
ends 0 'kinds limit the text' out '^  generations 1-3: each unloaded$' \
	out 'unloaded: 6 descriptors \(closed\), 1 shared memory name left$'
check 'to just these' sh -c '! grep -Eq "mapping|memory:|mutex|note:|blocks" out'
run "$relib" leaks report --kind descriptors --error-exitcode 9 4321
ends 9 'a kind that was left sets the exit status'
run "$relib" leaks report --kind=handles,process --error-exitcode 9 4321
ends 0 'others do not, nor does the state of the process' out 'nothing left, 3 environment changes$'
run "$relib" leaks report --kind=streams --error-exitcode 9 4321
ends 0 'nor what was given back later' out '1 given back later'
if command -v python3 >/dev/null 2>&1; then
	"$relib" leaks report --format=json --kind=children 4321 >json
	check 'the JSON is limited as well' python3 - <<-'END'
		import json
		module = json.load(open("json"))["sessions"][0]["modules"][0]
		assert [[b["kind"] for b in g["balances"]] for g in module["generations"]] == \
			[[], ["child"], ["child"]]
		assert [r["kind"] for r in module["resources"]] == ["child"]
		assert [p["id"] for p in module["places"]] == [2]
		END
else
	skip 'the JSON is limited as well' 'no python3'
fi

mkdir "$RELIB_DIR/more"
"$maker" --resources --many 1 "$RELIB_DIR/more/session" /nonexistent/plugin.so 0x1000 0x2000
run "$relib" leaks diff host.4321 more
ends 0 'comparisons tell of things' out '^  left \+1 child process  \(from 0 child processes to 1\)$' \
	out '^plugin.so: growth per reload from 0 to 0.3333 descriptors$' out '; left \+1 descriptor, '
run "$relib" leaks diff --error-exitcode=9 host.4321 more
ends 9 'more of them sets the exit status'
run "$relib" leaks diff --error-exitcode=9 more host.4321
ends 0 'less does not'

"$maker" --resources --many 10000 "$RELIB_DIR/many/session" /nonexistent/plugin.so 0x1000 0x2000
cat >limit <<'S'
#!/bin/sh
ulimit -t 60
exec "$@"
S
chmod +x limit
run ./limit "$relib" leaks report many
ends 0 'ten thousand generations with thirty kinds are told' out '^  generations 4-10003: each left no memory$' \
	out '^  left 10,000 streams \(1 in each of 10,000 generations\), not closed$' \
	out '^    and 9,996 more$'
check 'in few lines' test "$(wc -l <out)" -lt 400
name='without much memory or time'
if (ulimit -v 2000000 && "$relib" --version) >version 2>&1; then
	check "$name" sh -c 'ulimit -v 2000000; ulimit -t 20; '"'$relib'"' leaks report many >limited && cmp -s out limited'
else
	skip "$name" 'a sanitized relib needs more addresses'
fi
exit $test_failed
