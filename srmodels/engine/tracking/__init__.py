"""Curves in CSV files, the progress bar and MLflow; begin with `record`."""

from srmodels.runs.connection import prepare_mlflow

prepare_mlflow()
