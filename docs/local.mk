# Manual pages, the design, examples.
dist_man_MANS += %D%/relib.1 %D%/relib-leaks.1 %D%/relib-run.1
EXTRA_DIST += %D%/json.md
