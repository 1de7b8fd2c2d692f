"""A checkpoint of whatever make as something to attack: its logits, inputs as it takes them, and the range of these."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lpc_core.checkpoint import Checkpoint, Limits, open_file
from lpc_core.inspection.from_file import Wishes, prepared
from lpc_core.inspection.layouts import recognise
from lpc_core.inspection.matching import head_names
from lpc_core.inspection.running import check_fit
from lpc_core.inspection.scaling import Normalisation
from lpc_core.progress import silent


@dataclass(frozen=True, eq=False)
class Target:
    """What `lpc_core.robustness.report` needs of a checkpoint."""

    name: str  # of the network
    model: nn.Module  # inputs (n, …) to logits (n, K), on the CPU
    inputs: Tensor  # (n, …) normalised
    labels: np.ndarray  # (n,) rows of the head
    bounds: tuple[Tensor, Tensor] | None  # what pictures can take after normalisation, (C, 1, 1) each; None of vectors
    notes: tuple[str, ...]  # what was assumed, and warned of


def target(path: Path, wishes: Wishes, *, limits: Limits | None = None) -> Target:
    """Open ``path`` without trusting it, recognise its network, and fetch the samples that ``wishes`` name.

    Raises `ValueError` for what cannot be run, in the words of `inspect_file`.
    """
    limits = limits or Limits()
    found = open_file(path, limits=limits, weights=wishes.weights)
    if not isinstance(found, Checkpoint):
        raise ValueError(f"{path.name}: expected a checkpoint of a network, got embeddings or a film, which cannot be "
                         "attacked; give the file of the weights")
    known = recognise(found, activation=wishes.activation, penultimate=wishes.penultimate, order=wishes.order)
    if known is None or known.obstacle:
        raise ValueError(f"{path.name}: " + (known.obstacle if known else "expected a network that this lab knows, got "
                                             "other tensors; see them with lpc inspect"))
    data = wishes.data or (known.config["dataset"] if known.config else None)
    if data is None:
        raise ValueError("data: expected samples to attack, got none; name them with --data")
    samples, scaled, match = prepared(known, data, head_names(found.metadata, known.classes), wishes, silent, limits)
    check_fit(known, samples.inputs, samples.labels, scaled)
    notes = (samples.name, *known.assumptions, *known.warnings, *match.warnings, *samples.notes, *samples.warnings)
    model = known.build()
    model.register_forward_hook(lambda _, inputs, outputs: outputs[0])  # the logits alone, without the latents
    return Target(known.name, model, scaled(samples.inputs), samples.labels, _bounds(scaled, samples.inputs), notes)


def _bounds(scaled: Normalisation, stored: np.ndarray) -> tuple[Tensor, Tensor] | None:
    """Model inputs of a black and of a white pixel."""
    if stored.ndim != 4:
        return None
    white = 255 if stored.dtype == np.uint8 else 1
    ends = np.array([0, white], stored.dtype).reshape(2, 1, 1, 1).repeat(stored.shape[3], axis=3)
    low, high = scaled(ends)  # (C, 1, 1) each
    return torch.as_tensor(low), torch.as_tensor(high)
