"""Pictures of any size through a network, with bounded memory and without seams.

Begin with `upscale`. `streamed` serves networks with trunk and tail, `tiled` all others.
"""
