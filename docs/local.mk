# Manual pages, the design, examples.
