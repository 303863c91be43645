import logging

import pytest
import torch

from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.fingerprint import fingerprint_of
from srmodels.engine.checkpoint.rng_state import RNGState
from srmodels.engine.early_stopping import EarlyStoppingSettings
from srmodels.engine.settings import RunSettings
from srmodels.errors import NonFiniteError
from tests.engine.toys import RecordingLogger, ToySource, fabric_on, trainer

AT_FIVE = RunSettings(checkpoint_seconds=1e9, checkpoint_steps=5)


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


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_five_steps_a_kill_and_five_more_equal_ten_bit_for_bit(precision, device, tmp_path) -> None:
    def run(checkpoints, source, title):
        # the first steps of float16 overflow, so that the scale is one that a checkpoint kept
        fabric = fabric_on(device, precision, scale=2.0**40)
        training = trainer(fabric, checkpoints, steps=30, run=AT_FIVE)
        return training.run(source, title=title).state_dict()

    whole, cut = folder(tmp_path, "whole"), folder(tmp_path, "cut")
    expected = run(whole, ToySource(), "whole")
    with pytest.raises(KilledError):
        run(cut, killed_at(ToySource(), 5), "cut")
    found = run(cut, ToySource(), "cut")
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    for curve in ("losses.csv", "validation.csv"):
        assert (whole.folder / curve).read_bytes() == (cut.folder / curve).read_bytes()


def test_a_training_that_goes_on_in_another_precision_says_so(device, tmp_path, caplog) -> None:
    checkpoints = folder(tmp_path)
    first = trainer(fabric_on(device), checkpoints, run=AT_FIVE)
    with pytest.raises(KilledError):
        first.run(killed_at(ToySource(), 5), title="first")
    assert "goes on in precision" not in caplog.text
    second = trainer(fabric_on(device, "bf16-mixed"), checkpoints)
    second.run(ToySource(), title="second")
    assert second.state.precision.summary() == "32-true, bf16-mixed from step 5"
    assert "step 5: goes on in precision bf16-mixed (began in 32-true)" in caplog.text


def test_a_checkpoint_of_the_old_layout_is_refused_with_its_reason(
    fabric, tmp_path, caplog
) -> None:
    """Format 1 had no number, "facts" for the fingerprint and one key per kind of part."""
    checkpoints = folder(tmp_path)
    first = trainer(fabric, checkpoints)
    state = {
        "step": 5,
        "networks": {role: net.state_dict() for role, net in first.state.networks.items()},
        "average": first.state.ema.network.state_dict(),
        "optimizers": {name: opt.state_dict() for name, opt in first.state.optimizers.items()},
        "precision": {},
        "kept": {"kept/mean": torch.tensor(0.5)},
        "patience": None,
        "best": None,
        "tally": {"sums": {}, "count": 0},
        "skips": {"total": 0, "in_row": 0},
        "scores": {},
        "random": RNGState().state_dict(),
    }
    torch.save({"facts": fingerprint_of({}), "state": state}, checkpoints.path)
    with caplog.at_level(logging.WARNING):
        first.resume()
    assert first.state.step == 0
    assert first.state.persistent.tensors == {}
    assert "checkpoint.pt: has checkpoint format 1, this version reads format 3" in caplog.text
    assert "no usable checkpoint; training starts from step 0" in caplog.text


def test_a_kill_after_the_last_step_leaves_nothing_to_do_but_keeps_the_scores(
    fabric, tmp_path
) -> None:
    checkpoints = folder(tmp_path)
    trainer(fabric, checkpoints).run(ToySource(), title="first")
    again = trainer(fabric, checkpoints)
    again.run(killed_at(ToySource(), 0), title="again")
    assert set(again.state.scores) == {"validation_weight"}


def test_a_nan_stops_the_run_before_any_parameter_moves_and_names_the_photographs(
    fabric, tmp_path
) -> None:
    run = trainer(fabric, folder(tmp_path))
    expected = trainer(fabric, folder(tmp_path, "healthy"))
    with pytest.raises(KilledError):
        expected.run(killed_at(ToySource(), 5), title="healthy")
    with pytest.raises(NonFiniteError, match=r"step 6: .*generator/pixel.*cat\.png, dog\.png"):
        run.run(ToySource(5), title="poisoned")
    for role, network in run.state.networks.items():
        pairs = zip(network.parameters(), expected.state.networks[role].parameters(), strict=True)
        assert all(torch.equal(mine, its) for mine, its in pairs)


def test_every_term_of_every_player_is_on_the_curve_under_its_name(fabric, tmp_path) -> None:
    logger = RecordingLogger()
    trainer(fabric, folder(tmp_path), logger=logger).run(ToySource(), title="run")
    names = {name for _, scalars in logger.points for name in scalars}
    assert {
        "generator/pixel",
        "generator/adversarial",
        "generator/gradient_norm",
        "discriminator/adversarial",
        "learning_rate",
        "images_per_second",
        "data_wait_share",
        "threads",
        "validation_weight",
    } <= names


def test_a_point_of_the_curve_is_the_mean_since_the_point_before(fabric, tmp_path) -> None:
    logger = RecordingLogger()
    trainer(fabric, folder(tmp_path), steps=6, logger=logger).run(ToySource(), title="run")
    rates = [scalars["learning_rate"] for _, scalars in logger.points if "learning_rate" in scalars]
    assert rates[0] == pytest.approx((0.01 + 0.0093301 + 0.0075) / 3, rel=1e-4)


def scored(scores):
    """A validation that gives these scores one after the other."""
    left = iter(scores)
    return lambda network: ({"validation_psnr_y": next(left)}, {})


def test_early_stopping_ends_the_training_and_gives_the_best_generator(fabric, tmp_path) -> None:
    patience = EarlyStoppingSettings(patience=2)
    patient = trainer(
        fabric, folder(tmp_path), steps=40, early_stopping=patience, validate=scored([31, 29, 28])
    )
    found = patient.run(ToySource(), title="patient").state_dict()
    assert patient.state.step == 12  # validated every four steps
    assert patient.state.scores == {"validation_psnr_y": 31}
    short = trainer(fabric, folder(tmp_path, "short"), steps=40, validate=scored([31]))
    with pytest.raises(KilledError):
        short.run(killed_at(ToySource(), 4), title="short")
    expected = short.state.ema.network.state_dict()
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_a_training_that_has_stopped_early_does_not_go_on_after_a_kill(fabric, tmp_path) -> None:
    options = {"steps": 20, "early_stopping": EarlyStoppingSettings(patience=1)}
    first = trainer(fabric, folder(tmp_path), validate=scored([30, 29]), **options)
    expected = first.run(ToySource(), title="first").state_dict()
    assert first.state.step == 8
    again = trainer(fabric, Checkpoints(tmp_path / "run"), **options)
    found = again.run(killed_at(ToySource(), 8), title="again").state_dict()
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_a_training_watched_by_lpips_keeps_the_weights_with_the_lowest(fabric, tmp_path) -> None:
    lpips = iter([0.3, 0.1, 0.2])
    watched = EarlyStoppingSettings(metric="validation_lpips", mode="min")
    run = trainer(
        fabric,
        folder(tmp_path),
        keep_best=watched,
        validate=lambda _: ({"validation_lpips": next(lpips)}, {}),
    )
    run.run(ToySource(), title="gan")
    assert (run.state.best.step, run.state.best.scores) == (8, {"validation_lpips": 0.1})


def test_the_best_generator_is_kept_beside_the_last_where_scores_judge_it(fabric, tmp_path) -> None:
    run = trainer(
        fabric, folder(tmp_path), keep_best=EarlyStoppingSettings(), validate=scored([31, 33, 32])
    )
    last = run.run(ToySource(), title="judged").state_dict()
    assert (run.state.best.step, run.state.best.scores) == (8, {"validation_psnr_y": 33})
    assert run.state.scores == {"validation_psnr_y": 32}
    unjudged = trainer(fabric, folder(tmp_path, "unjudged"), validate=scored([31, 33, 32]))
    expected = unjudged.run(ToySource(), title="unjudged").state_dict()
    assert unjudged.state.best is None
    assert all(torch.equal(expected[key], last[key]) for key in expected)
    assert not torch.equal(last["conv.weight"], run.state.best.weights["conv.weight"])


def test_lr_can_be_made_anew_from_hr_for_every_step(fabric, tmp_path) -> None:
    seen = []

    def zeros(batch, step):
        seen.append(step)
        return torch.zeros_like(batch.lr)

    run = trainer(fabric, folder(tmp_path), steps=3)
    run.make_lr = zeros
    run.run(ToySource(), title="degraded")
    assert seen == [0, 1, 2]
    assert run.state.networks["generator"].conv.weight.grad.abs().max() == 0
