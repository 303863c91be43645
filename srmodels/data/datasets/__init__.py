"""Named data sets: definitions, downloads, archives.

Start with `catalog`, which resolves `data.photos` into folders.
"""
