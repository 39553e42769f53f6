# make bench: ratios measured side by side.
