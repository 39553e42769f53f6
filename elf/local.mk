# The reading of ELF files and of debug information, for the command line.
noinst_LTLIBRARIES += %D%/libelfread.la
%C%_libelfread_la_SOURCES = \
	%D%/closure.c \
	%D%/closure.h \
	%D%/demangle.c \
	%D%/demangle.h \
	%D%/dynamic.c \
	%D%/dynamic.h \
	%D%/error.c \
	%D%/error.h \
	%D%/finalizers.c \
	%D%/finalizers.h \
	%D%/function-names.c \
	%D%/function-names.h \
	%D%/image.c \
	%D%/image.h \
	%D%/inlined.c \
	%D%/inlined.h \
	%D%/library-search.c \
	%D%/library-search.h \
	%D%/loader-cache.c \
	%D%/loader-cache.h \
	%D%/memory.c \
	%D%/memory.h \
	%D%/plugin-file.c \
	%D%/plugin-file.h \
	%D%/relocation.h \
	%D%/symbolizer.c \
	%D%/symbolizer.h \
	%D%/variable-type.c \
	%D%/variable-type.h \
	%D%/variable.c \
	%D%/variable.h \
	%D%/versions.c
%C%_libelfread_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_libelfread_la_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS) $(ELF_CFLAGS) $(DW_CFLAGS)
%C%_libelfread_la_LIBADD = $(DW_LIBS) $(ELF_LIBS)
