"""Reads and writes image files: every format, colour profiles, metadata.

Start at `readers/decode` and `writers/write`.
"""
