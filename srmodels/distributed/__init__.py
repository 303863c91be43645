"""Training with several processes: `launcher` reads rank and world size, then `collectives`."""
