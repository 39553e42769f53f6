# Hosts that unload modules, as distributions ship them; each is skipped where it is not installed.
hosts_tests = \
	%D%/alsaloop.t \
	%D%/bash.t \
	%D%/lua.t \
	%D%/perlodbc.t \
	%D%/php.t \
	%D%/pyctypes.t \
	%D%/slapd.t \
	%D%/sqlite.t \
	%D%/tcl.t \
	%D%/zsh.t

TESTS += $(hosts_tests)
EXTRA_DIST += $(hosts_tests) %D%/lib.sh
