"""Writes the generated parts of README.md and docs/ from the files of the pipeline.

`readme` writes README.md's scores and docs/SPEED.md; `results` docs/RESULTS.md and the README's
table; `recipes`, `faults` and `settings` the pages of their names. `site` is a part of mkdocs.yml.
"""
