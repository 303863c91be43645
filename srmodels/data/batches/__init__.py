"""Training batches; the batch of a step depends on (seed, step) alone. Start with `paired`."""
