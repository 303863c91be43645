"""MATLAB's bicubic resize, for two kinds of pictures.

`images`: uint8 (H, W, 3), exact, reducing only: LR of data sets and scores. `tensors`: float
(N, C, H, W), differentiable, both ways: in networks and losses, and the bicubic baseline.
"""
