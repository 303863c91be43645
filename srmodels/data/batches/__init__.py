"""Batches of crops: the batch of a step is a function of (seed, step).

Begin with `paired`; `unpaired` gives LR and HR of different photographs, `augment` flips and turns.
"""
