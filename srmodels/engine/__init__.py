"""The one training loop for all objectives.

Begin with `phase` (a training from start to files), then `train` (the loop) and `step` (one turn).
"""
