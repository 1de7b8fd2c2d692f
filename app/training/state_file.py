"""State files: what a worker leaves behind every few seconds, so that another can go on. Written atomically."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Json, ValidationError

from app.live import messages
from app.training.history import History
from lpc_core.files import tensors
from lpc_core.files.plain_json import dumps
from lpc_core.files.words import printable
from lpc_core.files.writing import write_whole
from lpc_core.run_group import RunGroup, from_plain, to_plain

_LOG = logging.getLogger("app.training.state_file")


@dataclass(frozen=True)
class Saved:
    """A run at rest."""

    config: RunGroup
    trainer: bytes  # Lockstep.state_bytes()
    histories: tuple[History, ...]  # one for each run
    info: dict[str, Any]  # what else `_Facts` names


class _Facts(BaseModel):
    """What the file says beside its arrays: what is trained, and what the reader has set."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    config: Any
    columns: list[Any]  # names in the history of each run
    playing: bool
    gamma_seq: messages.Count
    speed: messages.StepsPerSecond
    ticket: messages.Count
    view: Json[messages.View]


def write(path: Path, saved: Saved) -> None:
    """Replace the file at ``path``; a reader sees the old or the new one, never a part. Only the owner may read it."""
    tables = [history.table() for history in saved.histories]
    info = {"config": to_plain(saved.config), "columns": [names for names, _ in tables]} | saved.info
    arrays = {"trainer": np.frombuffer(saved.trainer, np.uint8)}
    arrays |= {f"history{i}": table for i, (_, table) in enumerate(tables)}
    write_whole(path, tensors.pack(arrays, info=dumps(info)))  # a run that moves has two writers for a moment


def read(path: Path) -> Saved | None:
    """The run saved at ``path``; None when there is none, or none that can be gone on with, as the log then says."""
    try:
        raw = path.read_bytes()
        return _saved(tensors.header(raw).info("a run at rest"), tensors.arrays(raw))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        _LOG.warning("%s: expected a run at rest, got another file (%s)", path.name, printable(error, 300))
        return None


def _saved(info: dict[str, Any], arrays: tensors.Arrays) -> Saved:
    try:
        _Facts.model_validate(info)
    except ValidationError as error:
        raise ValueError(messages.first_line(error)) from None
    config = from_plain(info.pop("config"))
    columns, names = info.pop("columns"), [f"history{i}" for i in range(len(config.runs))]
    if {*arrays} != {"trainer", *names} or len(columns) != len(config.runs) or arrays["trainer"].dtype != np.uint8:
        raise ValueError(f"expected a trainer and {len(config.runs)} histories, got {len(arrays)} arrays and "
                         f"{len(columns)}")
    histories = tuple(History.from_table(columns[i], arrays[name]) for i, name in enumerate(names))
    return Saved(config, arrays["trainer"].tobytes(), histories, info)
