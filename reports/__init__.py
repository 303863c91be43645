"""Writes docs/ and README.md's tables from the files of the pipeline: a module per page or part."""
