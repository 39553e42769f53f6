#!/bin/sh
# Every kind of leak in C and C++, ten loads over, is reported with exact count, bytes, function and line.
. "$(dirname "$0")/lib.sh"

build_host host
build_plugin helper -Wl,-soname,helper.so
build_plugin leaks -DWITH_HELPER "$tmp/helper.so" -Wl,--enable-new-dtags,-rpath,'$ORIGIN'
build_plugin leaksxx

# ten_loads PLUGIN: loaded, called and unloaded ten times; the answers are in $answers.
ten_loads() {
	loads=0
	answers=
	host_start "$tmp/host"
	while [ $loads -lt 10 ]; do
		told "load p $tmp/$1.so"
		told "call p leak_all 1"
		told "unload p"
		answers="$answers$answer "
		loads=$((loads + 1))
	done
	host_end
}

ten_loads leaks
is 'the C plugin is gone after each unload' "$answers" \
	'ok gone ok gone ok gone ok gone ok gone ok gone ok gone ok gone ok gone ok gone '
is 'the host ends well' "$status" 0
expected_leaks "$plugins/leaks.c" "$plugins/helper.c"
report && holds <<-END
	ten generations are known: [g["number"] for g in generations("leaks.so")] == list(range(1, 11))
	all are unloaded: {g["state"] for g in generations("leaks.so")} == {"unloaded"}
	the C plugin's leaks are exact, and nothing else is leaked: leaks_wrong("$tmp/expected", 10) == []
	all that leaked is reclaimed: totals["leaked"] == totals["reclaimed"]
	the total is that of the table: totals["leaked"][0] == 10 * sum(row[0] for row in expected("$tmp/expected").values())
	the helper library is the owner of its own: total("helper_leak", "leaked", "helper.so") == (20, 1100)
	each generation leaked the same: {of_generation("leaks.so", n, "leaked") for n in range(1, 11)} == {of_generation("leaks.so", 1, "leaked")}
	what was freed is not leaked: total("leak_nothing", "leaked") == (0, 0) and total("leak_nothing", "allocated") == total("leak_nothing", "freed")
	the runtime's own is not leaked: total("leave_to_the_runtime", "leaked") == (0, 0)
	nothing lives on: add(amount(p["live"]) for p in all_places()) == add([totals["kept"], totals["runtime"]])
	END

with_shim "$tmp/host" >"$tmp/output" <<-END
	load p $tmp/leaks.so
	call p leak_all 1
	unload p
	END
is 'what the plugin printed is there, after the unload and until the end' \
	"$(grep -c 'the plugin prints' "$tmp/output")" 1

ten_loads leaksxx
is 'the C++ plugin is gone after each unload' "$answers" \
	'ok gone ok gone ok gone ok gone ok gone ok gone ok gone ok gone ok gone ok gone '
expected_leaks "$plugins/leaksxx.cc"
report && holds <<-END
	the C++ plugin's leaks are exact, and nothing else is leaked: leaks_wrong("$tmp/expected", 10) == []
	all of them are reclaimed: totals["leaked"] == totals["reclaimed"]
	END

done_testing
