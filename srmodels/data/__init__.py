"""From photographs to batches."""
