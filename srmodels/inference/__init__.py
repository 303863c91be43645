"""Whole pictures through a trained generator.

Begin with `api` (what `srmodels.load` gives); `tiling` computes, `weights` opens files, `files`
reads and writes people's.
"""
