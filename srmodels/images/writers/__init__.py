"""One file per format; `write` is the way out.

`row_stream` hands rows over as they are computed, so that no picture is held whole.
"""
