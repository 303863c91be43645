"""Optimizers, learning-rate schedules and the EMA of the weights; begin with `optim`."""
