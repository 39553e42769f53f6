-- Stock Lua with C modules of the distribution: required, used, and dropped
-- with the Lua state at the end, which unloads them.
local cjson = require "cjson"
local socket = require "socket"

local text = cjson.encode { name = "relib", list = { 1, 2, 3 } }
assert(cjson.decode(text).list[3] == 3)

local server = assert(socket.bind("127.0.0.1", 0))
local _, port = server:getsockname()
local client = assert(socket.connect("127.0.0.1", port))
local peer = assert(server:accept())
client:send("hello\n")
assert(peer:receive() == "hello")
print("lua: cjson and socket did their work")
