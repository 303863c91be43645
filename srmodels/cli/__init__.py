"""The command `srmodels`: one file per command, or per group of them.

Begin with `main`, which registers them; `options` holds what several share.
"""
