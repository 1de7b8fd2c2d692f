"""State files: what a worker leaves behind every few seconds, so that another can go on. Written atomically."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from app.live.history import History
from lpc_core.choices import check_names
from lpc_core.comparison import Comparison, from_plain, to_plain
from lpc_core.config import ConfigError, RunConfig, flatten, unflatten


@dataclass(frozen=True)
class Saved:
    """A run at rest."""

    config: RunConfig | Comparison
    trainer: bytes  # Trainer.state_bytes()
    histories: tuple[History, ...]  # one for each run
    info: dict[str, Any]  # playing, speed, view, gamma_seq, ticket, ...


def write(path: Path, saved: Saved) -> None:
    """Replace the file at ``path``; a reader sees the old or the new one, never a part. Only the owner may read it."""
    tables = [history.table() for history in saved.histories]
    several = isinstance(saved.config, Comparison)
    config = to_plain(saved.config) if isinstance(saved.config, Comparison) else flatten(saved.config)
    info = {"config": config, "several": several, "columns": [names for names, _ in tables]} | saved.info
    arrays = {"trainer": np.frombuffer(saved.trainer, np.uint8)}
    arrays |= {f"history{i}": np.ascontiguousarray(table) for i, (_, table) in enumerate(tables)}
    raw = safetensors.numpy.save(arrays, metadata={"info": json.dumps(info)})
    temporary = path.with_suffix(f".{os.getpid()}.new")  # a run that moves has two writers for a moment
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(raw)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)  # half a file on a full disk
        raise


def read(path: Path) -> Saved | None:
    """The run saved at ``path``; None when there is none, or none that can be read."""
    try:
        raw = path.read_bytes()
        arrays = safetensors.numpy.load(raw)
        info = json.loads(json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]["info"])
        histories = tuple(History.from_table(names, arrays[f"history{i}"])
                          for i, names in enumerate(info.pop("columns")))
        config = from_plain(info.pop("config")) if info.pop("several") else _run(info.pop("config"))
        for run in config.runs if isinstance(config, Comparison) else (config,):
            check_names(run)
        return Saved(config, arrays["trainer"].tobytes(), histories, info)
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, ConfigError):
        return None


def _run(flat: dict[str, Any]) -> RunConfig:
    return unflatten({name: tuple(value) if isinstance(value, list) else value for name, value in flat.items()})


def remove(path: Path) -> None:
    """Forget the run saved at ``path``, if there is one; where its folder is gone, there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()
