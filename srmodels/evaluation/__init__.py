"""Scores, by the field's protocol."""
