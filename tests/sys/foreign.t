#!/bin/sh
# The stock lua5.4 with C modules of others works as ever, its modules are reported as unloaded, and nothing of its own is freed.
. "$(dirname "$0")/lib.sh"

need lua5.4
lua5.4 -e 'require "cjson" require "socket"' 2>/dev/null || skip_all 'lua-cjson and lua-socket are not installed'

cat >"$tmp/script.lua" <<-'END'
	local cjson = require "cjson"
	local socket = require "socket"
	local list = {}
	for i = 1, 1000 do list[i] = { number = i, text = ("x"):rep(i % 50) } end
	local text = cjson.encode(list)
	print(#text, cjson.decode(text)[500].number)
	local server = assert(socket.bind("127.0.0.1", 0))
	local ip, port = server:getsockname()
	local client = assert(socket.connect(ip, port))
	local peer = server:accept()
	client:send("a line\n")
	print(peer:receive())
	print(pcall(cjson.decode, "{wrong"))
	for i = 1, 20000 do list[i] = tostring(i) .. "y" end
	print(collectgarbage("count") > 0, _VERSION)
	END

timeout 60 lua5.4 "$tmp/script.lua" >"$tmp/plain.out" 2>&1
plain=$?
with_shim timeout 60 lua5.4 "$tmp/script.lua" >"$tmp/shim.out" 2>&1
is 'the same status' "$?" "$plain"
same_file 'the same output' "$tmp/shim.out" "$tmp/plain.out"
report && holds <<-END
	cjson is known and unloaded: [g["state"] for m in modules if "cjson" in m["path"] for g in m["generations"]] == ["unloaded"]
	socket is known and unloaded: [g["state"] for m in modules if "socket" in m["path"] for g in m["generations"]] == ["unloaded"]
	nothing is freed: totals["leaked"] == (0, 0) and totals["reclaimed"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	nobody frees too late: sum(p["late_frees"] for p in all_places()) == 0
	END

done_testing
