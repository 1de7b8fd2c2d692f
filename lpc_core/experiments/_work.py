"""One run from its beginning, or from where it was left, to its report; the same code in every process and machine."""

from __future__ import annotations

import contextlib
import platform
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from lpc_core.config import ConfigError, flatten
from lpc_core.data import DataError
from lpc_core.engine.faults import DeviceError
from lpc_core.experiments._latents import Latents
from lpc_core.experiments._measure import final_report, look
from lpc_core.experiments._plan import Planned
from lpc_core.experiments._store import REPORT, RunFolder, Store, StoreError
from lpc_core.experiments._trainer import RowTrainer
from lpc_core.files.plain_json import dumps
from lpc_core.inspection.reporting import versions
from lpc_core.models import convolves

LOOKS = 25  # epochs at most that are looked at
CRITICAL = 5  # every so many of them the head's critical γ is solved for, which takes longer than the rest
CHUNK = 100  # steps between two looks at whether to stop
REFUSALS = (StoreError, DataError, ConfigError, DeviceError)
TRAINING = 0.8  # share of a run's progress that its training counts as


class Stopped(BaseException):
    """The run was asked to stop (Ctrl-C, SIGTERM); it is kept to the step and goes on when it is asked for again."""


def work(run: Planned, store: str | Path, device: str = "auto") -> str:
    """Do ``run``, or the rest of it, and return "done" or "diverged". Its state on the disk is never older than a look.

    Raises `StoreError`, `DataError` and `ConfigError` in words, `Stopped` where a signal asked for it.
    """
    home = Store(store, create=True)
    with home.writing(run) as folder, _stoppable() as asked:
        if home.is_done(run):
            return "done"
        trainer = RowTrainer(run.row, run.config, run.scale, device)
        if not convolves(trainer.model):
            torch.set_num_threads(1)  # small matrices: two threads on two busy cores are many times slower
        folder.begin(flatten(run.config), _start(trainer))
        history, seconds = _train(trainer, folder, asked)
        folder.tell(TRAINING, "measuring")
        report: dict[str, Any] = {"diverged": trainer.reason, "step": trainer.step, "epochs": len(history),
                                  "seconds_training": seconds,
                                  "seconds_looking": history[-1].get("seconds_looking", 0.0)}
        if not trainer.diverged:
            report |= final_report(trainer)
        folder.write(REPORT, dumps(report, indent=1).encode())
        folder.tell(1.0, "diverged" if trainer.diverged else "done")
        return "diverged" if trainer.diverged else "done"


def done_or_refused(run: Planned, store: Path, device: str) -> tuple[str, str]:
    """How ``run`` ends: its status and, for one that failed, what was refused, in words."""
    try:
        return work(run, store, device), ""
    except REFUSALS as error:
        return "failed", str(error)


def _start(trainer: RowTrainer) -> dict[str, Any]:
    """What a start of a run was made with."""
    return {"versions": versions(), "python": sys.version.split()[0], "machine": platform.platform(),
            "processor": platform.processor() or platform.machine(), "device": str(trainer.device),
            "threads": torch.get_num_threads(), "engine": trainer.engine_note, "host": platform.node(),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def _train(trainer: RowTrainer, folder: RunFolder, asked: threading.Event) -> tuple[list[dict[str, Any]], float]:
    """Train to the end with a look at most `LOOKS` times; returns the looks and the seconds of training in them all."""
    if (state := folder.state()) is not None:
        trainer.load_state_bytes(state)
    history, latents = folder.history(trainer.step), folder.latents(trainer.step)
    if latents is None:
        latents = Latents.none(trainer.probe_labels, trainer.model.head.in_features, LOOKS + 1)
    spent, looking = (history[-1].get(name, 0.0) if history else 0.0 for name in ("seconds", "seconds_looking"))
    every = max(1, -(-trainer.epochs // LOOKS))
    for epoch in [*range(0, trainer.epochs, every), trainer.epochs]:
        spent += _advance(trainer, trainer.step_of_epoch(epoch + 1), asked)
        if asked.is_set():
            folder.look(history, trainer.state_bytes())
            raise Stopped(folder.run.name)
        if not history or history[-1]["step"] < trainer.step:
            begin = time.perf_counter()
            line, seen = look(trainer, len(history) % CRITICAL == 0)
            looking += time.perf_counter() - begin
            history.append({**line, "seconds": spent, "seconds_looking": looking})
            latents = latents.after(trainer.step, trainer.gamma.value, seen)
            folder.look(history, trainer.state_bytes(), latents)
            folder.tell(TRAINING * trainer.step / trainer.config.steps, f"epoch {epoch} of {trainer.epochs}")
        if trainer.diverged:
            break
    return history, spent


def _advance(trainer: RowTrainer, wanted: int, asked: threading.Event) -> float:
    """Train to the step ``wanted`` unless the run is to stop; returns the seconds it took."""
    begin = time.perf_counter()
    while trainer.step < wanted and not (trainer.diverged or asked.is_set()):
        trainer.advance(min(CHUNK, wanted - trainer.step))
    return time.perf_counter() - begin


@contextlib.contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """SIGINT and SIGTERM ask for a stop between two steps, in the main thread; a second SIGINT ends at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set() and number == signal.SIGINT:
            raise Stopped
        asked.set()

    try:
        for number in before:
            signal.signal(number, ask)
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
