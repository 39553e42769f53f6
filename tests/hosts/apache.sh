# An Apache with all its modules and PHP, in $tmp: what the tests of it share.

# apache_configure FILTER: $tmp/conf; PHP's extensions are those whose names FILTER lets through
apache_configure() {
	PATH=$PATH:/usr/sbin
	need apache2
	folder=/usr/lib/apache2/modules
	php=$(find $folder -name 'libphp*.so' 2>/dev/null | head -n 1)
	[ -n "$php" ] || skip_all "Apache's PHP is not here"
	PHP_INI_SCAN_DIR=$tmp/ini
	export PHP_INI_SCAN_DIR
	mkdir "$tmp/ini" "$tmp/www"
	for ini in /etc/php/*/apache2/conf.d/*.ini; do
		! echo "$ini" | grep -Eq "$1" || cp "$ini" "$tmp/ini"
	done
	cat >"$tmp/www/i.php" <<-'END'
		<?php
		echo strlen(json_encode([1, 2, 3])), "\n";
		if (class_exists("DOMDocument")) { $d = new DOMDocument; $d->loadXML("<a><b/></a>"); echo $d->saveXML(); }
		if (extension_loaded("pdo_sqlite")) { $p = new PDO("sqlite::memory:"); $p->exec("create table t(a)"); }
		if (function_exists("mb_strtoupper")) echo mb_strtoupper("abc"), "\n";
		END
	echo '<?php echo "load ", strlen(str_repeat("x", 1000)), "\n";' >"$tmp/www/load.php"
	echo 'a file' >"$tmp/www/file"
	port=$(free_port)
	apache_settings >"$tmp/conf"
	server_log=$tmp/log server_ready='resuming normal operations' server_reload=USR1 server_end=TERM
	server_urls="http://127.0.0.1:$port/i.php http://127.0.0.1:$port/load.php http://127.0.0.1:$port/file"
}

apache_settings() {
	cat <<-END
		ServerRoot $tmp
		Listen 127.0.0.1:$port
		ServerName localhost
		PidFile $tmp/pid
		ErrorLog $tmp/log
		DocumentRoot $tmp/www
		Mutex file:$tmp default
		StartServers 2
		TypesConfig /etc/mime.types
		END
	[ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n'
	for module in mpm_prefork authn_core authz_core authz_host authn_file auth_basic auth_digest \
			authn_socache socache_shmcb socache_dbm access_compat alias allowmethods asis autoindex \
			brotli buffer cache cache_disk cgi charset_lite data dav dav_fs dav_lock dbd deflate dir \
			dumpio env expires ext_filter file_cache filter headers include info ldap log_debug lua \
			macro mime mime_magic negotiation proxy proxy_http proxy_fcgi proxy_balancer slotmem_shm \
			lbmethod_byrequests ratelimit remoteip reqtimeout request rewrite sed session \
			session_cookie session_crypto setenvif ssl status substitute unique_id usertrack \
			vhost_alias watchdog xml2enc proxy_html http2; do
		[ ! -f $folder/mod_$module.so ] || echo "LoadModule ${module}_module $folder/mod_$module.so"
	done
	cat <<-END
		LoadModule php_module $php
		<FilesMatch \.php\$>
		SetHandler application/x-httpd-php
		</FilesMatch>
		<Directory $tmp/www>
		Require all granted
		</Directory>
		END
}
