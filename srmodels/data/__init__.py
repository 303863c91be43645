"""From photographs to batches.

`datasets` downloads named sets, `photos` lists photographs, `split` divides them, `patches` cuts
them into the `store`, `batches` draws crops from it, `degradation` makes LR on the device.
"""
