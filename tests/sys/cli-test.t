#!/bin/sh
# SPDX-License-Identifier: MIT
# relib test passes a good plugin and fails a bad one, with one line for each cause.
. "$(dirname "$0")/lib.sh"
[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'this is about the command line'

build_plugin tested
for define in CRASHING_CONSTRUCTOR CRASHING_DESTRUCTOR HANGING_DESTRUCTOR LACKING; do
	mv "$tmp/tested.so" "$tmp/kept"
	build_plugin tested -D$define
	mv "$tmp/tested.so" "$tmp/$define.so"
	mv "$tmp/kept" "$tmp/tested.so"
done
cp "$tmp/tested.so" "$tmp/good.so"
build_plugin unique
mv "$tmp/tested.so" "$tmp/kept"
build_plugin tested -Wl,-z,nodelete
mv "$tmp/tested.so" "$tmp/nodelete.so"
mv "$tmp/kept" "$tmp/tested.so"

cat >"$tmp/host.c" <<'C'
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
void *slot; /* the plugin's for as long as it likes */
int main(int argc, char **argv)
{
	int cycles = atoi(argv[1]), late = strcmp(argv[2], "late") == 0;
	for (int i = 0; i < cycles; i++) {
		void *plugin = dlopen(argv[argc - 1], RTLD_NOW);
		int (*entry)(int, char **);
		if (!plugin)
			return 3;
		entry = (int (*)(int, char **))dlsym(plugin, late ? "points" : argv[2]);
		entry(argc, argv);
		dlclose(plugin);
	}
	if (late)
		((int (*)(int, char **))slot)(argc, argv);
	return 0;
}
C
$CC -g -rdynamic -o "$tmp/host" "$tmp/host.c" -ldl || bail_out 'the host cannot be built'
cd "$tmp" || exit 99
TESTED_COUNT=$tmp/count
mkdir "$tmp/tmp"
TMPDIR=$tmp/tmp
export TESTED_COUNT TMPDIR

# tested ARG...: runs relib test; its output is in out and err, its status in $status.
tested() {
	rm -f count
	timeout 60 "$relib" test "$@" >out 2>err </dev/null
	status=$?
}

# Shows what the last run said.
said() {
	diag "status $status"
	diag "$(cat out err)"
}

# passes DESCRIPTION ARG...
passes() {
	what=$1
	shift
	tested "$@"
	if [ $status -eq 0 ] && grep -q 'passed$' out; then
		pass "$what"
	else
		fail "$what"
		said
	fi
}

# fails DESCRIPTION LINE... -- ARG...: status 1, and these are all lines of causes.
fails() {
	what=$1
	shift
	: >wanted
	while [ "$1" != -- ]; do
		printf '  %s\n' "$1" >>wanted
		shift
	done
	shift
	tested "$@"
	grep '^  ' out | grep -v '^  not checked' | sed -E "s/thread [0-9]+/thread N/g; s/(-> .*\(tested.c:)[0-9]+/\1N/" >causes
	if [ $status -eq 1 ] && cmp -s causes wanted; then
		pass "$what"
	else
		fail "$what"
		diag "wanted: $(cat wanted)"
		said
	fi
}

# says DESCRIPTION PATTERN: of the last run.
says() {
	if grep -Eq -- "$2" out; then
		pass "$1"
	else
		fail "$1"
		said
	fi
}

# The line of tested.c that has this text.
line() { grep -n -- "$1" "$plugins/tested.c" | head -n 1 | cut -d: -f1; }

# --- verdicts ------------------------------------------------------------------

passes 'a good plugin passes' tested.so
passes 'several do' tested.so good.so -n 6
says 'and each has its line' '^good.so: passed'
passes 'options can follow the plugin' tested.so --cycles 3
says 'as often as asked' '^tested.so: passed  3 loads'
says 'what could not be checked is told' '^  not checked, since there were too few cycles: growth'

at="leak (tested.c:$(line 'block = malloc(size)'))"
fails 'a leak is one line, per cycle' "leaked 3 blocks (120 bytes) per cycle: $at" -- tested.so -e leaks
fails 'of one cycle there is nothing to compare' "leaked 3 blocks (120 bytes): $at" \
	-- tested.so -e leaks -n 1
fails 'a leak in the first cycle is a leak' "leaked 1 block (40 bytes) once, in cycle 1: $at" \
	-- tested.so -e leaks_once
fails 'one that differs is summed up' "leaked 55 blocks (550 bytes) in 10 cycles: $at" \
	-- tested.so -e leaks_more
at="keeps (tested.c:$(line '= strdup'))"
fails 'what was kept and lost is told, and what is kept' \
	"dropped 1 block (12 bytes) in each of 9 of 10 cycles: $at, nothing refers to what was held at first" \
	"left 1 block (12 bytes) in use once, in cycle 10: $at, held by a thread's stack" \
	-- tested.so -e keeps
fails 'a descriptor that is left is told, and that the process grows' \
	"left 1 descriptor per cycle: opens (tested.c:$(line 'open("/dev/null"')), /dev/null" \
	'the process grows: 1 descriptor per cycle' -- tested.so -e opens
fails 'one that was opened unseen is found by the growth' \
	'the process grows: 1 descriptor per cycle' -- tested.so -e opens_unseen
tested tested.so -e maps
is 'memory that was mapped unseen is found as well' "$status" 1
says 'and how much' '^  the process grows: 5,2[0-9,]* bytes of memory in the last 5 cycles$|^  the process grows: 1,0[0-9,]* bytes of memory per cycle$'
tested tested.so -e handles
is 'a signal handler that is left is no good' "$status" 1
says 'and is named' '^  left 1 .*per cycle: .*(SIGUSR1|handles)'
tested tested.so -e starts
is 'threads that are left are no good' "$status" 1
says 'why it stays' '^  not unloaded: deferred: thread [0-9]+ .* stands in wait_for_ever .*created in starts'
says 'how many threads' '^  left 10 threads running: starts \(tested.c'
tested tested.so -e starts --threads=refuse
says 'or that dlclose fails' '^  not unloaded: refused: thread'
fails 'why a plugin is not unloaded' 'not unloaded: linked with -z nodelete' -- nodelete.so
tested unique.so
is 'a unique symbol keeps a plugin' "$status" 1
says 'and is named' '^  not unloaded: the unique symbol'

fails 'a crash in the third cycle' 'crashed: SIGSEGV, in cycle 3, in its entry' \
	-- tested.so -e crashes_third
says 'leaves the rest unchecked' '^  not checked, since it did not run to the end: unloads, memory'
fails 'a crash in a constructor' \
	'crashed: SIGABRT, in cycle 1, while it was loaded (a constructor?)' -- CRASHING_CONSTRUCTOR.so
fails 'a crash in a destructor' \
	'crashed: SIGABRT, in cycle 1, while it was unloaded (a destructor?)' -- CRASHING_DESTRUCTOR.so
fails 'a plugin that ends the process' \
	'ended the process: with status 4, in cycle 1, in its entry' -- tested.so -e exits
fails 'an entry that fails' \
	'the entry failed: it returned 7 in cycle 1, and not 0 in 10 cycles' -- tested.so -e fails
fails 'an entry that is missing' \
	"has no entry: $tmp/tested.so: undefined symbol: there_is_none" -- tested.so -e there_is_none
passes 'a plugin that changes the working directory is found again' tested.so -e moves
fails 'an entry that hangs' 'did not end: it was ended after 1 s, in cycle 1, in its entry' \
	-- tested.so -e hangs --timeout 1
fails 'a destructor that hangs' 'not unloaded: abandoned: a finalizer did not come back' \
	"an unload took too long: after 1 s it stood in hang (tested.c:$(sed -n '/static void hang(/,$p' \
		"$plugins/tested.c" | grep -n pause | head -n 1 | cut -d: -f1 |
		awk -v from="$(line 'static void hang(')" '{ print from + $1 - 1 }'))" \
	-- HANGING_DESTRUCTOR.so --unload-timeout 1

# --- files that are no plugins -----------------------------------------------------

tested LACKING.so
says 'a symbol that is missing' '^  cannot be loaded: .*lacking_symbol'
fails 'a file that is missing' \
	'cannot be loaded: nothing.so: no such file' -- nothing.so
head -c 100 good.so >truncated.so
echo 'no ELF' >text.so
for bad in truncated text; do
	tested $bad.so good.so
	is "a file that is $bad fails" "$status" 1
	says 'and says why' "^  cannot be loaded: $bad.so: "
	says 'and the next is tested' '^good.so: passed'
done
says 'the last line counts' '^relib: 1 of 2 plugins failed, for 1 cause$'

# --- what is allowed ------------------------------------------------------------------

passes 'a kind can be allowed' tested.so -e leaks --allow leaked
says 'and is shown' '^  allowed: leaked 3 blocks'
passes 'a whole check can' tested.so -e leaks --allow memory
passes 'and more than one' tested.so -e opens --allow descriptor --allow growth
tested tested.so -e opens --allow growth
is 'others still fail' "$status" 1
tested tested.so --allow nonsense
is 'there must be such a kind' "$status $(cat err)" \
	"2 relib: --allow: 'nonsense' is no kind of cause; see relib-test(1)"
tested
is 'there must be a plugin' "$status $(cat err)" \
	'2 relib: a PLUGIN.so is needed; see relib test --help'
tested --leaks=off tested.so -e leaks
says 'what is switched off is not checked' '^  not checked, since leaks are off: memory, kept$'

# --- other hosts -----------------------------------------------------------------------

passes 'arguments follow a plugin behind --' -e prints -- tested.so a b
is 'what it prints does not get into the verdict' "$(grep -c '^a b printed$' err) $(grep -c printed out)" '10 0'
passes 'another host can be used' ./host 3 plugin_main -- tested.so
says 'of which the size is not judged' 'only the built-in host is measured: growth'
passes 'so many loads can be expected' -n 3 ./host 3 plugin_main -- tested.so
fails 'and are missed' 'loaded too seldom: 3 of 4 times' -- -n 4 ./host 3 plugin_main -- tested.so
fails 'a host that loads nothing' 'not loaded: the host did not load it' -- true -- tested.so
fails 'a host that fails' 'not loaded: the host did not load it' \
	'the host failed: its exit status is 3' -- sh -c 'exit 3' -- tested.so
fails 'what a host refers to is kept' \
	"left 1 block (64 bytes) in use: gives (tested.c:$(line 'malloc(64)')), held by host: slot (host.c:4)" \
	-- ./host 1 gives -- tested.so
fails 'a pointer into the plugin dangles' \
	"left 1 pointer per cycle: host: slot (host.c:4) -> plugin_main in tested.so (tested.c:N)" \
	-- ./host 3 points -- tested.so
tested ./host 1 late -- tested.so
is 'a late call fails' "$status" 1
says 'and is named' '^  called after the unload 1 time: plugin_main in tested.so \(tested.c:[0-9]+\)'
tested ./nothing -- tested.so
is 'a host that is missing is no verdict' "$status" 127

# --- formats -----------------------------------------------------------------------------

cat >formats.py <<'PY'
import json, re, sys
import xml.etree.ElementTree as ET

def tap(path):
    lines = open(path, encoding="utf-8").read().split("\n")
    assert lines[0] == "TAP version 13" and lines[-1] == ""
    assert re.fullmatch(r"1\.\.30", lines[1]), lines[1]
    tests, inside = [], False
    for text in lines[2:-1]:
        if text == "  ---":
            assert not inside
            inside = True
        elif text == "  ...":
            assert inside
            inside = False
        elif inside:
            # a key, and a value that is a number, true, or in double quotes
            assert re.fullmatch(r'  (  )?(- |  )?[a-z]+:( ("([^"\\]|\\.)*"|\d+|true))?', text), text
        else:
            found = re.fullmatch(r"(not )?ok (\d+) - ((?:[^#\\]|\\.)*?)( # SKIP .+)?", text)
            assert found, text
            assert int(found[2]) == len(tests) + 1
            tests.append((not found[1], found[3], bool(found[4])))
    assert not inside and len(tests) == 30
    return tests

def junit(path):
    root = ET.parse(path).getroot()
    assert root.tag == "testsuites"
    tests = []
    for suite in root:
        assert suite.tag == "testsuite"
        cases = list(suite)
        for name, tag in (("failures", "failure"), ("skipped", "skipped")):
            assert int(suite.get(name)) == len([c for c in cases if c.find(tag) is not None])
        assert int(suite.get("tests")) == len(cases)
        float(suite.get("time"))
        for case in cases:
            float(case.get("time"))
            failure = case.find("failure")
            if failure is not None:
                assert failure.get("message") and failure.get("type")
                assert failure.get("message") == failure.text.split("\n")[0]
            tests.append((failure is None, suite.get("name") + ": " + case.get("name"),
                          case.find("skipped") is not None))
    for name, of in (("failures", lambda t: not t[0]), ("skipped", lambda t: t[2])):
        assert int(root.get(name)) == len([t for t in tests if of(t)])
    return tests

def schema(path):
    data = json.load(open(path))
    assert data["schema"] == "relib-test" and data["version"] == 1
    assert data["passed"] == all(p["passed"] for p in data["plugins"])
    return [(c["result"] != "failed", p["path"] + ": " + c["words"], c["result"] == "skipped")
            for p in data["plugins"] for c in p["checks"]]

tests = {"tap": tap, "junit": junit, "json": schema}[sys.argv[1]](sys.argv[2])
plain = [(good, re.sub(r"\\(.)", r"\1", name) if sys.argv[1] == "tap" else name, skipped)
         for good, name, skipped in tests]
for good, name, skipped in plain:
    print("skip" if skipped else "ok" if good else "bad", name)
PY
weird='we#ird<&"\.so'
cp tested.so "$weird"
for format in tap junit json; do
	tested --format=$format -o verdict.$format -e leaks "$weird" nothing.so good.so
	is "$format: the verdict is in the status, too" "$status" 1
	ok "$format: it is valid" python3 formats.py $format verdict.$format
	python3 formats.py $format verdict.$format >said.$format
done
ok 'junit: xmllint agrees' sh -c 'command -v xmllint >/dev/null || exit 0; xmllint --noout verdict.junit'
ok 'tap: prove agrees' sh -c 'command -v prove >/dev/null || exit 0
	prove --exec cat verdict.tap | grep -q "Failed 3/30 subtests\|Failed tests:  4, 11, 24"'
same_file 'tap and junit say the same' said.tap said.junit
same_file 'and json does' said.json said.junit
is 'the bad are known' "$(grep '^bad' said.tap)" "bad $weird: leaks no memory
bad nothing.so: loads
bad good.so: leaks no memory"
is 'and what was not checked' "$(grep -c '^skip nothing.so' said.tap)" 9
for format in tap junit json; do
	tested --format=$format tested.so
	is "$format: a good plugin passes" "$status $(grep -c 'not ok\|<failure\|"failed"' out)" '0 0'
done

is 'nothing is left behind' "$(ls "$TMPDIR")" ''
done_testing
