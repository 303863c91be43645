"""Ratios against the plain way of doing the same work, each from one run."""
