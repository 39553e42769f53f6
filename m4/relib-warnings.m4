dnl RELIB_WARNINGS: puts into WARN_CFLAGS the warnings that the compiler knows.
AC_DEFUN([RELIB_WARNINGS], [
	WARN_CFLAGS=
	for flag in -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
		-Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 \
		-Wimplicit-fallthrough -Wno-unused-parameter; do
		saved=$CFLAGS
		CFLAGS="$CFLAGS -Werror $flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [WARN_CFLAGS="$WARN_CFLAGS $flag"])
		CFLAGS=$saved
	done
])
