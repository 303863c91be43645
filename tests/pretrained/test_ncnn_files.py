"""ncnn's two files: what is written is read again, and wrong ones are one line."""

import numpy as np
import pytest

from srmodels.errors import WeightsError
from srmodels.pretrained.ncnn_files import Layer, read_layers, write_layers

RNG = np.random.default_rng(0)


def layers():
    weight, bias = (RNG.random(size, np.float32) for size in (27, 1))
    values = {0: 1, 1: 3, 4: 1, 5: 1, 6: 27, 9: 2, 10: (0.2,)}
    return [
        Layer(kind="Input", name="in", outputs=("data",)),
        Layer(
            kind="Convolution",
            name="conv",
            inputs=("data",),
            outputs=("x",),
            values=values,
            weights=(weight, bias),
        ),
        Layer(
            kind="PReLU",
            name="act",
            inputs=("x",),
            outputs=("output",),
            values={0: 1},
            weights=(bias,),
        ),
    ]


def test_what_is_written_is_read_again():
    source = layers()
    again = read_layers(*write_layers(source), where="net")
    for layer, other in zip(source, again, strict=True):
        assert {**vars(layer), "weights": 0} == {**vars(other), "weights": 0}
        for first, second in zip(layer.weights, other.weights, strict=True):
            np.testing.assert_array_equal(first, second)


def test_fp16_weights_are_read_with_their_filling():
    source = layers()
    param, _ = write_layers(source)
    weight, bias = source[1].weights
    tag = np.uint32(0x01306B47).tobytes()
    content = tag + weight.astype("<f2").tobytes() + b"\0\0" + bias.tobytes() * 2  # 54 + 2 bytes
    again = read_layers(param, content, where="net")
    np.testing.assert_array_equal(again[1].weights[0], weight.astype(np.float16))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, b: (p, b[:-4]), r"\.bin file does not fit \(got buffer .*at act"),
        (lambda p, b: (p, b + b"\0"), r"does not fit \(got 121 bytes instead of 120\)"),
        (lambda p, b: (p, b"\x05" + b[1:]), r"quantized weights, tag 0x00000005 at conv"),
        (lambda p, b: (p.replace(b"PReLU", b"MatMul"), b), r"unknown layer \(got MatMul act\)"),
        (lambda p, b: (b"<html>", b), r"no \.param file of ncnn \(got its first line is '<html>'"),
        (lambda p, b: (p.replace(b"7767517", b"0"), b), "its first line is '0', not 7767517"),
        (lambda p, b: (p[: p.rindex(b"PReLU")], b), "2 layers, not 3"),
        (lambda p, b: (b"\xff\xfe" + p, b), r"no \.param file of ncnn"),
    ],
)
def test_files_that_are_none_or_of_another_network_are_one_line(change, message):
    with pytest.raises(WeightsError, match=message) as caught:
        read_layers(*change(*write_layers(layers())), where="net.param")
    assert str(caught.value).startswith("net.param: ")
    assert "\n" not in str(caught.value)
