"""The command `srmodels`: one file per command or per group of commands.

Begin with `main`, which registers the commands; `options` holds the options that several share.
"""
