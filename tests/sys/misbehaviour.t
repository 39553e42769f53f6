#!/bin/sh
# What a plugin leaves behind crashes no host, reload after reload, the new image as large as the old or not; and every time it is named.
. "$(dirname "$0")/lib.sh"

[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'without the shim hosts crash here'
: "${RELIB_TEST_LOADS:=100}"
build_host reloader -rdynamic

# build MACRO: first.so, same.so and larger.so
build() {
	case $1 in
	LOCAL) compiler=$CXX language=c++ ;;
	*) compiler=$CC language=c ;;
	esac
	for built in 'first -DVERSION=1' 'same -DVERSION=2' 'larger -DVERSION=2 -DPADDING=300000'; do
		# shellcheck disable=SC2086
		$compiler -O2 -g -fPIC -shared -pthread -D_GNU_SOURCE -Wall -Wextra -I"$plugins" \
			-D"$1" ${built#* } -o "$tmp/${built%% *}.so" -x $language \
			"$plugins/misbehave.c" >"$tmp/build.out" 2>&1 ||
			bail_out "$1: $(tr '\n' ' ' <"$tmp/build.out")"
	done
}

sizes() { stat -L -c %s "$@" | tr '\n' ' '; }

# reloads NAME WHAT IMAGE [TIMES]: the host does it, and its verdicts are told.
reloads() {
	rm -rf "$RELIB_DIR"/* "$tmp/loads"
	mkdir "$tmp/loads"
	what=$1
	with_shim "$tmp/reloader" "$2" "$tmp/loads" "$tmp/first.so" "$tmp/$3.so" \
		"${4-$RELIB_TEST_LOADS}" >"$tmp/output" 2>"$tmp/errors"
	is "$what: the host ends well" "$?" 0
	sed "s/^\(ok\|bad\) /&$what: /" "$tmp/output" >"$tmp/verdicts"
	verdicts "$what" <"$tmp/verdicts"
	report
}

loads=$RELIB_TEST_LOADS
build CALLBACK
is 'the one image is as large as the first' "$(sizes "$tmp/same.so")" "$(sizes "$tmp/first.so")"
ok 'the other is not' test "$(sizes "$tmp/larger.so")" -gt "$(sizes "$tmp/first.so")"

for image in same larger; do
	build THREAD
	rm -rf "$RELIB_DIR"/* "$tmp/loads"
	mkdir "$tmp/loads"
	what="thread left, $image"
	host_start "$tmp/reloader" thread "$tmp/loads" "$tmp/first.so" "$tmp/$image.so" "$loads"
	: >"$tmp/verdicts"
	while IFS= read -r line <&9; do
		[ "$line" != running ] || break
		echo "$line" >>"$tmp/verdicts"
	done
	sed -i "s/^\(ok\|bad\) /&$what: /" "$tmp/verdicts"
	verdicts "$what" <"$tmp/verdicts"
	report "$host_pid" && holds <<-END
		$what: every unload was deferred: [(g["number"], g["deferrals"], g["closes"]) for g in generations("plugin.so") if g["deferrals"] != 2] == []
		$what: and the threads were the reason: all("thread" in [s["kind"] for s in g["stays"]] for g in generations("plugin.so"))
		$what: every load meanwhile is told: [g["revivals"] for g in generations("plugin.so")] == [1] * $loads
		$what: every thread is counted where it was created: total_threads("misbehave", "plugin.so") == ($loads, $loads - 1, 1)
		$what: the one that runs is named: [bare(t["start_routine"]["function"]) for t in threads("plugin.so")] == ["left_thread"]
		$what: with where it was created: [frame_of({"stack": t["created"]}, "misbehave") is not None for t in threads("plugin.so")] == [True]
		$what: and where it stands: [frame_of(t, "left_thread") is not None for t in threads("plugin.so")] == [True]
		END
	echo >&8
	host_end
	verdicts "$what: the last one" <"$tmp/host.rest"
	is "$what: the host ends well" "$status" 0

	build KEY
	reloads "key left, $image" key "$image"
	holds <<-END
		$what: every key is told, and its destructor: [g["keys"] for g in generations("plugin.so")] == [{"deleted": 1, "destructors_run": 1}] * $loads
		END
	reloads "key of a host's thread that exits later, $image" later "$image"
	holds <<-END
		$what: every key is told, and the one destructor: [g["keys"] for g in generations("plugin.so")] == [{"deleted": 1, "destructors_run": 1}] * $loads
		END

	build LOCAL
	reloads "thread_local, $image" later "$image"
	holds <<-END
		$what: every destructor is told, run or dropped: [g["thread_locals"] for g in generations("plugin.so")] == [{"run": 1, "dropped": 1}] * $loads
		END

	build SIGNAL
	reloads "signal handler left, $image" signal "$image"
	holds <<-END
		$what: every one is told: len(dangling("plugin.so", "signal")) == $loads
		$what: with the signal and the function: {text.split(" (")[0] for text in dangling("plugin.so", "signal")} == {"signal handler SIGUSR1 -> left_handler in plugin.so"}
		$what: and that it was taken back: {text.split(", ")[-1] for text in dangling("plugin.so", "signal")} == {"taken back"}
		END

	build TIMER
	reloads "timer left, $image" timer "$image"
	holds <<-END
		$what: every one is told: len(dangling("plugin.so", "timer")) == $loads
		$what: with its function: {text.split(" (misbehave.c")[0] for text in dangling("plugin.so", "timer")} == {"timer (SIGEV_THREAD) -> left_notify in plugin.so"}
		$what: and that it was taken back: {text.split(", ")[-1] for text in dangling("plugin.so", "timer")} == {"taken back"}
		END

	build CALLBACK
	reloads "old callback called, $image" callback "$image"
	holds <<-END
		$what: the pointer is told each time: len([t for t in dangling("plugin.so", "memory") if "callback (reloader.c:" in t and "-> left_callback in plugin.so" in t]) == $loads
		$what: every call is told, once: [sum(n["count"] for n in g["late_calls"]) for g in generations("plugin.so") if g["state"] == "unloaded"] == [1] * $loads
		$what: with the function that was called: {bare(n["called"]["function"]) for n in late_calls("plugin.so")} == {"left_callback"}
		END

	reloads "another thread calls in meanwhile, $image" meanwhile "$image"
	faults=$(sed -n 's/^faults //p' "$tmp/output")
	holds <<-END
		$what: the calls that came too late are told, but for a few at the very moment: 0 <= ${faults:--1} - sum(n["count"] for n in late_calls("plugin.so")) <= 5
		$what: no generation is left: [g["state"] for g in generations("plugin.so")] == ["unloaded"] * $loads
		END
done

# more loads than a process can have keys
build KEY
reloads 'a key left 1,100 times' key same 1100
holds <<-END
	all of them are told: sum(g["keys"]["deleted"] for g in generations("plugin.so")) == 1100
	END

done_testing
