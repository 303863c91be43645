"""The training loop of all objectives.

From the outside to the inside: a stage calls `phase.train_phase` (networks to files), which runs
`train.Trainer.run` (the loop), which calls `Trainer.step` (rate, average, skipped steps), which
calls `step.take_step` (gradients and updates).
"""
