"""The training loop of all objectives.

Begin with `phase` (a training from networks to files), then `train` (the loop) and `step`.
"""
