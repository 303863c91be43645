"""Weights as generators: snapshots, public files, MLflow's registry. Begin with `open`."""
