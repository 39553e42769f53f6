#!/bin/sh
# lua_close unloads C modules on whose stacks the interpreter allocated: nothing of the interpreter's is freed.
. "$(dirname "$0")/lib.sh"
need lua5.4
lua5.4 -e 'require "lfs" require "lpeg" require "cjson"' 2>/dev/null ||
	skip_all 'lua-filesystem, lua-lpeg and lua-cjson are not here'

cat >"$tmp/script.lua" <<-END
	local lfs, lpeg, cjson = require "lfs", require "lpeg", require "cjson"
	local n = 0
	for name in lfs.dir("/etc") do lfs.attributes("/etc/" .. name) n = n + 1 end
	assert(lpeg.match(lpeg.C(lpeg.R "az" ^ 1), "hello") == "hello")
	assert(cjson.decode(cjson.encode { 1, 2, 3 })[2] == 2)
	print("ok", n)
	END
same_host 'three C modules' lua5.4 "$tmp/script.lua"
report && holds <<-END
	every module is unloaded: [g["state"] for m in modules for g in m["generations"]] == ["unloaded"] * 3
	they acquired memory: sum(p["allocated"]["blocks"] for p in all_places()) > 0
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	nothing is freed: totals["reclaimed"] == (0, 0)
	END
gone_or_explained
done_testing
