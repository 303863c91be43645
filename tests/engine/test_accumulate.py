import pytest
import torch
from torch import nn

from srmodels.data.batches.batch import Batch
from srmodels.engine.step import take_step
from srmodels.errors import NonFiniteError
from srmodels.objectives.turn import Turn


def players(device):
    """Two networks without batch norm, the second one's turn after the first one's."""
    torch.manual_seed(0)
    networks = [nn.Conv2d(3, 3, 3, padding=1).to(device) for _ in range(2)]

    def first(batch, shared):
        sr = networks[0](batch.lr)
        shared["sr"] = sr.detach()
        shared["mean"] = sr.detach().mean()
        return {"pixel": (sr - batch.hr).abs().mean(), "adversarial": 0.1 * networks[1](sr).mean()}

    def second(batch, shared):
        return {"square": networks[1](shared["sr"]).square().mean()}

    turns = [Turn("one", (networks[0],), first), Turn("two", (networks[1],), second)]
    optimizers = {t.player: torch.optim.Adam(t.networks[0].parameters(), lr=0.1) for t in turns}
    return networks, turns, optimizers


@pytest.fixture
def batch(device) -> Batch:
    lr, hr = torch.rand(2, 6, 3, 8, 8, generator=torch.Generator().manual_seed(1)).to(device)
    return Batch(lr=lr, hr=hr, photos=tuple("abcdef"))


@pytest.mark.parametrize("clip_norm", [0.0, 1e-2])
def test_three_parts_equal_the_whole_batch(fabric, batch, clip_norm) -> None:
    whole, parted = players(fabric.device), players(fabric.device)
    for _ in range(3):
        expected = take_step(fabric, *whole[1:], batch, shared={}, clip_norm=clip_norm)
        in_parts = take_step(fabric, *parted[1:], batch, shared={}, parts=3, clip_norm=clip_norm)
    torch.testing.assert_close(in_parts, expected)
    for mine, theirs in zip(parted[0], whole[0], strict=True):
        torch.testing.assert_close(mine.state_dict(), theirs.state_dict())


def test_a_fault_in_the_last_part_moves_nobody(fabric, batch) -> None:
    networks, turns, optimizers = players(fabric.device)
    before = [each.weight.detach().clone() for each in networks]
    batch.hr[-1, 0, 0, 0] = torch.nan
    with pytest.raises(NonFiniteError, match="one/pixel"):
        take_step(fabric, turns, optimizers, batch, shared={}, parts=3)
    assert all(torch.equal(b, each.weight) for b, each in zip(before, networks, strict=True))
