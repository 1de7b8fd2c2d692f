"""Worker: the process that trains. It serves many sessions in turns of a few milliseconds, each run its own `Run`.

Started as ``python -m app.training.worker DIRECTORY ENGINE DEVICE NUMBER KEEP_S``; orders come on standard input,
reports go to standard output (`wire`). When standard input ends without a `Stop`, the web process is gone: the worker
removes what that left, but for the states of runs if these may wait for the next one, and ends.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import math
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.live import messages, orders, rooms, wire
from app.live.mark import Mark, mark_name
from app.live.pacing import SLICE_S
from app.training import state_file
from app.training.loading import DataCache, Load
from app.training.run import Post, Run
from lpc_core.config import RunConfig
from lpc_core.data import DataError, Dataset, missing
from lpc_core.data import load as load_data
from lpc_core.engine.faults import DeviceError, DeviceLost
from lpc_core.engine.lockstep import Lockstep, Member
from lpc_core.run_group import RunGroup

ROUND_S = 0.1  # all turns together, when there are many sessions
MIN_SLICE_S = 0.002
IDLE_S = 0.5
BEAT_S = 1.0
PROGRESS_EVERY_S = 0.2
PUT_AWAY_S = 5.0  # how long a run that moves here waits for the state file of the one before it
EXPECTED = (DataError, ValueError, MemoryError, OSError)  # a reader can do something about these
STOPPED = "The training process stopped; "

_LOG = logging.getLogger("app.training.worker")


@dataclass(frozen=True)
class Engine:
    """Where trainers and data come from; tests bring their own."""

    make: Callable[[RunConfig, str, Dataset], Member]
    load: Load
    warm: bool = False  # do a few steps at the start, so that the first reader does not wait for lazy imports


def torch_engine() -> Engine:
    """The engine in use."""
    import torch

    from lpc_core.engine.trainer import Trainer

    torch.set_num_threads(1)
    return Engine(Trainer, load_data, warm=True)


def beat(pulse: orders.Beat, post: Post) -> None:
    """Give signs of life until the web process is gone."""
    with contextlib.suppress(OSError):
        while True:
            post(pulse)
            time.sleep(BEAT_S)


class Worker:
    """All sessions of one process. `serve` runs until it is told to stop."""

    def __init__(self, inbox: wire.Mailbag, post: Post, engine: Engine, *, device: str, folder: Path,
                 pulse: orders.Beat) -> None:
        self._inbox, self._post, self._engine, self._device, self._folder = inbox, post, engine, device, folder
        self._mark = Mark(folder / mark_name(os.getpid()))
        self._cache = DataCache(engine.load)
        self._runs: dict[str, Run] = {}
        self._wanted: dict[str, int] = {}  # the newest ticket of each session that is still loading
        self._stopping = False
        self._pulse = pulse

    def serve(self) -> None:
        """Obey, train, draw and save in turns; sleep when there is nothing to do."""
        if self._engine.warm and not len(self._inbox):
            self._warm_up()
        self._post(orders.Ready())
        while not self._stopping:
            now = time.perf_counter()
            for order in self._inbox.take(min([IDLE_S, *(run.wait(now) for run in self._runs.values())])):
                self._obey(order)
            self._round()
            self._pulse.turns += 1
            self._note_saving()
        for run in self._runs.values():
            if run.keeper.changed:
                self._guard(run, run.save)

    def _note_saving(self) -> None:
        """Say once in the log that runs cannot be saved, and once that they can again."""
        unsaved = sum(run.keeper.failures > 0 for run in self._runs.values())
        if (unsaved > 0) != (self._pulse.unsaved > 0):
            _LOG.warning("state files cannot be written to %s: is the disk full?" if unsaved else
                         "state files can be written to %s again", self._folder)
        if self._pulse.unsaved and not unsaved:
            self._mark.mend()
        self._pulse.unsaved = unsaved

    # ---- turns ---------------------------------------------------------------------------------------------------

    def _round(self) -> None:
        watched = [run for run in self._runs.values() if run.here]
        active = sum(run.trains for run in watched)
        quantum = min(SLICE_S, max(MIN_SLICE_S, ROUND_S / max(active, 1)))
        for run in list(self._runs.values()):
            if run.id in self._runs:
                self._guard(run, functools.partial(self._turn, run, quantum, max(active, 1)))
            if len(self._inbox):  # a moved slider waits for one turn, not for a round
                for order in self._inbox.take(0):
                    self._obey(order)
            if self._stopping:
                return

    def _turn(self, run: Run, quantum: float, active: int) -> None:
        """One run's turn, of ``active``. Who took longer (one long step) sits out until the others had as much."""
        contested = active > 1
        if contested and run.debt > quantum:
            run.debt -= quantum
        else:
            taken = run.train(quantum)
            run.debt = max(0.0, run.debt + taken - quantum) if contested else 0.0
        now = time.perf_counter()
        run.send_frame_if_due(now, active)
        if run.keeper.wait(now) <= 0:
            run.save()

    def _guard(self, run: Run, work: Callable[[], None]) -> None:
        """Do ``work`` for ``run``; whatever goes wrong in it stays with this run."""
        self._mark.put(run.id)
        try:
            work()
        except DeviceLost:  # nothing here can use the device any more: another process goes on with all runs
            raise
        except Exception as error:  # one reader's trainer must never take down the others', whatever it raises
            _LOG.exception("session %s", run.id)
            run.fail(str(error) if isinstance(error, DeviceError) else
                     f"internal error: {type(error).__name__}: {error}")
        finally:
            self._mark.put(next(iter(self._wanted), ""))

    # ---- orders --------------------------------------------------------------------------------------------------

    def _obey(self, order: orders.Order) -> None:
        if isinstance(order, orders.Stop):
            self._stopping = True
            return
        if isinstance(order, orders.Open):
            self._open(order)
            return
        run = self._runs.get(order.id)
        if run is None:
            return
        match order:
            case orders.Configure(config=config, ticket=ticket):
                self._prepare(run, config, ticket)
            case orders.Loaded():
                self._guard(run, lambda: self._begin(run, order))
            case orders.Presence(here=True):
                self._guard(run, run.come)
            case orders.Presence(here=False):
                run.leave()
            case orders.Hold(held=held):
                run.hold(held)
            case orders.Retell():
                self._guard(run, run.retell)
            case orders.Say(message=message):
                self._guard(run, lambda: self._hear(run, message))
            case orders.Close():
                self._forget(run)
                run.keeper.remove()
            case orders.Leave():
                self._guard(run, run.save)
                self._forget(run)

    def _hear(self, run: Run, message: messages.Control) -> None:
        try:
            run.hear(message)
        except EXPECTED as error:
            run.tell("error", str(error), state="error")

    def _open(self, order: orders.Open) -> None:
        def make(group: RunGroup, dataset: Dataset) -> Lockstep:
            return Lockstep(group, lambda run: self._engine.make(run, self._device, dataset))

        run = Run(order.id, self._post, make, self._path(order.id), frame=order.frame, run=order.run)
        run.restoring = order.restore
        if order.left:
            with contextlib.suppress(OSError):  # then the run begins at step 0, which the page says
                self._path(order.left).replace(self._path(order.id))
        self._runs[order.id] = run
        saved = state_file.read(self._path(order.id)) if order.restore else None
        self._prepare(run, saved.config if saved else order.config, order.ticket,
                      self._path(order.id) if order.moved else None)

    def _forget(self, run: Run) -> None:
        del self._runs[run.id]
        self._wanted.pop(run.id, None)

    def _path(self, session: str) -> Path:
        return self._folder / f"{session}.safetensors"

    # ---- loading and beginning -------------------------------------------------------------------------------------

    def _prepare(self, run: Run, config: RunGroup, ticket: int, after: Path | None = None) -> None:
        """Fetch the data of ``config`` in a thread; `Loaded` comes back as an order. A newer ticket makes it void.

        It comes once the file ``after`` is there, or does not come in `PUT_AWAY_S`.
        """
        self._wanted[run.id] = ticket
        told = 0.0

        def progress(share: float, what: str) -> None:
            nonlocal told
            now = time.perf_counter()
            if now - told >= PROGRESS_EVERY_S and self._wanted.get(run.id) == ticket:
                told = now
                run.tell("info", what, progress=share if math.isfinite(share) else None, state="loading")

        def work() -> None:
            dataset, error = None, ""
            try:
                dataset = self._cache.get(config.data, config.seed, progress)
            except DataError as problem:
                error = missing(config.data.dataset, problem)
            except EXPECTED as problem:
                error = str(problem) or type(problem).__name__
            except Exception as problem:  # a thread's end: who waits for this data must hear of any failure
                _LOG.exception("loading %s for session %s", config.data.dataset, run.id)
                error = f"internal error: {type(problem).__name__}: {problem}"
            end = time.monotonic() + PUT_AWAY_S
            while after is not None and not after.exists() and time.monotonic() < end:
                time.sleep(0.02)
            loaded = orders.Loaded(run.id, ticket, config, dataset, error)
            self._inbox.put((run.id, orders.Loaded, ticket), loaded)

        threading.Thread(target=work, name="loading", daemon=True).start()  # nobody waits for it at the end

    def _begin(self, run: Run, loaded: orders.Loaded) -> None:
        """Start (or go on with) a run whose data have come; if it cannot be, the run before it goes on."""
        if self._wanted.get(run.id) != loaded.ticket:
            return
        del self._wanted[run.id]
        if loaded.dataset is None:
            self._refuse(run, loaded, loaded.error)
            return
        try:
            how = self._start(run, loaded, loaded.dataset)
        except (*EXPECTED, RuntimeError) as error:  # torch reports impossible shapes and full memory as RuntimeError
            self._refuse(run, loaded, str(error) or type(error).__name__)
            return
        if run.restoring and run.run > 1:  # else nothing had begun in the worker that ended
            run.tell("warning", STOPPED + how, state="restored")
        run.restoring = False

    def _start(self, run: Run, loaded: orders.Loaded, dataset: Dataset) -> str:
        """Go on from the run's state file, or begin at step 0 where there is none that fits; returns which."""
        saved = state_file.read(self._path(run.id)) if run.trainer is None else None
        if saved is not None and saved.config == loaded.config:
            try:
                return f"went on from step {run.restore(saved, dataset, loaded.ticket):,}."
            except ValueError as error:
                _LOG.warning("the saved state of session %s does not fit: %s", run.id, error)
        run.start(loaded.config, dataset, loaded.ticket)
        return "started again from step 0."

    def _refuse(self, run: Run, loaded: orders.Loaded, text: str) -> None:
        """Say why not. The run before goes on; one that waits in its state file is fetched."""
        saved = state_file.read(self._path(run.id)) if run.trainer is None else None
        waits = saved is not None and saved.config != loaded.config
        if waits or run.trainer is not None:
            text = f"{text.rstrip('.')}. The run before it goes on."
        run.tell("error", text, state="error", failed=loaded.ticket)
        if saved is not None and waits:
            self._prepare(run, saved.config, saved.info["ticket"])

    def _warm_up(self) -> None:
        """Load the default data and take a few steps, so that lazy imports and first allocations are done."""
        config = RunConfig()
        try:
            dataset = self._cache.get(config.data, config.seed, lambda *_: None)
            trainer = self._engine.make(config, self._device, dataset)
            trainer.advance(3)
            trainer.snapshot()
        except (*EXPECTED, RuntimeError) as error:
            _LOG.warning("could not warm up: %s", error)


def _read_orders(stream: BinaryIO, inbox: wire.Mailbag, folder: Path, keep_s: float) -> None:
    """Put what comes into ``inbox``; when the web process is gone, leave nothing behind but states to be kept."""
    try:
        while True:
            order = wire.receive(stream)
            inbox.put(orders.key(order), order)
            if isinstance(order, orders.Stop):
                return
    except (EOFError, OSError):
        try:
            if keep_s == 0:
                shutil.rmtree(folder, ignore_errors=True)
            if keep_s < math.inf:
                rooms.clear(folder, keep_s)
        except Exception:  # the whole place may have been cleared away meanwhile
            _LOG.exception("could not clear %s", folder)
        finally:  # whatever happens: without its web process nothing would ever end this one
            os._exit(0)


def main(folder: str, engine: str, device: str, number: str = "0", keep_s: str = "0") -> None:
    """Serve until told to stop. ``engine`` is ``module:function``; workers share out the GPUs by their ``number``.

    ``keep_s`` as `Settings.keep_s`; "inf" where others, on other machines, may go on with what is in the folder.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the web process, which then says `Stop`
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with contextlib.suppress(OSError):  # when memory runs out on Linux, a worker is ended before the web process is
        Path("/proc/self/oom_score_adj").write_text("500", "ascii")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not between the reports
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    inbox = wire.Mailbag(orders.merge)
    threading.Thread(target=_read_orders, args=(stdin, inbox, Path(folder), float(keep_s)), name="orders",
                     daemon=True).start()
    lock, pulse = threading.Lock(), orders.Beat()

    def post(report: orders.Report) -> None:
        with lock:  # loading threads report progress
            wire.send(stdout, report)

    threading.Thread(target=beat, args=(pulse, post), name="beat", daemon=True).start()
    module, _, function = engine.partition(":")
    made: Engine = getattr(importlib.import_module(module), function)()
    from lpc_core.engine.devices import device_note, spread

    if note := device_note(device):  # why it is the CPU where there is a GPU that cannot be used
        _LOG.warning(note)
    with contextlib.suppress(BrokenPipeError):  # the web process is gone; the reading thread tidies up
        Worker(inbox, post, made, device=spread(device, int(number)), folder=Path(folder), pulse=pulse).serve()
    os._exit(0)  # loading threads may still wait for a network


if __name__ == "__main__":
    from app.training.worker import main as run_main  # under its own name, so that pickled classes are the same ones

    run_main(*sys.argv[1:6])
