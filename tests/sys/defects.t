#!/bin/sh
# What goes wrong easily around loading and unloading: identity of files, refused and put-off unloads, loads that fail, double frees, leaks, threads.
. "$(dirname "$0")/lib.sh"

build_host host
$CXX -O2 -g -c -o "$tmp/throws.o" "$plugins/throws.cc" || bail_out 'throws.cc cannot be built'
build_host defects -rdynamic "$tmp/throws.o" -lstdc++
for macro in THROWS CRASHES LACKS; do
	build_plugin defective -D$macro
	mv "$tmp/defective.so" "$tmp/$macro.so"
done
build_plugin defective
cp "$tmp/defective.so" "$tmp/good.so"

# does WHAT PLUGIN: the host does it, and its verdicts are told.
does() {
	rm -rf "$RELIB_DIR"/*
	with_shim "$tmp/defects" "$1" "$tmp/$2.so" "$tmp/good.so" >"$tmp/output" 2>"$tmp/errors"
	is "$1: the host ends well" "$?" 0
	sed "s/^\(ok\|bad\) /&$1: /" "$tmp/output" >"$tmp/verdicts"
	verdicts "$1" <"$tmp/verdicts"
	report
}

# --- one file by several paths is one module ------------------------------------
mkdir "$tmp/names" "$tmp/names/a" "$tmp/other"
build_plugin give
cp "$tmp/give.so" "$tmp/names/x.so"
cp "$tmp/give.so" "$tmp/other/x.so"
ln -s x.so "$tmp/names/symbolic.so"
ln "$tmp/names/x.so" "$tmp/names/hard.so"
cd "$tmp/names" || exit 99
host_start "$tmp/host"
# the copy is another module
told load other "$tmp/other/x.so"
for name in ./x.so a/../x.so ./symbolic.so ./hard.so; do
	told load "$name" "$name"
done
report "$host_pid" && holds <<-END
	one file by four paths is one module: sorted(os.path.dirname(m["path"]).split("/")[-1] for m in modules) == ["names", "other"]
	of one generation: [len(m["generations"]) for m in modules] == [1, 1]
	that is open four times: [g["opens"] for m in modules for g in m["generations"] if "/names/" in m["path"]] == [4]
	END
for name in ./hard.so a/../x.so ./x.so; do
	tell unload "$name"
	is "closed by $name it stays, as it is open by others" "$answer" 'ok stays'
done
report "$host_pid" && holds <<-END
	that is the reason: [[s["kind"] for s in g["stays"] if s["current"]][:1] for m in modules for g in m["generations"] if "/names/" in m["path"]] == [["open"]]
	with how often: [s["count"] for m in modules for g in m["generations"] for s in g["stays"] if s["current"] and s["kind"] == "open"] == [1]
	END
tell unload ./symbolic.so
is 'closed by all it is gone' "$answer" 'ok gone'
report "$host_pid" && holds <<-END
	it is known to be gone, and the copy to be loaded: {m["path"].split("/")[-2]: [g["state"] for g in m["generations"]] for m in modules} == {"names": ["unloaded"], "other": ["loaded"]}
	END
# another file by the path of one that is still loaded
mv "$tmp/other/x.so" "$tmp/other/old.so"
cp "$tmp/good.so" "$tmp/other/x.so"
told load again ./x.so
host_end
is 'names: the host ends well' "$status" 0
cd "$tmp" || exit 99

# --- unloads that are put off or refused ------------------------------------------
if [ -z "$RELIB_TEST_PLAIN" ]; then
	does deferred defective
	holds <<-END
		deferred: each was put off once: [g["deferrals"] for g in generations("defective.so")] == [1] * 4
		deferred: all are gone: [g["state"] for g in generations("defective.so")] == ["unloaded"] * 4
		deferred: every thread is over: thread_counts("defective.so") == (4, 4, 0)
		END
	RELIB_THREADS=refuse
	export RELIB_THREADS
	does refused defective
	holds <<-END
		refused: at least twice each: [g["refusals"] >= 2 for g in generations("defective.so")] == [True] * 3
		refused: all are gone: [g["state"] for g in generations("defective.so")] == ["unloaded"] * 3
		END
	does creating defective
	holds <<-END
		creating: every thread is counted, and every end: thread_counts("defective.so") == (32000, 32000, 0)
		creating: all are gone: {g["state"] for g in generations("defective.so")} == {"unloaded"}
		END
	unset RELIB_THREADS
fi

# --- loads that fail -----------------------------------------------------------------
for how in 'throwing THROWS 2' 'crashing CRASHES 2' 'lacking LACKS 3'; do
	# shellcheck disable=SC2086
	set -- $how
	does $1 $2
	holds <<-END
		$1: the loads after it are all known: [g["state"] for g in generations("good.so")] == ["unloaded"] * $3
		$1: and what they leaked: total("leak", "reclaimed", "good.so") == times($3, (3, 300))
		END
done
with_shim "$tmp/defects" saying "$tmp/good.so" >"$tmp/output" 2>"$tmp/errors"
"$tmp/defects" saying "$tmp/good.so" >"$tmp/plain"
same_file 'a missing symbol, version, file or library is told as without relib' "$tmp/output" "$tmp/plain"
is 'and nothing else is said' "$(cat "$tmp/errors")" ''

# --- memory ---------------------------------------------------------------------------
[ -z "$RELIB_TEST_PLAIN" ] || done_testing
rm -rf "$RELIB_DIR"/*
host_start "$tmp/host"
told load p "$tmp/defective.so"
told call p free_twice 1000
told call p leak 7
tell unload p
is 'the plugin goes' "$answer" 'ok gone'
host_end
is 'a host whose plugin frees twice ends well' "$status" 0
line=$(grep -n 'free(block)' "$plugins/defective.cc" | tail -n 1 | cut -d: -f1)
report && holds <<-END
	the double free is told, once: [n["count"] for n in notes("double-free")] == [1]
	with its line: any("defective.cc:$line" in json.dumps(n) for n in notes("double-free")) or [(n["caller"]["file"][-12:], n["caller"]["line"]) for n in notes("double-free")] == [("defective.cc", $line)]
	a leak has its count and bytes: (total("leak", "leaked"), total("leak", "reclaimed")) == ((7, 700), (7, 700))
	and its place: lines("leak") == ["defective.cc:$(grep -n 'forget(malloc(100))' "$plugins/defective.cc" | cut -d: -f1)"]
	the generation has them too: of_generation("defective.so", 1, "leaked") == (7, 700)
	END
"$relib" leaks report >"$tmp/text"
ok 'the last line says what was freed' \
	grep -q 'leaked 7 blocks, 700 bytes (freed)' "$tmp/text"

done_testing
