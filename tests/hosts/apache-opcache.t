#!/bin/sh
# Apache with PHP and opcache: PHP stays from its second load on, and opcache, which nobody closes, is named as its holder.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server.sh"
. "$(dirname "$0")/apache.sh"
apache_configure '/[0-9]*-(opcache|mysqlnd|pdo|xml|dom|mbstring|pdo_sqlite|sqlite3|simplexml|ctype|iconv|tokenizer)\.ini'
find "$tmp/ini" | grep -q opcache || skip_all "PHP's opcache is not here"

same_server 'three restarts' "http://127.0.0.1:$port/load.php" 'load 1000' apache2 -d "$tmp" -f "$tmp/conf" -DFOREGROUND
php=$(basename "$php")
report "$server_session" && holds <<-END
	PHP goes after the look at the configuration, and never again: [g["state"] for g in generations("$php")] == ["unloaded", "loaded"]
	it was closed at each restart: generation("$php", 2)["closes"] == 4
	opcache has bound its symbols: {(s["kind"], os.path.basename(s["object"])) for s in generation("$php", 2)["stays"] if s["current"]} == {("bound", "opcache.so")}
	opcache was never closed: generation("opcache.so", 1)["closes"] == 0
	Apache's own modules go: {g["state"] for m in modules if "/mod_" in m["path"] for g in m["generations"]} == {"unloaded"}
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	END
gone_or_explained
done_testing
