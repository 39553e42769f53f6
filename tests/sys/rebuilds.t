#!/bin/sh
# A plugin rebuilt twenty times at the same path, within one host, is reported with the right line for each build.
. "$(dirname "$0")/lib.sh"

builds=20
build_host host

# rebuild N: the plugin with N lines put in, moved over the old one.
rebuild() {
	awk -v lines="$1" '/@LINES@/ { for (i = 0; i < lines; i++) print ""; next } { print }' \
		"$plugins/rebuilt.c" >"$tmp/rebuilt.c"
	$CC -O2 -g -fPIC -shared -DBUILD="$1" -I"$plugins" -o "$tmp/new.so" "$tmp/rebuilt.c" ||
		bail_out 'rebuilt.c does not compile'
	mv -f "$tmp/new.so" "$tmp/rebuilt.so"
}

host_start "$tmp/host"
build=1
answers=
wanted=
: >"$tmp/questions"
while [ $build -le $builds ]; do
	rebuild $build
	told "load p $tmp/rebuilt.so"
	told "call p leak_all 1000"
	answers="$answers$answer "
	wanted="${wanted}ok $((1000 + build)) "
	told "unload p"
	line=$(sed -n '/LEAK leak_rebuilt/=' "$tmp/rebuilt.c")
	cat >>"$tmp/questions" <<-END
		build $build leaked one block in line $line: lines("leak_rebuilt", generation=$build) == ["rebuilt.c:$line"]
		build $build leaked its own number of bytes: of_generation("rebuilt.so", $build, "leaked") == (1, $build)
		END
	build=$((build + 1))
done
is 'each build runs its own code' "$answers" "$wanted"

report "$host_pid" && holds <"$tmp/questions"
host_end
rm "$tmp/rebuilt.so" "$tmp/rebuilt.c"
report && holds <<-END
	all builds are generations of one path: [g["number"] for g in generations("rebuilt.so")] == list(range(1, $builds + 1))
	the plugin's file is gone, but its names are not: len(lines("leak_rebuilt")) == $builds and "?:None" not in lines("leak_rebuilt")
	nothing else is leaked: totals["leaked"] == ($builds, $((builds * (builds + 1) / 2)))
	END

done_testing
