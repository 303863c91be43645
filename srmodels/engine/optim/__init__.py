"""Optimizers, their schedule, and the moving average of the weights (EMA).

Begin with `optim`.
"""
