"""ncnn's files: NAME.param lists the layers of a network, NAME.bin has their weights.

https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure and, for the weights,
https://github.com/Tencent/ncnn/blob/master/src/modelbin.cpp
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srmodels.errors import WeightsError

_MAGIC = "7767517"
_ARRAY = -23300  # key of an array is -23300 minus the parameter's number
_FLOAT32, _FLOAT16 = 0, 0x01306B47  # tags of weights; others are quantized
Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of a network.

    Attributes:
        kind: ncnn's name of the layer, such as Convolution.
        name: Unique in the network.
        inputs: Names of the blobs that it reads.
        outputs: Names of the blobs that it writes.
        values: Its parameters by number: a number, or a tuple where the file has an array.
        weights: Flat arrays in the order of the file.
    """

    kind: str
    name: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    values: Mapping[int, Any] = field(default_factory=dict)
    weights: tuple[Array, ...] = ()


# for each layer with weights, the sizes of its arrays, and whether a tag stands before each
_Sizes = Callable[[Mapping[int, Any]], list[tuple[int, bool]]]
_WEIGHTS: dict[str, _Sizes] = {
    "Convolution": lambda v: [(v[6], True), (v[0] * v.get(5, 0), False)],
    "PReLU": lambda v: [(v[0], False)],
    "BatchNorm": lambda v: [(v[0], False)] * 4,  # slope, mean, variance, bias
}
_WITHOUT_WEIGHTS = {
    *("Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "PixelShuffle", "ReLU"),
    *("Sigmoid", "Swish", "TanH", "Crop", "Noop"),
}


def _number(text: str) -> int | float:
    return float(text) if any(sign in text for sign in ".en") else int(text)


def _parse_line(line: str) -> Layer:
    kind, name, inputs, outputs, *words = line.split()
    first, second = int(inputs), int(inputs) + int(outputs)
    values: dict[int, Any] = {}
    for word in words[second:]:
        key, _, text = word.partition("=")
        if int(key) <= _ARRAY:
            values[_ARRAY - int(key)] = tuple(map(_number, text.split(",")[1:]))
        else:
            values[int(key)] = _number(text)
    if len(words) < second:
        raise ValueError(f"{name} has fewer blobs than it says")
    return Layer(
        kind=kind,
        name=name,
        inputs=tuple(words[:first]),
        outputs=tuple(words[first:second]),
        values=values,
    )


def _parse(text: str) -> list[Layer]:
    """The layers of a .param file, without weights; ValueError or IndexError if it is none."""
    lines = text.split("\n")
    if lines[0].strip() != _MAGIC:
        raise ValueError(f"its first line is {lines[0][:20]!r}, not {_MAGIC}")
    layers = [_parse_line(line) for line in lines[2:] if line.strip()]
    if len(layers) != int(lines[1].split()[0]):
        raise ValueError(f"{len(layers)} layers, not {lines[1].split()[0]}")
    return layers


class _Weights:
    """The content of a .bin file, read from front to back."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def take(self, dtype: str, count: int) -> NDArray[Any]:
        array = np.frombuffer(self.content, dtype, count, self.at)
        self.at += array.nbytes + -array.nbytes % 4  # fp16 is filled up to four bytes
        return array

    def array(self, size: int, *, tagged: bool) -> Array:
        tag = int(self.take("<u4", 1)[0]) if tagged else _FLOAT32
        if tag not in (_FLOAT32, _FLOAT16):
            raise ValueError(f"quantized weights, tag {tag:#010x}")
        return self.take("<f4" if tag == _FLOAT32 else "<f2", size).astype(np.float32)


def read_layers(param: bytes, content: bytes, *, where: str) -> list[Layer]:
    """The layers of a .param file with the weights of its .bin file; `where` is for errors.

    Raises:
        WeightsError: The .param file is none, has an unknown layer, or the .bin file has another
            size or is quantized.
    """
    advice = "Use the two files of one network, with fp32 or fp16 weights."
    try:
        parsed = _parse(param.decode())
    except (ValueError, IndexError) as error:
        raise WeightsError(f"{where}: no .param file of ncnn (got {error}). {advice}") from None
    weights, layers = _Weights(content), list[Layer]()
    for layer in parsed:
        if layer.kind not in _WEIGHTS.keys() | _WITHOUT_WEIGHTS:
            known = ", ".join(sorted(_WEIGHTS.keys() | _WITHOUT_WEIGHTS))
            raise WeightsError(
                f"{where}: has an unknown layer (got {layer.kind} {layer.name}). Use a network of "
                f"{known}."
            )
        try:
            sizes = _WEIGHTS[layer.kind](layer.values) if layer.kind in _WEIGHTS else []
            arrays = tuple(weights.array(size, tagged=tagged) for size, tagged in sizes if size)
        except (ValueError, KeyError) as error:
            raise WeightsError(
                f"{where}: the .bin file does not fit (got {error} at {layer.name}). {advice}"
            ) from None
        layers.append(Layer(**{**vars(layer), "weights": arrays}))
    if weights.at != len(content):
        raise WeightsError(
            f"{where}: the .bin file does not fit (got {len(content)} bytes instead of "
            f"{weights.at}). {advice}"
        )
    return layers


def _word(key: int, value: Any) -> str:  # noqa: ANN401 - a number or a tuple
    if isinstance(value, tuple):
        return f"{_ARRAY - key}={len(value)},{','.join(map(str, value))}"
    return f"{key}={value}"


def write_layers(layers: Sequence[Layer]) -> tuple[bytes, bytes]:
    """Content of the .param file and of the .bin file, with fp32 weights."""
    blobs = {blob for layer in layers for blob in layer.outputs}
    lines, content = [_MAGIC, f"{len(layers)} {len(blobs)}"], bytearray()
    for layer in layers:
        words = (_word(key, value) for key, value in layer.values.items())
        places = f"{len(layer.inputs)} {len(layer.outputs)}"
        lines.append(
            " ".join([layer.kind, layer.name, places, *layer.inputs, *layer.outputs, *words])
        )
        sizes = _WEIGHTS[layer.kind](layer.values) if layer.weights else []
        for (_, tagged), array in zip([s for s in sizes if s[0]], layer.weights, strict=True):
            content += b"\0\0\0\0" * tagged + array.astype("<f4").tobytes()
    return ("\n".join(lines) + "\n").encode(), bytes(content)
