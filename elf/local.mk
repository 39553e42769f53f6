# The reading of ELF files and of debug information, for the command line.
noinst_LTLIBRARIES += %D%/libelfread.la
%C%_libelfread_la_SOURCES =
%C%_libelfread_la_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS) $(ELF_CFLAGS) $(DW_CFLAGS)
%C%_libelfread_la_LIBADD = $(DW_LIBS) $(ELF_LIBS)
