"""Files of weights, opened: ours, public ones, those of MLflow's registry.

Begin with `open`.
"""
