"""What a phase refuses before it begins."""

from pathlib import Path

import pytest

from srmodels.distributed import collectives
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.phase import Phase, sampler_for
from srmodels.engine.settings import TrainSettings
from srmodels.errors import ConfigError
from srmodels.models.srresnet import Settings


@pytest.mark.parametrize(("accumulate", "processes"), [(1, 4), (2, 2)])
def test_a_process_without_a_crop_for_each_member_is_refused(
    accumulate, processes, tmp_path, monkeypatch
):
    monkeypatch.setattr(collectives, "world_size", lambda: processes)
    phase = Phase(
        name="pretrain",
        settings=TrainSettings(steps=1, batch_size=4, accumulate=accumulate),
        seed=0,
        scale=4,
        patches=Path("none"),
        checkpoints=Checkpoints(tmp_path, {}),
        network="srresnet",
        network_settings=Settings(members=2),
        weights=Path("none"),
        best=Path("none"),
    )
    problem = rf"too few crops for 2 members.*got 1 at once in each of {processes} processes"
    with pytest.raises(ConfigError, match=rf"training\.batch_size: {problem}"):
        sampler_for(phase)
