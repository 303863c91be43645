"""Data sets by name: what they hold, their download, their archives.

Begin with `catalog`, which turns `data.photos` into folders; `download` fetches, over `http`.
"""
