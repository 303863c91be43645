"""From photographs to batches, in the order in which a photograph passes through.

`datasets` fetches named sets, `photos` lists the photographs, `split` divides them, `patches` cuts
them into the `store`, `batches` draws crops from it, `degradation` makes LR on the device.
"""
