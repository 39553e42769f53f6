#!/bin/sh
# nginx under load takes its modules anew at each reload, before it drops the old: they stay, the count is named, no request is lost.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin
need nginx
folder=/usr/lib/nginx/modules
[ -f $folder/ngx_http_lua_module.so ] && [ -f $folder/ngx_http_echo_module.so ] ||
	skip_all "nginx's modules echo and lua are not here"
. "$(dirname "$0")/server.sh"

port=$(free_port)
for module in ndk_http_module ngx_http_echo_module ngx_http_headers_more_filter_module \
		ngx_stream_module ngx_http_lua_module; do
	[ ! -f $folder/$module.so ] || echo "load_module $folder/$module.so;"
done >"$tmp/conf"
cat >>"$tmp/conf" <<-END
	worker_processes 2;
	pid $tmp/pid;
	error_log $tmp/log notice;
	daemon off;
	events { worker_connections 64; }
	http {
		client_body_temp_path $tmp/body; proxy_temp_path $tmp/proxy;
		fastcgi_temp_path $tmp/fastcgi; uwsgi_temp_path $tmp/uwsgi; scgi_temp_path $tmp/scgi;
		access_log off;
		server {
			listen 127.0.0.1:$port;
			location /echo { echo hello; }
			location /lua { content_by_lua_block { ngx.say("lua ", #string.rep("x", 1000)) } }
		}
	}
	END
server_log=$tmp/log server_ready='start worker processes' server_reload=HUP server_end=QUIT
server_urls="http://127.0.0.1:$port/echo http://127.0.0.1:$port/lua"
same_server 'three reloads' "http://127.0.0.1:$port/lua" 'lua 1000' nginx -e "$tmp/log" -c "$tmp/conf"
report "$server_session" && holds <<-END
	one generation of each module: {len(generations(n)) for n in ("ngx_http_lua_module.so", "ngx_http_echo_module.so")} == {1}
	opened at the start and at each reload: {(g["opens"], g["closes"]) for m in modules if "/nginx/" in m["path"] for g in m["generations"]} == {(4, 4)}
	it stayed, still open once: {tuple(s["text"] for s in g["stays"] if s["kind"] == "open") for m in modules if "/nginx/" in m["path"] for g in m["generations"]} == {("still open once",)}
	the callers that had opened it are named: [s for s in generation("ngx_http_lua_module.so", 1)["stays"] if s["kind"] == "opened-from" and s["stack"]]
	all go at the end: {g["state"] for m in modules for g in m["generations"]} == {"unloaded"}
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	END
gone_or_explained
done_testing
