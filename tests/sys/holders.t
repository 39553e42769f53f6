#!/bin/sh
# Who keeps a module is found among any number of modules, and a C++ runtime library that stays is told of.
. "$(dirname "$0")/lib.sh"
[ -z "$RELIB_TEST_PLAIN" ] || skip_all 'without the shim nothing is recorded'
build_host host
build_plugin pointed
build_plugin pointedneeds -L"$tmp" -l:pointed.so -Wl,-rpath,"$tmp"

# seventy libraries that one plugin brings
needed=
for number in $(seq 70); do
	echo "int number_$number;" | $CC -shared -nostdlib -x c -o "$tmp/lib$number.so" - ||
		bail_out 'the libraries cannot be built'
	needed="$needed -l:lib$number.so"
done
# shellcheck disable=SC2086
build_plugin cleanxx -L"$tmp" -Wl,--no-as-needed $needed -Wl,-rpath,"$tmp"

with_shim "$tmp/host" >"$tmp/host.out" <<-END
	load many $tmp/cleanxx.so
	load pointed $tmp/pointed.so
	load holder $tmp/pointedneeds.so
	unload pointed
	load runtime libstdc++.so.6
	unload runtime
	END
is 'the host is answered' "$(tr '\n' ' ' <"$tmp/host.out")" 'ok ok ok ok stays ok ok stays '
report && holds <<-END
	the libraries are modules: sum(os.path.basename(m["path"])[:3] == "lib" for m in modules) >= 70
	a module that another needs names it: [(s["kind"], os.path.basename(s.get("text", "").split()[-1])) for s in generation("pointed.so", 1)["stays"]] == [("needed", "pointedneeds.so")]
	the C++ runtime stays for a unique symbol: [stays(m["path"], 1) for m in modules if "libstdc++" in m["path"]] == [["unique-symbol"]]
	no other runtime library is a module: not [m["path"] for m in modules if re.search("libc[.]|libm[.]|libgcc_s", m["path"])]
	END
done_testing
