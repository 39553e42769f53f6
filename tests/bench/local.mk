# make bench: ratios measured side by side.
EXTRA_DIST += \
	%D%/bench.cc \
	%D%/bench.py \
	%D%/work.cc \
	%D%/work.h

bench: all
	$(AM_TESTS_ENVIRONMENT) python3 $(srcdir)/%D%/bench.py
.PHONY: bench
