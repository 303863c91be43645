"""Training with several processes.

`launcher` reads rank and world size; `collectives` has all-reduce and related operations.
"""
