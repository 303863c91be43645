"""The patch store on disk: shards of patches, and their index.

Begin with `reader`; `writer` makes shards, `npy` and `webp` are the two kinds of file.
"""
