"""Lock + layout → file: parallel, resumable, in a single pass."""
