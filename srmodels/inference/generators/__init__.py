"""Generators as callables: picture in, larger picture out.

Begin with `generator`; `sample` draws from a VAE, `self_ensemble` averages flips and turns.
"""
