"""One file per format. Start at `decode` (8-bit sRGB) or `source_image` (values as stored)."""
