# make bench: ratios measured side by side.
EXTRA_DIST += \
	%D%/bench.cc \
	%D%/bench.py \
	%D%/server.py \
	%D%/work.cc \
	%D%/work.h

bench: all
	$(AM_TESTS_ENVIRONMENT) python3 $(srcdir)/%D%/bench.py
	$(AM_TESTS_ENVIRONMENT) python3 $(srcdir)/%D%/server.py
.PHONY: bench
