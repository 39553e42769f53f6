# Hosts that unload modules, as distributions ship them; each is skipped where it is not installed.
hosts_tests = \
	%D%/alsaloop.t \
	%D%/apache-opcache.t \
	%D%/apache.t \
	%D%/bash.t \
	%D%/gdkpixbuf.t \
	%D%/ladspa.t \
	%D%/lua.t \
	%D%/nbdkit.t \
	%D%/nginx.t \
	%D%/perlodbc.t \
	%D%/php.t \
	%D%/pyctypes.t \
	%D%/slapd.t \
	%D%/sox.t \
	%D%/sqlite.t \
	%D%/tcl.t \
	%D%/weechat.t \
	%D%/zsh.t

TESTS += $(hosts_tests)
EXTRA_DIST += $(hosts_tests) %D%/apache.sh %D%/lib.sh %D%/load.py %D%/server.sh
