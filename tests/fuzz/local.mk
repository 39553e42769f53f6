# Fuzzers of the parsers.
