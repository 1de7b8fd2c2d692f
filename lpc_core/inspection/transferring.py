"""Weights of a file into a network of this lab: from the lab's own names, and a ResNet's from the method authors'."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts import recognise
from lpc_core.inspection.layouts.modules import COUNTER, listed, scopes, within

AUTHORS = (  # their names → the lab's; a block's numbered sequence has a place for each activation
    (r"layer0\.0\.", r"backbone.conv1."), (r"layer0\.1\.", r"backbone.bn1."),
    *((rf"(layer\d+\.\d+)\.residual_function\.{3 * i + kind}\.", rf"backbone.\1.{part}{i + 1}.")
      for i in range(3) for kind, part in enumerate(("conv", "bn"))),
    (r"(layer\d+\.\d+)\.shortcut\.", r"backbone.\1.downsample."),
    (r"penultimate_layer\.", "penultimate."), (r"output_layer\.(?:\d+\.)?", "head."))


def transferred(checkpoint: Checkpoint, model: nn.Module) -> dict[str, Tensor]:
    """The state dict for ``model`` (a classifier of this lab) that ``checkpoint`` holds, every tensor of it.

    `ValueError` says which network was expected and which the file is of.
    """
    wanted = model.state_dict()
    found = _of_the_lab(checkpoint.tensors)
    missing = [name for name in wanted if name not in found and not name.endswith(COUNTER)]
    others = [name for name, value in wanted.items() if name in found and found[name].shape != value.shape]
    more = [name for name in found if name not in wanted]
    if missing or others or more:
        known = recognise(checkpoint)
        whose = f"those of another network ({known.name})" if known else "those of a network that is not known here"
        details = [f"{words} {listed(names)}" for words, names in (("without", missing), ("also", more)) if names]
        details += [f"{name} of shape {tuple(found[name].shape)} where {tuple(wanted[name].shape)} was expected"
                    for name in others[:2]]
        raise ValueError(f"weights: expected those of this run's network, got {whose}: {'; '.join(details)}; choose "
                         "the run's model, hidden, width, latent_dim and activation as they were, or another file")
    return {name: found[name].to(value.dtype) if name in found else value.clone() for name, value in wanted.items()}


def _of_the_lab(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's tensors under the lab's names."""
    for prefix in scopes(tensors, "head.weight"):
        inside = within(tensors, prefix)
        return {name: value for name, value in inside.items()
                if name.startswith(("backbone.", "penultimate.", "head."))}
    for prefix in scopes(tensors, "layer0.0.weight"):
        return {_renamed(name): value for name, value in within(tensors, prefix).items()}
    return dict(tensors)


def _renamed(name: str) -> str:
    for pattern, words in AUTHORS:
        new, count = re.subn(f"^{pattern}", words, name)
        if count:
            return new
    return name
