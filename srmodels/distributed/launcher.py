"""Rank and world size from the environment variables of torchrun, SLURM or Lightning Fabric."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Launch:
    """The place of this process in its training."""

    rank: int = 0  # From 0, over all machines. Rank 0 writes files and log lines.
    world_size: int = 1  # processes on all machines
    local_world_size: int = 1  # processes on this machine


def launch() -> Launch:
    """Reads this process's place; a process that nobody launched has rank 0 of 1."""
    env = os.environ
    if "TORCHELASTIC_RUN_ID" in env:  # torchrun and `fabric run`
        return Launch(int(env["RANK"]), int(env["WORLD_SIZE"]), int(env["LOCAL_WORLD_SIZE"]))
    # a batch script without srun is one process, although SLURM_NTASKS is set there, too
    tasks = int(env.get("SLURM_STEP_NUM_TASKS", 1))
    if tasks > 1:
        local = int(env.get("SLURM_NTASKS_PER_NODE", tasks))
        return Launch(int(env["SLURM_PROCID"]), tasks, local)
    if "LOCAL_RANK" in env and "WORLD_SIZE" in env:  # Fabric's own launcher, on one machine
        processes = int(env["WORLD_SIZE"])
        return Launch(int(env["LOCAL_RANK"]), processes, processes)
    return Launch()
