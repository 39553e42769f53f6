#!/bin/sh
# What is still loaded after its dlclose is told with the reason, by name; and what is gone is known by identity, not by path.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'run without the shim'
build_host waiter -rdynamic
build_plugin worker -Wl,-z,nodelete
mv "$tmp/worker.so" "$tmp/never.so"
build_plugin worker
mv "$tmp/worker.so" "$tmp/p.so"
build_plugin worker -DNAME='"q"'
mv "$tmp/worker.so" "$tmp/q.so"
build_plugin pool
mv "$tmp/pool.so" "$tmp/libpool.so"
for name in d e; do
	build_plugin worker -DNAME="\"$name\"" -Wl,--no-as-needed -L"$tmp" -lpool -Wl,-rpath,"$tmp"
	mv "$tmp/worker.so" "$tmp/$name.so"
done
build_plugin pool -Wl,-z,nodelete
mv "$tmp/pool.so" "$tmp/libkept.so"
build_plugin unique
mv "$tmp/unique.so" "$tmp/libunique.so"
for name in kept unique; do
	build_plugin worker -Wl,--no-as-needed -L"$tmp" -l$name -Wl,-rpath,"$tmp"
	mv "$tmp/worker.so" "$tmp/with-$name.so"
done
build_plugin bound
build_plugin binding -Wl,-z,lazy
build_plugin hanging
build_plugin unique
cp "$tmp/unique.so" "$tmp/second.so"

# load NAME FILE [FLAG]
load() { told load "$1" "$tmp/$2" ${3+"$3"}; }

# reasons FILE: the current ones of its last generation, as Python
reasons() { echo "[s for s in generations(\"$1\")[-1][\"stays\"] if s[\"current\"]]"; }

host_start "$tmp/waiter"

# --- never ---
load never never.so
asked '-z nodelete: it stays' 'ok 0 mapped' close never
load p p.so nodelete
asked 'RTLD_NODELETE: it stays' 'ok 0 mapped' close p
load q q.so
told load q "$tmp/q.so" nodelete
told close q
asked 'RTLD_NODELETE in a later dlopen: it stays' 'ok 0 mapped' close q
load unique unique.so
asked 'a unique symbol: it stays' 'ok 0 mapped' close unique
report "$host_pid" && holds <<-END
	-z nodelete is the reason: stays("never.so", 1) == ["nodelete-file"]
	RTLD_NODELETE is the reason: stays("p.so", 1) == ["nodelete-open"]
	RTLD_NODELETE of a later dlopen is the reason: stays("q.so", 1) == ["nodelete-open"]
	the unique symbol is named: [(s["kind"], s["symbol"]) for s in $(reasons unique.so)] == [("unique-symbol", "_ZN8registryIiE5countE")]
	demangled, in words: "registry<int>::count" in $(reasons unique.so)[0]["text"]
	the object that uses it is its own: $(reasons unique.so)[0]["object"].endswith("/unique.so")
	all are called so: {generations(n)[-1]["closing"] for n in ("never.so", "p.so", "q.so", "unique.so")} == {"stayed"}
	END
load second second.so
asked 'one that uses the unique symbol of another' 'ok 42' call second answer 1
asked 'is unloaded' 'ok 0 gone' close second
host_end
is 'the host ends well' "$status" 0

# one whose definition another plugin has bound too
host_start "$tmp/waiter"
load unique unique.so
load second second.so
told close unique
asked 'the user of it goes' 'ok 0 gone' close second
report "$host_pid" && holds <<-END
	the first has the reason still: [(s["kind"], os.path.basename(s["object"])) for s in $(reasons unique.so)] == [("unique-symbol", "unique.so")]
	the second is unloaded: generations("second.so")[-1]["state"] == "unloaded"
	END
host_end

# --- still open ---
host_start "$tmp/waiter"
load p p.so
told again p
told again p
asked 'open three times and closed once: it stays' 'ok 0 mapped' close p
report "$host_pid" && holds <<-END
	because it is open twice: [s["count"] for s in $(reasons p.so) if s["kind"] == "open"] == [2]
	where it was opened: sorted((bare(s["stack"][0]["function"]), s["count"]) for s in $(reasons p.so) if s["kind"] == "opened-from") == [("again", 2), ("load", 1)]
	with file and line: all(s["stack"][0]["file"].endswith("waiter.c") and s["stack"][0]["line"] for s in $(reasons p.so) if s["kind"] == "opened-from")
	there is no other reason: set(stays("p.so", 1)) == {"open", "opened-from"}
	dlopen and dlclose are counted: (generation("p.so", 1)["opens"], generation("p.so", 1)["closes"]) == (3, 1)
	END
told close p
report "$host_pid" && holds <<-END
	closed again it is open once: [s["count"] for s in $(reasons p.so) if s["kind"] == "open"] == [1]
	END
asked 'closed three times it is gone' 'ok 0 gone' close p
asked 'a close too many is refused, as ever' 'ok -1 gone' close p

# --- by another name ---
load p p.so
ln -s p.so "$tmp/link.so"
ln "$tmp/p.so" "$tmp/hard.so"
cp "$tmp/p.so" "$tmp/copy.so"
load link link.so
load hard hard.so
load copy copy.so
asked 'the same file by two more names: it stays' 'ok 0 mapped' close p
report "$host_pid" && holds <<-END
	because it is open twice: [s["count"] for s in $(reasons p.so) if s["kind"] == "open"] == [2]
	a link is no plugin of its own: generations("link.so") == [] and generations("hard.so") == []
	a copy is one: [g["state"] for g in generations("copy.so")] == ["loaded"]
	END
asked 'the copy is gone with its own dlclose' 'ok 0 gone' close copy
asked 'closed by the symbolic link it stays' 'ok 0 mapped' close link
asked 'closed by the hard link too it is gone' 'ok 0 gone' close hard
asked 'by its first name too' 'ok gone' mapped p

# --- replaced while it is loaded ---
cp "$tmp/p.so" "$tmp/r.so"
load r r.so
cp "$tmp/q.so" "$tmp/r.new"
mv "$tmp/r.new" "$tmp/r.so"
told load s "$tmp/./r.so"
asked 'the file was replaced and loaded too: the old one is gone' 'ok 0 gone' close r
report "$host_pid" && holds <<-END
	and is known to be, though the path is loaded: [g["state"] for g in generations("r.so")] == ["unloaded", "loaded"]
	END
rm "$tmp/r.so"
asked 'the file was deleted: it is gone all the same' 'ok 0 gone' close s
report "$host_pid" && holds <<-END
	both are unloaded: [g["state"] for g in generations("r.so")] == ["unloaded", "unloaded"]
	END

# --- held by others ---
load l libpool.so
load d d.so
load e e.so
asked 'needed by others: it stays' 'ok 0 mapped' close l
report "$host_pid" && holds <<-END
	by whom: sorted((s["kind"], os.path.basename(s["object"])) for s in $(reasons libpool.so)) == [("needed", "d.so"), ("needed", "e.so")]
	END
told close d
asked 'still' 'ok mapped' mapped l
report "$host_pid" && holds <<-END
	the reason that is left: [(s["kind"], os.path.basename(s["object"])) for s in $(reasons libpool.so)] == [("needed", "e.so")]
	the one that is not is kept as such: [os.path.basename(s["object"]) for s in generations("libpool.so")[-1]["stays"] if not s["current"]] == ["d.so"]
	END
told close e
asked 'with the last that needs it it is gone' 'ok gone' mapped l
report "$host_pid" && holds <<-END
	and unloaded: generations("libpool.so")[-1]["state"] == "unloaded"
	END

load bound bound.so global
load binding binding.so
asked 'bound by another: it stays' 'ok 0 mapped' close bound
report "$host_pid" && holds <<-END
	the symbol and who has it: [(s["kind"], s["symbol"], os.path.basename(s["object"])) for s in $(reasons bound.so)] == [("bound", "bound_function", "binding.so")]
	END
asked 'it works' 'ok 42' call binding answer 1
told close binding
asked 'with the one that bound it it is gone' 'ok gone' mapped bound
load bound bound.so global
load binding binding.so lazy
told call binding answer 1
asked 'bound at the first call: it stays' 'ok 0 mapped' close bound
report "$host_pid" && holds <<-END
	the symbol and who has it: [(s["kind"], s["symbol"], os.path.basename(s["object"])) for s in $(reasons bound.so)] == [("bound", "bound_function", "binding.so")]
	END
told close binding
asked 'with the one that bound it it is gone' 'ok gone' mapped bound
load bound bound.so global
load binding binding.so lazy
asked 'not bound as long as it was not called: it is gone' 'ok 0 gone' close bound
told close binding

load bound bound.so global
told load never "$tmp/binding.so" nodelete
told close never
asked 'bound by one that never goes: it stays' 'ok 0 mapped' close bound
report "$host_pid" && holds <<-END
	the symbol and who has it for ever: [(s["kind"], s["symbol"], os.path.basename(s["object"])) for s in $(reasons bound.so)] == [("bound", "bound_function", "binding.so")]
	END

host_end
is 'the host ends well' "$status" 0

# --- nobody closes what came with others ---
host_start "$tmp/waiter"
load k with-kept.so
report "$host_pid" && holds <<-END
	a library in use has no reason to stay: stays("libkept.so", 1) == []
	END
asked 'what a library came with goes' 'ok 0 gone' close k
load u with-unique.so
asked 'so does what another came with' 'ok 0 gone' close u
load d d.so
load e e.so
asked 'and one of two that need a library' 'ok 0 gone' close d
report "$host_pid" && holds <<-END
	why a library stays that is linked so: stays("libkept.so", 1) == ["nodelete-file"]
	one with a unique symbol: [(s["kind"], s["symbol"]) for s in $(reasons libunique.so)] == [("unique-symbol", "_ZN8registryIiE5countE")]
	one that another needs, which came later: [(s["kind"], os.path.basename(s["object"])) for s in $(reasons libpool.so)] == [("needed", "e.so")]
	nobody asked them to go: {generations(n)[-1]["closing"] for n in ("libkept.so", "libunique.so", "libpool.so")} == {"open"}
	so it is no fault: session["totals"]["not_unloaded"] == 0
	END
"$relib" leaks report "$host_pid" >"$tmp/text"
ok 'they are told of in one paragraph' \
	grep -q '^still loaded though what brought them is gone: 3 modules' "$tmp/text"
ok 'a line for each' grep -q '^  libpool.so: needed by e.so$' "$tmp/text"
load k with-kept.so
told close k
report "$host_pid" && holds <<-END
	it is told once, however often it is used: len(generations("libkept.so")) == 1 and len(generations("libkept.so")[0]["stays"]) == 1
	END
told close e
asked 'with the last that needs it a library is gone' 'ok gone' mapped d
report "$host_pid" && holds <<-END
	and has no reason to stay: generations("libpool.so")[-1]["state"] == "unloaded" and not $(reasons libpool.so)
	END
load d d.so
load e e.so
load l libpool.so
told close d
told close e
report "$host_pid" && holds <<-END
	what the host has open by now is in use: stays("libpool.so", 2) == []
	END
asked 'until it is closed' 'ok 0 gone' close l
host_end
is 'the host ends well' "$status" 0

RELIB_TRACK='d.so' host_start "$tmp/waiter"
load d d.so
load e e.so
told close d
report "$host_pid" && holds <<-END
	one that is not tracked can be the reason: [(s["kind"], os.path.basename(s["object"])) for s in $(reasons libpool.so)] == [("needed", "e.so")]
	END
host_end

host_start "$tmp/waiter"
# --- threads and thread-locals ---
load p p.so
told call p start_named 1
told close p
report "$host_pid" && holds <<-END
	deferred: the thread is the reason: [s["kind"] for s in $(reasons p.so)] == ["thread"] and $(reasons p.so)[0]["thread"] == threads("p.so")[0]["tid"]
	in words: "the worker" in $(reasons p.so)[0]["text"] and "deferred" in $(reasons p.so)[0]["text"]
	END
told release 1
told join 1
asked 'deferred: it goes' 'ok gone' mapped p
load h hanging.so
told release 7
asked 'a thread-local with a destructor' 'ok 0' call h hang_in_thread_local 7
told log
asked 'does not pin it any more' 'ok 0 gone' close h
asked 'its destructor ran' 'ok finalized destroying destroyed' log
report "$host_pid" && holds <<-END
	and is counted: generations("hanging.so")[-1]["thread_locals"] == {"run": 1, "dropped": 0}
	what went has no reason to stay: not [s for m in modules for g in m["generations"] for s in g["stays"] if s["current"] and g["state"] == "unloaded"]
	END
host_end
is 'the host ends well' "$status" 0

done_testing
