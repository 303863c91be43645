"""What MLflow holds, for reading: the runs of experiments, and generators under a name."""
