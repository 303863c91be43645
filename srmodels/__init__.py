"""srmodels: an experiment pipeline for image super-resolution."""
