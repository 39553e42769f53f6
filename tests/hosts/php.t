#!/bin/sh
# php opens its extensions with RTLD_DEEPBIND and closes them at the end: the flag is taken away, all go, and it is quiet.
. "$(dirname "$0")/lib.sh"
need php
php -r 'exit(extension_loaded("json") ? 0 : 1);' 2>/dev/null || skip_all 'this php does not run'

cat >"$tmp/script.php" <<-'END'
	<?php
	echo count(get_loaded_extensions()), "\n";
	echo json_encode([1, 2, 3]), "\n";
	if (class_exists("DOMDocument")) { $d = new DOMDocument; $d->loadXML("<a><b/></a>"); echo $d->saveXML(); }
	if (extension_loaded("pdo_sqlite")) { $p = new PDO("sqlite::memory:"); $p->exec("create table t(a)"); }
	if (function_exists("mb_strtoupper")) echo mb_strtoupper("abc"), "\n";
	END
same_host 'a script' php "$tmp/script.php"
report && holds <<-END
	extensions are modules: [m for m in modules if "/php/" in m["path"]]
	they go: {g["state"] for m in modules if "/php/" in m["path"] for g in m["generations"]} == {"unloaded"}
	the flag was taken away, and noted: notes("deepbind")
	nothing is leaked: totals["leaked"] == (0, 0)
	nothing is kept: totals["kept"] == (0, 0)
	END
gone_or_explained
done_testing
