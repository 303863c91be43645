"""What writes docs/ and the README's tables from the files that the pipeline wrote.

Begin with `results` (docs/RESULTS.md), `recipes` and `readme` (the README), `faults`
(docs/FAULTS.md).
"""
