"""Benchmarks against the usual way of doing the same work, both timed in one run."""
