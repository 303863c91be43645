"""Writes docs/ and the README's tables from the files of the pipeline.

`results` writes docs/RESULTS.md, `recipes` and `readme` write README.md, `faults` writes
docs/FAULTS.md.
"""
