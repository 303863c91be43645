"""From a folder of photographs to a verdict: trains recipes with several seeds, and compares them.

All work is done by commands of DVC, which are printed.
"""
