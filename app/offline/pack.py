"""What a page needs to train a group of runs by itself, as safetensors bytes; read by ``engine/lockstep.js``.

kind "run":
    info: {runs: [{config: `flatten`'s settings, parameters: [str] (the network's, in the order of their layers, the
           head's last), theory: bool, opening (what a setup says of the run, but its history)}], titles, follows
           (`RunGroup`'s), mean, std: [number] per channel of pictures, null for vectors, catalogue}
    train_inputs        float32 (N, D) or uint8 (N, H, W, C)
    train_labels        uint8 (N,)
    probe               int32 (n,)   rows of the training samples that are drawn and measured
    test_inputs, test_labels         those held-out samples that are measured
    inputs              int16 (n, 2) as in a setup; absent for pictures
    <run>.<parameter>   float32      the weights at step 0 of the run of that number
Equal seeds give the server's own run: the same samples, weights and order of samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from app.catalogue import catalogue
from app.offline.reach import NeedsServer, needs_server
from app.training.panel import Panel
from lpc_core.config import flatten
from lpc_core.data import Dataset, spread
from lpc_core.engine.cost import LOOKED_AT
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.trainer import Trainer
from lpc_core.files import tensors
from lpc_core.files.plain_json import dumps
from lpc_core.run_group import RunGroup


def packed(group: RunGroup) -> bytes:
    """The bytes for ``group`` at step 0; `NeedsServer` for one that no page can train, `DataError` without its data."""
    if reason := needs_server(group):
        raise NeedsServer(reason)
    trainers = [Trainer(run, "cpu") for run in group.runs]
    normalise = trainers[0].batches.normalise
    runs, arrays = [], _samples(trainers[0].dataset, group.seed)
    for i, trainer in enumerate(trainers):
        about, shown, weights = _own(trainer)
        runs.append(about)
        arrays |= shown | {f"{i}.{name}": value for name, value in weights.items()}
    info = {"runs": runs, "titles": group.titles, "follows": group.follows, "mean": _numbers(normalise.mean),
            "std": _numbers(normalise.std), "catalogue": catalogue()}
    return tensors.pack(arrays, kind="run", info=dumps(info))


def _own(trainer: Trainer) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What is said of a run, how its samples are shown, and its weights."""
    if not isinstance(trainer.engine, FusedEngine):
        raise NeedsServer(f"this run needs the server because its steps are not those of an MLP: {trainer.engine_note}")
    opening, arrays = Panel(trainer).opening()
    del opening["history"]  # the page measures step 0 itself
    names = list(trainer.engine.layout)
    return ({"config": flatten(trainer.config), "parameters": names, "theory": not trainer.theory_note,
             "opening": opening},
            {name: value for name, value in arrays.items() if name == "inputs"},
            {name: trainer.model.state_dict()[name].numpy() for name in names})


def _samples(dataset: Dataset, seed: int) -> dict[str, np.ndarray]:
    test = spread(dataset.test_labels, LOOKED_AT, seed)
    return {
        "train_inputs": dataset.train_inputs, "train_labels": dataset.train_labels.astype(np.uint8),
        "probe": spread(dataset.train_labels, LOOKED_AT, seed).astype(np.int32),
        "test_inputs": dataset.test_inputs[test], "test_labels": dataset.test_labels[test].astype(np.uint8)}


def _numbers(values: Tensor | None) -> list[float] | None:
    return None if values is None else values.flatten().tolist()
