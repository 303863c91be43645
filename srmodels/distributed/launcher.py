"""Who started this process, and which of several it is: what a launcher leaves in the environment.

That is torchrun (and so `fabric run`), SLURM's srun, or Lightning Fabric, which starts the others
of one machine itself. A process that nobody launched is the only one, or the first.
"""

import os
from dataclasses import dataclass

__all__ = ["Launch", "launch"]


@dataclass(frozen=True)
class Launch:
    """This process among those of its training.

    Attributes:
        rank: From 0, over all machines; the process of rank 0 writes and speaks.
        processes: How many there are on all machines.
        here: How many of them are on this machine.
    """

    rank: int = 0
    processes: int = 1
    here: int = 1


def launch() -> Launch:
    """This process's place, as its environment tells it."""
    found = os.environ
    if "TORCHELASTIC_RUN_ID" in found:
        return Launch(int(found["RANK"]), int(found["WORLD_SIZE"]), int(found["LOCAL_WORLD_SIZE"]))
    # a batch script without srun has the job's SLURM_NTASKS, too, but is one process
    tasks = int(found.get("SLURM_STEP_NUM_TASKS", 1))
    if tasks > 1:
        here = int(found.get("SLURM_NTASKS_PER_NODE", tasks))
        return Launch(int(found["SLURM_PROCID"]), tasks, here)
    if "LOCAL_RANK" in found and "WORLD_SIZE" in found:  # Fabric's own launcher, on one machine
        processes = int(found["WORLD_SIZE"])
        return Launch(int(found["LOCAL_RANK"]), processes, processes)
    return Launch()
