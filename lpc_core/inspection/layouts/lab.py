"""The networks of this lab: runs saved by it, and bare state dicts of its MLP, convnet and fastnet.

A ResNet without the run's settings is one under torchvision's names, and `resnet` recognises it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.choices import known_run
from lpc_core.config import ConfigError, RunConfig, flatten, unflatten
from lpc_core.data import sources, torch_shape
from lpc_core.files.plain_json import loads
from lpc_core.inspection.layouts._authors import NO_LAYER, NONLINEAR
from lpc_core.inspection.layouts._base import Choices, Layout, Recognised, Tensors
from lpc_core.inspection.layouts.modules import above_0, finish, need, scopes, within
from lpc_core.losses import gamma_sum
from lpc_core.models import build

ANCHOR = "head.weight"
TRAINING = ("optim.", "stream.")  # a run's own state beside the weights
CONVOLUTIONS = (0, 3, 7, 11)  # places of the convnet's convolutions in its sequence
ANY_SIDE, LARGE_SIDE = 32, 224  # pixels; tensors are the same for pictures of any size, but for a ResNet's stem
RESIDUAL, FAST = "backbone.layer1.0.conv1.weight", "backbone.stem.weight"  # a tensor that tells them apart


def _recognise(checkpoint: Checkpoint, choices: Choices) -> Recognised | None:
    for prefix in scopes(checkpoint.tensors, ANCHOR):
        tensors = within(checkpoint.tensors, prefix)
        try:
            found = _read(checkpoint, tensors, choices)
        except ConfigError:  # larger than this lab's, or with another activation: some other network by that name
            return None
        if found is not None:
            return _described(checkpoint, prefix, tensors, found, choices)
    return None


@dataclass(frozen=True)
class _Found:
    """What ``run`` makes for inputs of ``shape`` (D,) or (C, H, W); ``known`` where the file says so itself."""

    run: RunConfig
    shape: tuple[int, ...]
    known: bool
    kind: str  # of backbone


def _read(checkpoint: Checkpoint, tensors: Tensors, choices: Choices) -> _Found | None:
    """By the places of the layers, and by the settings in a run's own file; None for another network."""
    settings, kind = saved_settings(checkpoint.metadata), _kind(tensors)
    if kind is not None:
        known = settings is not None and _fits(settings, kind, tensors)
        run = settings if known and settings else _settings(tensors, kind, choices)
        return _Found(run, _input_shape(tensors, kind), known, kind)
    if settings is None or tensors[ANCHOR].ndim != 2 or not tensors[ANCHOR].numel():
        return None
    shape = (_input_shape(tensors, "resnet") if RESIDUAL in tensors else
             torch_shape(sources()[settings.data.dataset].form(settings.data).shape))
    found = _Found(settings, shape, True, settings.model.model)
    with torch.device("meta"):
        own = _make(found, len(tensors[ANCHOR])).state_dict()
    theirs = {name: t.shape for name, t in tensors.items() if not name.startswith(TRAINING)}
    return found if {name: tensor.shape for name, tensor in own.items()} == theirs else None


def _kind(tensors: Tensors) -> str | None:
    """"mlp", "convnet" or "fastnet" by the layers that a backbone of this lab has; None for another network."""
    if tensors[ANCHOR].ndim != 2 or not tensors[ANCHOR].numel():
        return None
    if FAST in tensors:
        return "fastnet" if _read_off(tensors, "fastnet")["hidden"] else None
    weights = _layers(tensors)
    others = any(name.startswith("backbone.") and not re.match(r"backbone\.\d+\.", name) for name in tensors)
    if others or not all(tensor.numel() for tensor in weights.values()):
        return None  # some other network's backbone beside a head
    dense = sorted(weights)
    if all(weights[i].ndim == 2 for i in dense) and dense == list(range(1, 2 * len(dense), 2)) and (
            dense or _penultimate(tensors) != "none"):
        return "mlp"
    if sorted(i for i in dense if weights[i].ndim == 4) == list(CONVOLUTIONS) and weights[0].shape[-1] == 4:
        return "convnet"
    return None


def _described(checkpoint: Checkpoint, prefix: str, tensors: Tensors, found: _Found, choices: Choices) -> Recognised:
    run, known, shape, classes = found.run, found.known, found.shape, int(tensors[ANCHOR].shape[0])
    choices.agree(penultimate="linear" if run.model.penultimate == "linear" else "nonlinear",
                  **({"activation": run.model.activation} if known else {}))
    assumptions, theory = _words(run, known, choices)
    return finish(
        lambda: _make(found, classes), checkpoint.tensors, prefix, inside=("backbone.", "penultimate", "head."),
        harmless=TRAINING, name=_name(found, classes), layer="penultimate",
        head_weight=prefix + ANCHOR, head_bias=f"{prefix}head.bias" if "head.bias" in tensors else None,
        input_shape=(shape[0], None, None) if found.kind == "convnet" else shape, activation=run.model.activation,
        theory_note=theory, assumptions=assumptions, config=flatten(run) if known else None,
        gamma=_gamma(checkpoint.metadata, run, int(tensors[ANCHOR].shape[1])) if known else None)


def _make(found: _Found, classes: int) -> nn.Module:
    return build(found.run.model, found.shape, classes, found.run.seed, found.run.loss)


def saved_settings(metadata: Mapping[str, Any]) -> RunConfig | None:
    """The run's settings in a checkpoint's metadata, or None when there are none that this version knows."""
    info = _info(metadata)
    try:
        return known_run(info.get("run", info.get("config")))
    except ConfigError:
        return None


def _info(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a run's file says of itself: as `checkpoint.open_file` gives it, or under ``info`` as JSON text."""
    info = metadata.get("info", metadata)
    if isinstance(info, str):
        try:
            info = loads(info, "the facts of a run")
        except ValueError:
            return {}
    return info if isinstance(info, Mapping) else {}


def _fits(run: RunConfig, kind: str, tensors: Tensors) -> bool:
    """Whether the settings describe these tensors: a file may say anything of itself."""
    return run.model.model in ("auto", kind) and all(
        getattr(run.model, name) == value for name, value in _read_off(tensors, kind).items())


def _settings(tensors: Tensors, kind: str, choices: Choices) -> RunConfig:
    """Settings read off names and shapes."""
    chosen = {} if choices.activation is None else {"activation": choices.activation}
    return unflatten({"model": kind, **chosen, **_read_off(tensors, kind)})


def _read_off(tensors: Tensors, kind: str) -> dict[str, Any]:
    """The settings of a model that the names and shapes of its weights tell."""
    top: dict[str, Any] = {"penultimate": _penultimate(tensors)}
    if top["penultimate"] != "none":
        top["latent_dim"] = int(tensors[ANCHOR].shape[1])
    if kind == "fastnet":
        blocks: dict[int, list[int]] = {}  # the channels that the convolutions of each block end in
        for name, value in tensors.items():
            if (found := re.fullmatch(r"backbone\.blocks\.(\d+)\.\d+\.weight", name)) and value.ndim == 4:
                blocks.setdefault(int(found[1]), []).append(int(value.shape[0]))
        widths = [blocks[i] for i in sorted(blocks)]
        return top | {"hidden": tuple(each[0] for each in widths), "depth": max(map(len, widths), default=1)}
    weights = _layers(tensors)
    if kind == "convnet":
        return top | {"width": int(weights[0].shape[0])}
    return top | {"hidden": tuple(int(weights[i].shape[0]) for i in sorted(weights))}


def _layers(tensors: Tensors) -> dict[int, Tensor]:
    """The weights of the backbone's sequence by their places."""
    return {int(found[1]): tensor for name, tensor in tensors.items()
            if (found := re.fullmatch(r"backbone\.(\d+)\.weight", name))}


def _penultimate(tensors: Tensors) -> str:
    if "penultimate.weight" in tensors:
        return "linear"
    return "nonlinear" if "penultimate.0.weight" in tensors else "none"


def _input_shape(tensors: Tensors, kind: str) -> tuple[int, ...]:
    """Convolutions take pictures of any size; a ResNet's stem tells those it was made for."""
    if kind == "mlp":
        layers = ("backbone.1.weight", "penultimate.weight", "penultimate.0.weight")
        first = next(name for name in layers if name in tensors)
        return (int(need(tensors, first, 2).shape[1]),)
    stem = need(tensors, {"fastnet": FAST, "convnet": "backbone.0.weight"}.get(kind, "backbone.conv1.weight"), 4)
    side = LARGE_SIDE if stem.shape[-1] == 7 else ANY_SIDE
    return (int(stem.shape[1]), side, side)


def _words(run: RunConfig, known: bool, choices: Choices) -> tuple[tuple[str, ...], str]:
    """What had to be assumed, and why predicted points do not apply ("" where they do)."""
    theory = {"linear": "", "nonlinear": NONLINEAR, "none": NO_LAYER}[run.model.penultimate]
    if run.loss.loss != "cross-entropy":
        theory = (f"No predicted points: they are where cross-entropy and the penalty balance, and this run's loss is "
                  f"{run.loss.loss}.")
    if known:
        return (), theory
    source = "chosen" if choices.activation else "assumed: this lab's default, tensors do not say it"
    head = "a linear head (one that reads angles has the same tensors)"
    return (f"activation {run.model.activation} ({source})", head), theory


def _gamma(metadata: Mapping[str, Any], run: RunConfig, nodes: int) -> float | None:
    state = _info(metadata).get("gamma")
    value = above_0(state.get("value")) if isinstance(state, Mapping) else None
    return None if value is None else gamma_sum(value, run.loss.convention, nodes)


def _name(found: _Found, classes: int) -> str:
    run = found.run
    nodes = [run.model.latent_dim] if run.model.penultimate != "none" else []
    if found.kind == "mlp":
        return f"LPC Lab MLP {'-'.join(map(str, (*found.shape, *run.model.hidden, *nodes, classes)))}"
    width = f" width {run.model.width}," if found.kind == "convnet" else ""
    return f"LPC Lab {found.kind},{width} {nodes[0] if nodes else 'no'} latent nodes"


LAYOUT = Layout(10, _recognise)
