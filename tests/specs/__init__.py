"""One file per operation: what the matrix needs to know about it, as SPEC."""
