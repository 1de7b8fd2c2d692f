"""What a file of somebody else's turns out to be, and how one is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lpc_core.files.words import refused

if TYPE_CHECKING:
    from torch import Tensor  # the reading process does without torch: it starts in a tenth of the time


@dataclass(frozen=True)
class Ask:
    """What a refused file leaves open: which of ``choices`` is the ``role``. Picked, the file may be read."""

    role: str  # a role as `open_file` takes it in ``picked``
    choices: tuple[str, ...]


class FileRefused(ValueError):
    """A file that is not read. One line: what was expected, what was found, what to do."""

    ask: Ask | None = None


def refusal(expected: str, got: str, do: str, ask: Ask | None = None) -> FileRefused:
    """The refusal ``expected …, got …; do …``: one printable line, however the file tries to write in it."""
    error = FileRefused(refused(expected, got, do))
    error.ask = ask
    return error


@dataclass(frozen=True)
class Limits:
    """How much a file may cost. Sizes are checked before anything is allocated."""

    file_bytes: int = 2 * 2**30  # largest file opened
    tensor_bytes: int = 2 * 2**30  # all arrays of one file together, unpacked
    tensors: int = 20_000  # entries of one file
    samples: int = 100_000_000  # rows of embeddings
    memory_bytes: int = 6 * 2**30  # address space of the reading process beyond what it starts with
    seconds: float = 120.0  # of the reading process


@dataclass(frozen=True, eq=False)
class Embeddings:
    """n latents with their labels, as a file gave them or as a checkpoint produced them."""

    latents: np.ndarray  # (n, d) floating point, as in the file
    labels: np.ndarray  # (n,) int64, 0…K−1
    class_names: tuple[str, ...]  # K; the file's own label values as texts where it has no names
    predictions: np.ndarray | None = None  # (n,) int64
    logits: np.ndarray | None = None  # (n, K)
    weight: np.ndarray | None = None  # (K, d) the head
    bias: np.ndarray | None = None  # (K,)
    images: np.ndarray | None = None  # (n, H, W, C) uint8
    texts: tuple[str, ...] | None = None  # n captions
    notes: tuple[str, ...] = ()  # how it was read: which array was taken for what, what was left out
    warnings: tuple[str, ...] = ()  # what must be known before the numbers are believed
    unlabelled: int = 0  # samples of the file that name no class (−1, NaN, an empty text) and are not among the n


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The tensors of a model file by name."""

    format: str  # "safetensors", "torch", "torch (legacy)", "onnx", "torch.export", …
    tensors: dict[str, Tensor]  # CPU; wrapper keys and prefixes (module., _orig_mod., …) taken off
    stripped: tuple[str, ...] = ()  # the wrapper keys and prefixes that were taken off
    metadata: dict[str, Any] = field(default_factory=dict)  # plain values beside the tensors (epoch, config, …)
    notes: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()  # names of the weights to choose from, raw and averaged; `tensors` are the first


@dataclass(frozen=True)
class TensorEntry:
    """One line of the tensor tree: what a tensor is and how its values lie."""

    name: str
    shape: tuple[int, ...]
    dtype: str  # torch's name: "float32", "bfloat16", …
    bytes: int  # of the values, unpacked
    norm: float  # L2, of the finite values (of magnitudes where they are complex); NaN above the largest float
    histogram: tuple[int, ...]  # 32 counts of finite values, evenly from minimum to maximum; () where there are none
    minimum: float  # of the finite values; NaN where there are none
    maximum: float
    zeros: float  # share of values that are 0; NaN for a tensor without values
    nans: int
    infinities: int
