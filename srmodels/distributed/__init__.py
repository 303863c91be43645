"""Several processes in one training: who they are, and what they tell each other.

`launcher` reads torchrun's and SLURM's variables, `collectives` holds all-reduce and friends.
"""
