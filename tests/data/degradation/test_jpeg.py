"""JPEG on the device against Pillow's, which is libjpeg's."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from srmodels.data.degradation.jpeg import jpeg, tables
from srmodels.resize.tensors import to_image, to_tensor
from tests.images.pictures import pattern


def encoded(picture, quality):
    """The file, whose chroma has half the size."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return Image.open(buffer)


@pytest.mark.parametrize("quality", [10, 30, 49, 50, 75, 95, 100])
@pytest.mark.parametrize("size", [(96, 128), (61, 45), (1, 7)])
def test_a_picture_is_what_pillow_reads_from_its_own_file(size, quality):
    picture = pattern(*size)
    theirs = np.asarray(encoded(picture, quality))
    ours = to_image(jpeg(to_tensor(picture), torch.tensor([quality])))
    difference = np.abs(ours.astype(float) - theirs)
    assert difference.mean() < 1.5
    assert np.square(difference).mean() < 255**2 / 10**3.8  # 38 dB


@pytest.mark.parametrize("quality", [1, 30, 49, 50, 95, 100])
def test_the_tables_are_those_in_pillows_file(quality):
    theirs = encoded(pattern(16, 16), quality).quantization
    ours = tables(torch.tensor([quality]))[0]
    assert [ours[which].flatten().tolist() for which in (0, 1)] == [theirs[0], theirs[1]]


def test_each_image_of_a_batch_has_its_own_quality():
    pictures = to_tensor(pattern()).repeat(2, 1, 1, 1)
    qualities = torch.tensor([30, 95])
    both = jpeg(pictures, qualities)
    for which in (0, 1):
        alone = jpeg(pictures[:1], qualities[which : which + 1])
        assert torch.equal(both[which], alone[0])
    assert not torch.equal(both[0], both[1])


def test_a_grey_picture_stays_grey():
    grey = to_tensor(pattern())[:, :1].expand(-1, 3, -1, -1)
    out = jpeg(grey, torch.tensor([40]))
    assert torch.equal(out[:, 0], out[:, 1])
    assert torch.equal(out[:, 0], out[:, 2])


def test_a_result_is_8_bits_in_range_also_for_values_out_of_range():
    out = jpeg(3 * torch.rand(2, 3, 20, 20) - 1, torch.tensor([30, 60])) * 255
    assert out.min() >= 0
    assert out.max() <= 255
    torch.testing.assert_close(out, out.round(), rtol=0, atol=1e-4)
