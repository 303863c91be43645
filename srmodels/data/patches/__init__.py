"""Photographs to aligned patches: `extract`, by many processes; each runs `worker` and so `cut`."""
