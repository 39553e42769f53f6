# Check programs, one per file under test.
