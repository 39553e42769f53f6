# Manual pages, the design, examples.
dist_man_MANS += %D%/relib.1 %D%/relib-leaks.1 %D%/relib-run.1
dist_man_MANS += %D%/relib-check.1 %D%/relib-test.1
EXTRA_DIST += %D%/json.md
EXTRA_DIST += \
	%D%/demo.sh \
	%D%/design.md \
	%D%/hosts.md \
	%D%/examples/host.c \
	%D%/examples/leaky.c \
	%D%/examples/modules.lua
