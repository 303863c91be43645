"""A picture of any size through a network, with bounded memory and without seams.

Begin with `upscale`; `streamed` rolls a `trunk` down the picture, `tiled` is for networks without
one.
"""
