"""Checkpoints for a bit-exact resume; begin with `checkpoint`."""
