"""A run as safetensors bytes: named tensors plus one JSON string. Nothing in it can execute."""

from __future__ import annotations

from typing import Any

import torch
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


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Every tensor of the optimiser's state, named ``optim.<parameter>.<quantity>``."""
    state = optimizer.state_dict()["state"]
    return {f"optim.{i}.{name}": value for i, slots in state.items() for name, value in slots.items()
            if isinstance(value, Tensor)}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`.

    A quantity per weight gets that weight's layout in memory, because the fused kernels read both in memory order. All
    lie on the weight's device: torch sends the count of steps there for optimisers of its own alone.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    slots: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optim."):
            _, index, quantity = name.split(".", 2)
            like = parameters[int(index)].detach()
            slots.setdefault(int(index), {})[quantity] = (
                torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape
                else tensor.to(like.device, copy=True))
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
