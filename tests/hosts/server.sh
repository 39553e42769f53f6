# What the tests of servers share, on top of lib.sh: a server on loopback is
# asked, reloaded three times under load, asked after each, and ended.
#
#	server_log=$tmp/log server_ready='start worker' server_reload=HUP server_end=QUIT
#	server_urls="http://127.0.0.1:$port/e http://127.0.0.1:$port/l"
#	same_server 'three reloads' http://127.0.0.1:$port/e hello nginx -c "$tmp/conf"
#	report "$server_session" && holds ...
#
# server_ready is what the log says once for each start and reload; the given
# URL is the load's, and answers with the given line.

# the server's children may be another user's
chmod 755 "$tmp"
load=$top_srcdir/tests/hosts/load.py
server_pid=
trap 'server_leave' EXIT

server_leave() {
	[ -z "$server_pid" ] || { kill -TERM "$server_pid"; wait "$server_pid"; } 2>/dev/null
	test_leave
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# server_wait TIMES: the log says that it is ready for the TIMESth time.
server_wait() {
	server_patience=600
	until [ "$(grep -c "$server_ready" "$server_log" 2>/dev/null || :)" -ge "$1" ] 2>/dev/null; do
		server_patience=$((server_patience - 1))
		if [ $server_patience -eq 0 ] || ! kill -0 "$server_pid" 2>/dev/null; then
			echo "it is not ready for the ${1}th time"
			return
		fi
		sleep 0.05
	done
}

# server_answers: of all URLs
server_answers() {
	# shellcheck disable=SC2086
	python3 "$load" get $server_urls 2>&1 | tail -n 40
}

# server_reloads URL BODY: three, under load; what was lost goes to $server_output.lost
server_reloads() {
	rm -f "$tmp/to-load" "$tmp/from-load"
	mkfifo "$tmp/to-load" "$tmp/from-load"
	python3 "$load" load "$1" "$2" 4 <"$tmp/to-load" >"$tmp/from-load" 2>"$server_output.why" &
	exec 6>"$tmp/to-load" 7<"$tmp/from-load"
	for server_turn in 2 3 4; do
		echo 100 >&6
		read -r server_word <&7
		kill -"$server_reload" "$server_pid"
		server_wait $server_turn
		echo 100 >&6
		read -r server_word <&7
		server_answers
	done
	exec 6>&-
	cat <&7 >"$server_output.lost"
	exec 7<&-
}

# server_run OUTPUT URL BODY COMMAND...: its answers, what it said, and its status go to OUTPUT.
server_run() {
	server_output=$1 server_url=$2 server_body=$3
	shift 3
	rm -f "$server_log"
	# Apache ends the whole process group it is in
	setsid "$@" >"$server_output.said" 2>&1 </dev/null &
	server_pid=$!
	{
		server_wait 1
		server_answers
		server_reloads "$server_url" "$server_body"
	} >"$server_output"
	kill -"$server_end" "$server_pid" 2>/dev/null
	wait "$server_pid"
	echo "status $?" >>"$server_output"
	cat "$server_output.said" >>"$server_output"
	server_last=$server_pid
	server_pid=
}

# same_server NAME URL BODY COMMAND...: the same answers and end with the shim as without, and no
# more requests lost; $server_session is its session then.
same_server() {
	same_name=$1
	shift
	server_run "$tmp/plain.out" "$@"
	grep -q "^$2\$" "$tmp/plain.out" ||
		skip_all "this server does not run here: $(tail -n 1 "$tmp/plain.out")"
	same_url=$1 same_body=$2
	shift 2
	server_run "$tmp/shim.out" "$same_url" "$same_body" \
		env ${RELIB_TEST_PLAIN:+-u} LD_PRELOAD${RELIB_TEST_PLAIN:-="$shim"} "$@"
	same_file "$same_name: the same answers, the same end" "$tmp/shim.out" "$tmp/plain.out"
	ok "$same_name: no request is lost that is not lost without" \
		test "$(cat "$tmp/shim.out.lost")" -le "$(cat "$tmp/plain.out.lost")"
	[ ! -s "$tmp/shim.out.why" ] || diag "$(cat "$tmp/shim.out.why")"
	server_session=$RELIB_DIR/$(basename "$1").$server_last/session
}
