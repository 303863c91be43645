"""The patch store on disk: shards of patches and their index.

Start with `reader`; `writer` makes shards, `files` opens them.
"""
