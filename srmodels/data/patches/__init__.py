"""Extraction: photographs to aligned LR/HR patches, on many processes.

Begin with `extract`; `worker` is what one process does, `cut` handles one photograph.
"""
