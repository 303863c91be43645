"""What a training tells: curves in CSV, a progress bar, MLflow.

Begin with `record`, which receives every figure; `mlflow_tracker` sends them on.
"""
