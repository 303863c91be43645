"""Curves in CSV files, the progress bar and MLflow; begin with `record`."""
