"""Pictures in every format: reading, writing, colour, metadata.

`readers/decode` is the way in, `writers/write` the way out.
"""
