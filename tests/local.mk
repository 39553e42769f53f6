# Everything that proves the rest.  Unit tests are Check programs that print
# TAP, system tests are scripts that run real programs and print TAP.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER_FLAGS = --ignore-exit
TEST_EXTENSIONS = .t
T_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
T_LOG_DRIVER_FLAGS =
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(top_srcdir)'; export top_srcdir; \
	top_builddir='$(top_builddir)'; export top_builddir; \
	CC='$(CC)'; export CC; CXX='$(CXX)'; export CXX; RUSTC='$(RUSTC)'; export RUSTC; \
	VALGRIND='$(VALGRIND)'; export VALGRIND;

include tests/unit/local.mk
include tests/sys/local.mk
include tests/hosts/local.mk
include tests/bench/local.mk
include tests/fuzz/local.mk
