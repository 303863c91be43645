"""Experiments side by side: whether they differ, how sure that is, and what it looks like."""
