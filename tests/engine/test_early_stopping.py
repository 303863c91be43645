"""Early stopping counts validations without a gain, also across a restart."""

import math

import pytest

from srmodels.config import check
from srmodels.engine.early_stopping import EarlyStopping, EarlyStoppingSettings
from srmodels.errors import ConfigError


def stops(scores, **settings):
    """After which validation, counted from 1, a training stops; None: after none."""
    stopping = EarlyStopping(EarlyStoppingSettings(**settings))
    stopped = (n for n, s in enumerate(scores, 1) if stopping.update({"validation_psnr_y": s}))
    return next(stopped, None)


@pytest.mark.parametrize(
    ("scores", "settings", "stop"),
    [
        ([30, 31, 31, 31], {"patience": 2}, 4),
        ([30, 29, 31, 30, 32], {"patience": 2}, None),
        ([30, 29, 31, 30, 30], {"patience": 2}, 5),
        ([30, 30.05, 30.09, 30.1], {"patience": 2, "min_gain": 0.2}, 3),
        ([30, 30.25, 30.5, 30.75], {"patience": 2, "min_gain": 0.25}, None),
        ([0.5, 0.4, 0.4, 0.3], {"patience": 1, "mode": "min"}, 3),
        ([math.nan, math.nan], {"patience": 2}, 2),
        ([30, math.nan, 31, math.nan, math.inf], {"patience": 2}, None),
    ],
)
def test_training_stops_after_so_many_validations_without_a_gain(scores, settings, stop):
    assert stops(scores, **settings) == stop


def test_a_resumed_training_stops_where_an_uninterrupted_one_does():
    scores, settings = [30, 31, 30.5, 30.9, 31, 32], EarlyStoppingSettings(patience=3)
    for killed in range(len(scores)):
        first, second = EarlyStopping(settings), EarlyStopping(settings)
        for score in scores[:killed]:
            first.update({"validation_psnr_y": score})
        second.load_state_dict(first.state_dict())
        stops = [second.update({"validation_psnr_y": score}) for score in scores[killed:]]
        assert stops == [False, False, False, False, True, False][killed:]


def test_it_says_whether_the_last_validation_was_a_gain():
    stopping = EarlyStopping(EarlyStoppingSettings())
    gains = []
    for score in (30.0, 29.0, math.nan, 31.0):
        stopping.update({"validation_psnr_y": score})
        gains.append(stopping.improved)
    assert gains == [True, False, False, True]
    assert stopping.summary() == "validation_psnr_y for 0 validations (best 31)"


def test_a_metric_that_is_not_scored_is_refused_with_those_that_are():
    stopping = EarlyStopping(EarlyStoppingSettings(metric="lpips"))
    with pytest.raises(
        ConfigError, match=r"got 'lpips'\). Set one of validation_psnr_y, validation_ssim_y"
    ):
        stopping.update({"validation_ssim_y": 0.9, "validation_psnr_y": 30.0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patience": 0}, "patience: must be 1 or more"),
        ({"min_gain": -0.1}, "min_gain: must be 0 or more"),
        ({"mode": "most"}, "'max' or 'min'"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(changes, EarlyStoppingSettings, "early_stopping")
