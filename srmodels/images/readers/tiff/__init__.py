"""TIFF: `read` interprets a page, `samples` unpacks it, `segments` decompresses it."""
