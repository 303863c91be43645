"""`python -m benchmarks.isa`: hidden instructions change what is chosen."""

import pytest

from benchmarks.isa import PROCESSORS, _measured


@pytest.mark.slow
def test_with_avx2_alone_a_training_chooses_float32() -> None:
    hidden = PROCESSORS["AVX2 alone"]
    rate, precision = _measured("pretrain", "ours: chosen at start", hidden, seconds=0.01)
    assert rate > 0
    assert precision == "32-true"
