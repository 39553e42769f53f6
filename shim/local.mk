# The preload library.
noinst_HEADERS += %D%/session-format.h
