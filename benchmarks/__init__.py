"""Peers and uniflogits, timed alternately in one process: `python -m benchmarks --help`."""
