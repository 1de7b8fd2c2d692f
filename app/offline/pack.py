"""What a page needs to train a run by itself, as safetensors bytes; read by ``app/static/offline/trainer.js``.

kind "run":
    info: {config: `flatten`'s settings, parameters: [str] (the network's, in the order of their layers, the head's
           last), mean, std: [number] per channel of pictures, null for vectors, theory: bool, opening (what a setup
           says of the run, but its history), catalogue}
    train_inputs        float32 (N, D) or uint8 (N, H, W, C)
    train_labels        uint8 (N,)
    probe               int32 (n,)   rows of the training samples that are drawn and measured
    test_inputs, test_labels         those held-out samples that are measured
    model.<parameter>   float32      the weights at step 0
Equal seeds give the server's own run: the same samples, weights and order of samples.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from torch import Tensor

from app.catalogue import catalogue
from app.live.panel import Panel
from lpc_core.config import RunConfig, flatten, resolve
from lpc_core.data import Dataset, sources, spread, torch_shape
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.probe import MOST
from lpc_core.engine.trainer import Trainer
from lpc_core.files import tensors
from lpc_core.files.plain_json import dumps

OPTIMIZERS = ("adamw", "adam", "sgd")  # that app/static/offline/optimizers.js knows
LARGEST = 2_150_000  # bytes of samples and weights: with Plotly and base64 the page stays within 8 MB


class NeedsServer(ValueError):
    """A run that no page can train by itself; the message says why."""


def needs_server(run: RunConfig) -> str:
    """Why only the server can train ``run``, from its settings alone; "" where a page can."""
    reason = next(_obstacles(run), "")
    return f"this run needs the server because {reason}" if reason else ""


def _obstacles(run: RunConfig) -> Iterator[str]:
    source = sources().get(run.data.dataset)
    if source is None:
        yield f"nobody here knows the data set {run.data.dataset}"
        return
    form = source.form(run.data)
    if (backbone := resolve(run.model, torch_shape(form.shape))) != "mlp":
        yield f"a page trains MLPs only, and its network is a {backbone}; set model=mlp"
    if run.loss.loss != "cross-entropy":
        yield f"a page knows cross-entropy only, and its loss is {run.loss.loss}; set loss=cross-entropy"
    if run.optim.optimizer not in OPTIMIZERS:
        yield f"a page knows {', '.join(OPTIMIZERS)}, and its optimiser is {run.optim.optimizer}"
    if run.model.dropout > 0:
        yield "a page drops no features at random; set dropout=0"
    if run.data.augment != "none":
        yield "a page does not change its pictures at random; set augment=none"
    if (size := _bytes(run, form.shape, form.classes)) > LARGEST:
        yield (f"its samples and weights take {size / 1e6:.1f} MB, and a page holds {LARGEST / 1e6:.1f}; "
               "set fewer samples or smaller layers")


def _bytes(run: RunConfig, shape: tuple[int, ...], classes: int) -> int:
    """Of samples and weights."""
    width = math.prod(shape)
    latents = () if run.model.penultimate == "none" else (run.model.latent_dim,)
    widths = (width, *run.model.hidden, *latents, classes)
    weights = sum((m + 1) * n for m, n in itertools.pairwise(widths))
    samples = run.data.samples + min(run.data.test_samples, MOST)
    return 4 * weights + samples * (width * (1 if len(shape) == 3 else 4) + 1)


def packed(run: RunConfig) -> bytes:
    """The bytes for ``run`` at step 0; `NeedsServer` for one that no page can train, `DataError` without its data."""
    if reason := needs_server(run):
        raise NeedsServer(reason)
    trainer = Trainer(run, "cpu")
    if not isinstance(trainer.engine, FusedEngine):
        raise NeedsServer(f"this run needs the server because its steps are not those of an MLP: {trainer.engine_note}")
    opening, _ = Panel(trainer).opening()
    del opening["history"]  # the page measures step 0 itself
    normalise, names = trainer.batches.normalise, [block.name for block in trainer.engine.layout.blocks]
    info = {"config": flatten(run), "parameters": names, "mean": _numbers(normalise.mean),
            "std": _numbers(normalise.std), "theory": not trainer.theory_note, "opening": opening,
            "catalogue": catalogue()}
    weights = {f"model.{name}": trainer.model.state_dict()[name].numpy() for name in names}
    return tensors.pack(_samples(trainer.dataset, run.seed) | weights, kind="run", info=dumps(info))


def _samples(dataset: Dataset, seed: int) -> dict[str, np.ndarray]:
    test = spread(dataset.test_labels, MOST, seed)
    return {
        "train_inputs": dataset.train_inputs, "train_labels": dataset.train_labels.astype(np.uint8),
        "probe": spread(dataset.train_labels, MOST, seed).astype(np.int32),
        "test_inputs": dataset.test_inputs[test], "test_labels": dataset.test_labels[test].astype(np.uint8)}


def _numbers(values: Tensor | None) -> list[float] | None:
    return None if values is None else values.flatten().tolist()
