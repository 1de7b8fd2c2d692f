"""A finished run from its file: the model, the data it was trained on, and what the data look like to the model."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lpc_core.choices import known_run
from lpc_core.config import ConfigError, RunConfig
from lpc_core.data import Dataset, load, spread
from lpc_core.data.inputs import Normaliser, input_shape
from lpc_core.engine.state import FORMAT, StateError, unpack
from lpc_core.engine.state_check import check_info, check_model
from lpc_core.files.impostors import HEAD, named
from lpc_core.files.tensors import TensorFileError, header
from lpc_core.models import Classifier, build

MAX_BYTES = 2**31  # of a file that is read
MAX_WORDS = 300  # characters of another library's complaint
SPLITS = ("train", "test")


class NotARun(ValueError):
    """A file or folder that holds no run of this project; the message says what it is and how to make one."""


@dataclass(frozen=True, eq=False)
class SavedRun:
    """What `open_run` returns. Inputs are as the model takes them: pictures standardised, vectors as they are."""

    config: RunConfig
    model: Classifier  # in evaluation mode, on the CPU
    dataset: Dataset
    step: int
    info: dict[str, Any]  # the rest of what the file says: γ, learning rate, why it diverged

    def samples(self, split: str, most: int | None = None, seed: int = 0) -> tuple[Tensor, np.ndarray]:
        """Model inputs (n, …) and labels (n,) of "train" or "test": all, or at most ``most``, stratified and seeded."""
        if split not in SPLITS:
            raise ValueError(f"expected split to be one of {', '.join(SPLITS)}, got {split!r}")
        stored, labels = ((self.dataset.train_inputs, self.dataset.train_labels) if split == "train" else
                          (self.dataset.test_inputs, self.dataset.test_labels))
        rows = spread(labels, len(labels) if most is None else most, seed)
        return self._normaliser(torch.from_numpy(stored[rows])), labels[rows]

    @property
    def bounds(self) -> tuple[Tensor, Tensor] | None:
        """The smallest and largest model input that a picture can give, (C, 1, 1) each; None for vectors."""
        mean, std = self._normaliser.mean, self._normaliser.std
        return None if mean is None or std is None else ((0 - mean) / std, (1 - mean) / std)

    @functools.cached_property
    def _normaliser(self) -> Normaliser:
        return Normaliser(self.dataset, torch.device("cpu"))


def open_run(path_or_bytes: str | Path | bytes, dataset: Dataset | None = None) -> SavedRun:
    """The run in a file that ``lpc train --out`` wrote, in its bytes, or in a folder that holds exactly one such file.

    Nothing in the file can execute. ``dataset`` replaces the data that the run's settings name. Raises `NotARun` for
    anything else, `DataError` where the data cannot be had.
    """
    raw, name = (path_or_bytes, "the bytes") if isinstance(path_or_bytes, bytes) else _read(Path(path_or_bytes))
    try:
        tensors, info = unpack(raw)
        config = _config(info.get("config"))
        check_info(info)
        data = dataset or load(config.data, config.seed)
        model = _model(config, data, tensors)
        rest = {key: value for key, value in info.items() if key not in ("config", "step")}
        return SavedRun(config, model.eval(), data, info["step"], rest)
    except StateError as error:
        words = " ".join(str(error).split())[:MAX_WORDS]
        raise NotARun(f"{name}: {words}; make one with lpc train --out run.safetensors, or name the data it was "
                      "trained on") from None


def _config(flat: object) -> RunConfig:
    """The run's settings; `StateError` for what are none."""
    try:
        return known_run(flat)
    except ConfigError as error:
        raise StateError(f"expected settings that this version knows, got others ({error})") from None


def _model(config: RunConfig, data: Dataset, tensors: dict[str, Tensor]) -> Classifier:
    """The model with the weights among ``tensors``; nothing large is made before they are known to fit."""
    weights = {key.removeprefix("model."): value for key, value in tensors.items() if key.startswith("model.")}

    def build_on(device: str) -> Classifier:
        with torch.device(device):
            return build(config.model, input_shape(data), data.classes, config.seed, config.loss)

    try:
        check_model(weights, build_on("meta").state_dict())
        model = build_on("cpu")
    except (ConfigError, RuntimeError) as error:  # a model that these data cannot have
        raise StateError(f"expected a model for inputs {input_shape(data)}, got none ({error})") from None
    model.load_state_dict(weights)
    return model


def _read(path: Path) -> tuple[bytes, str]:
    """The bytes of the run at ``path``, and the name to use in errors."""
    if not path.exists():
        raise NotARun(f"{path}: expected a run written by lpc train --out, got nothing there")
    file = _only_run_in(path) if path.is_dir() else path
    if file.stat().st_size > MAX_BYTES:
        raise NotARun(f"{file}: expected a run of at most {MAX_BYTES >> 20:,} MB, got {file.stat().st_size >> 20:,} MB")
    raw = file.read_bytes()
    if impostor := named(raw[:HEAD]):
        raise NotARun(f"{file}: expected a run written by lpc train --out, got {impostor}")
    return raw, str(file)


def _only_run_in(folder: Path) -> Path:
    runs = sorted(file for file in folder.iterdir() if file.is_file() and _format(file) == FORMAT)
    if len(runs) != 1:
        names = ", ".join(file.name for file in runs) or "none"
        raise NotARun(f"{folder}: expected a folder with exactly one run (written by lpc train --out), got {names}; "
                      "name the file")
    return runs[0]


def _format(file: Path) -> str:
    """What a safetensors file says it is; "" for files of any other kind. Only the header is read."""
    try:
        return header(file).metadata.get("format", "")
    except TensorFileError:
        return ""
