"""Generators as callables, picture in, larger picture out.

Begin with `generator`; `self_ensemble` averages flips and rotations.
"""
