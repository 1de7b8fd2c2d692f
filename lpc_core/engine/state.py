"""A run as safetensors bytes: named tensors plus one JSON string. Nothing in it can execute."""

from __future__ import annotations

from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lpc_core.files.plain_json import dumps
from lpc_core.files.tensors import TensorFileError, header
from lpc_core.files.words import printable

FORMAT = "lpc-run-1"


class StateError(ValueError):
    """Bytes that are not a state of this run."""


def pack(tensors: dict[str, Tensor], info: dict[str, Any]) -> bytes:
    """``tensors`` and the JSON-able ``info`` as one safetensors file."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(plain, {"format": FORMAT, "info": dumps(info)})


def unpack(raw: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The inverse of `pack`; `StateError` for anything else."""
    try:
        found = header(raw)
        if (name := found.metadata.get("format")) != FORMAT:
            raise StateError(f"expected a state in the format {FORMAT}, got {printable(repr(name), 60)}")
        return load(raw), found.info("the facts of a run")
    except (SafetensorError, TensorFileError) as error:
        raise StateError(f"expected the state of a run, got bytes that are not one ({printable(error, 300)})") from None
