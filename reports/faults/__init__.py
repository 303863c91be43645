"""Common faults of super-resolution code, built on purpose and measured against this project.

`python -m reports.faults run` measures them, `python -m reports.faults show` writes docs/FAULTS.md.
faults.yaml has the page's texts; a module per fault has the code. `srmodels` itself has no switch
that turns a fault on.
"""
