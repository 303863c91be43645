"""Any size, in parts."""

import numpy as np
import pytest
from PIL import Image

from srmodels.inference.files import resample
from srmodels.inference.files.resample import resample_part, resample_rows


@pytest.mark.parametrize("to", [(30, 51), (96, 128), (211, 300), (1, 1)])
@pytest.mark.parametrize("size", [5, 1000])
def test_parts_equal_pillow_s_whole(monkeypatch, photo, to, size):
    monkeypatch.setattr(resample, "_PIXELS", 900)
    bands = iter([photo[top : top + size] for top in range(0, len(photo), size)])
    made = np.concatenate(list(resample_rows(bands, size=(96, 128), to=to)))
    wanted = Image.fromarray(photo).resize(to[::-1], Image.Resampling.LANCZOS)
    np.testing.assert_allclose(made.astype(int), np.asarray(wanted).astype(int), atol=1)


def test_sixteen_bits_are_kept(photo):
    deep = photo.astype(np.uint16) * 257
    (made,) = resample_rows(iter([deep]), size=(96, 128), to=(48, 64))
    (small,) = resample_rows(iter([photo]), size=(96, 128), to=(48, 64))
    assert np.abs(made / 257 - small).max() <= 0.51


def test_flat_areas_stay_exactly_flat():
    alpha = np.full((9, 9, 1), 255, np.uint8)
    assert (resample_part(alpha, (36, 36), 7, 29, kernel="bicubic") == 255).all()
