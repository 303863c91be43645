"""Objectives: who moves, in what order, descending which named terms."""
