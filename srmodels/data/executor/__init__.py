"""Runs tasks on the processes of this machine or of a dask cluster, by `concurrent.futures`.

Begin with `run`, the loop; `processes` and `cluster` are the two executors, `task` what they
run; its `ProgressNote` ends a process that is at one photograph for too long.
"""
