#!/bin/sh
# Apache with PHP and without opcache, three graceful restarts under load: all modules go each time, with what PHP leaves.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server.sh"
. "$(dirname "$0")/apache.sh"
apache_configure '/[0-9]*-(mysqlnd|pdo|xml|dom|mbstring|pdo_sqlite|sqlite3|simplexml|ctype|iconv|tokenizer)\.ini'

same_server 'three restarts' "http://127.0.0.1:$port/load.php" 'load 1000' apache2 -d "$tmp" -f "$tmp/conf" -DFOREGROUND
php=$(basename "$php")
# the first load is only for a look at the configuration
report "$server_session" && holds <<-END
	PHP goes at each restart: [g["state"] for g in generations("$php")] == ["unloaded"] * 5
	so do Apache's modules: {g["state"] for m in modules if "/mod_" in m["path"] for g in m["generations"]} == {"unloaded"}
	and PHP's: {g["state"] for m in modules if "/php/" in m["path"] for g in m["generations"]} == {"unloaded"}
	a lot: sum(len(m["generations"]) for m in modules) > 250
	PHP leaves 1,400 blocks each time, but the first: min(g["leaked"]["blocks"] for g in generations("$php")[1:]) > 1400
	as many each time, but for one: max(g["leaked"]["blocks"] for g in generations("$php")[1:]) - min(g["leaked"]["blocks"] for g in generations("$php")[1:]) <= 2
	nobody else leaves anything: leavers() == ["$php"]
	nothing is kept: totals["kept"] == (0, 0)
	all of it is freed: totals["reclaimed"] == totals["leaked"]
	END
gone_or_explained
done_testing
