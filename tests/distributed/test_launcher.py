import pytest

from srmodels.distributed.launcher import Launch, launch

VARIABLES = {
    "torchrun": {
        "TORCHELASTIC_RUN_ID": "none",
        "RANK": "9",
        "WORLD_SIZE": "16",
        "LOCAL_WORLD_SIZE": "8",
        "LOCAL_RANK": "1",
    },
    "srun": {
        "SLURM_STEP_NUM_TASKS": "16",
        "SLURM_NTASKS": "16",
        "SLURM_NTASKS_PER_NODE": "8",
        "SLURM_PROCID": "9",
    },
    "fabric": {"LOCAL_RANK": "1", "WORLD_SIZE": "8"},
    "batch script": {"SLURM_NTASKS": "16", "SLURM_NTASKS_PER_NODE": "8", "SLURM_PROCID": "0"},
    "nobody": {},
}
PLACES = {
    "torchrun": Launch(rank=9, world_size=16, local_world_size=8),
    "srun": Launch(rank=9, world_size=16, local_world_size=8),
    "fabric": Launch(rank=1, world_size=8, local_world_size=8),
    "batch script": Launch(),
    "nobody": Launch(),
}


@pytest.mark.parametrize("launcher", VARIABLES)
def test_a_process_knows_its_place_from_what_its_launcher_left(launcher, monkeypatch) -> None:
    for name in {name for variables in VARIABLES.values() for name in variables}:
        monkeypatch.delenv(name, raising=False)
    for name, value in VARIABLES[launcher].items():
        monkeypatch.setenv(name, value)
    assert launch() == PLACES[launcher]
