"""Faults that recur in public code, each built on purpose and measured beside this project's way.

`python -m reports.faults run` measures them (metrics/faults/NAME.json and the pictures beside the
page); `python -m reports.faults show` writes docs/FAULTS.md from those files. Nothing here is part
of the package: `srmodels` has no switch that turns a fault on.
"""
