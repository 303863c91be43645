"""JPEG 2000: `read` decodes, `header` says what the channels mean."""
