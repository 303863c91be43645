"""One file per format; `decode` (8-bit sRGB) and `source_image` (as stored) are the ways in.

`dispatch` chooses the reader by the content of the file.
"""
