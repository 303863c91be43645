import pytest
import torch
from lightning_fabric import Fabric

from srmodels.engine.checkpoint import Checkpoints
from srmodels.errors import NonFiniteError
from tests.engine.toys import Silent, ToySource, trainer


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


def folder(tmp_path, name="run"):
    path = tmp_path / name
    path.mkdir()
    return Checkpoints(path)


class KilledError(Exception):
    """Stands for a kill: nothing after the step it hits is done."""


def killed_at(source, step):
    class Cut:
        def batch(self, k):
            if k == step:
                raise KilledError
            return source.batch(k)

    return Cut()


def test_five_steps_a_kill_and_five_more_equal_ten_bit_for_bit(fabric, tmp_path) -> None:
    whole, cut = folder(tmp_path, "whole"), folder(tmp_path, "cut")
    expected = trainer(fabric, whole).run(ToySource(), title="whole").state_dict()
    with pytest.raises(KilledError):
        trainer(fabric, cut).run(killed_at(ToySource(), 5), title="cut")
    found = trainer(fabric, cut).run(ToySource(), title="cut").state_dict()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    for curve in ("losses.csv", "validation.csv"):
        assert (whole.folder / curve).read_bytes() == (cut.folder / curve).read_bytes()


def test_a_kill_after_the_last_step_leaves_nothing_to_do_but_keeps_the_scores(
    fabric, tmp_path
) -> None:
    checkpoints = folder(tmp_path)
    trainer(fabric, checkpoints).run(ToySource(), title="first")
    again = trainer(fabric, checkpoints)
    again.run(killed_at(ToySource(), 0), title="again")
    assert set(again.scores) == {"validation_weight"}


def test_a_nan_stops_the_run_before_any_parameter_moves_and_names_the_photographs(
    fabric, tmp_path
) -> None:
    run = trainer(fabric, folder(tmp_path))
    expected = trainer(fabric, folder(tmp_path, "healthy"), steps=10)
    with pytest.raises(KilledError):
        expected.run(killed_at(ToySource(), 5), title="healthy")
    with pytest.raises(NonFiniteError, match=r"step 6: .*generator/pixel.*cat\.png, dog\.png"):
        run.run(ToySource(poison=5), title="poisoned")
    for role in ("generator", "discriminator"):
        pairs = zip(
            run.networks[role].parameters(), expected.networks[role].parameters(), strict=True
        )
        assert all(torch.equal(mine, its) for mine, its in pairs)


def test_every_term_of_every_player_is_on_the_curve_under_its_name(fabric, tmp_path) -> None:
    watcher = Silent()
    trainer(fabric, folder(tmp_path), watcher=watcher).run(ToySource(), title="run")
    names = {name for _, scalars in watcher.points for name in scalars}
    assert {
        "generator/pixel",
        "generator/adversarial",
        "generator/gradient_norm",
        "discriminator/adversarial",
        "learning_rate",
        "images_per_second",
        "data_wait_share",
        "validation_weight",
    } <= names


def test_a_point_of_the_curve_is_the_mean_since_the_point_before(fabric, tmp_path) -> None:
    watcher = Silent()
    trainer(fabric, folder(tmp_path), steps=6, watcher=watcher).run(ToySource(), title="run")
    rates = [
        scalars["learning_rate"] for _, scalars in watcher.points if "learning_rate" in scalars
    ]
    assert rates[0] == pytest.approx((0.01 + 0.0093301 + 0.0075) / 3, rel=1e-4)
