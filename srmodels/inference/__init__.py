"""Whole pictures through a trained generator.

Begin with `api` (`srmodels.load`). `tiling` runs networks, `weights` opens weights, `files` reads
and writes picture files.
"""
