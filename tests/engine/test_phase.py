"""What a phase refuses before it begins, and where its LR comes from."""

from pathlib import Path

import pytest
import torch

from srmodels.data.batches.batch import Batch
from srmodels.distributed import collectives
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.phase import Phase, lr_maker, sampler_for
from srmodels.engine.settings import TrainSettings
from srmodels.errors import ConfigError
from srmodels.models.srresnet import Settings
from srmodels.resize.images import downscale
from srmodels.resize.tensors import to_image


def phase_of(tmp_path, share=None, **settings):
    return Phase(
        name="pretrain",
        settings=TrainSettings(steps=1, **settings),
        seed=0,
        scale=4,
        patches=Path("none"),
        checkpoints=Checkpoints(tmp_path, {}),
        network="srresnet",
        network_settings=Settings(members=2),
        weights=Path("none"),
        best=Path("none"),
        own_lr_share=share,
    )


@pytest.mark.parametrize(("accumulate", "processes"), [(1, 4), (2, 2)])
def test_a_process_without_a_crop_for_each_member_is_refused(
    accumulate, processes, tmp_path, monkeypatch
):
    monkeypatch.setattr(collectives, "world_size", lambda: processes)
    phase = phase_of(tmp_path, batch_size=4, accumulate=accumulate)
    problem = rf"too few crops for 2 members.*got 1 at once in each of {processes} processes"
    with pytest.raises(ConfigError, match=rf"training\.batch_size: {problem}"):
        sampler_for(phase)


@pytest.mark.parametrize(("share", "degradation"), [(None, "bicubic"), (1.0, "second_order")])
def test_lr_of_the_store_is_kept_where_none_is_to_be_made(share, degradation, tmp_path, caplog):
    assert lr_maker(phase_of(tmp_path, share, degradation=degradation)) is None
    assert ("degradation has no effect" in caplog.text) == (share == 1)


@pytest.mark.parametrize("degradation", ["bicubic", "second_order"])
def test_a_share_of_the_batch_keeps_the_lr_of_ones_own(degradation, tmp_path):
    make = lr_maker(phase_of(tmp_path, 0.75, degradation=degradation, batch_size=200))
    hr = torch.rand(200, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    batch = Batch(lr=torch.full((200, 3, 8, 8), -1.0), hr=hr, photos=("a",) * 200)
    first, again, later = (make(batch, step) for step in (0, 0, 1))
    own = [(lr == -1).flatten(1).all(1) for lr in (first, again, later)]
    assert torch.equal(first, again)
    assert not torch.equal(own[0], own[2])
    assert 130 < own[0].sum() < 170
    if degradation == "bicubic":
        made = to_image(hr[~own[0]][:1])
        assert (to_image(first[~own[0]][:1]) == downscale(made, 4)).mean() > 0.9
