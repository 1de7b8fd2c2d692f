"""Runners: the same work in this process, in several local ones, or on a Ray cluster; all write into one store."""

from __future__ import annotations

import concurrent.futures
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from lpc_core.config import ConfigError
from lpc_core.engine.devices import pick_device
from lpc_core.experiments._children import children, without_main
from lpc_core.experiments._plan import Planned, check
from lpc_core.experiments._ray import on_ray
from lpc_core.experiments._store import Store
from lpc_core.experiments._work import Stopped, done_or_refused
from lpc_core.ray_cluster import ray_at

MOST = 64  # local processes
RAY = "ray"
RETRIES = 3  # times that a run whose process or node was lost is begun again; it goes on from its last look
LOOK_EVERY_S = 0.5  # at how far the runs are
Tell = Callable[[], None]  # called now and then while runs are going on
Endings = Iterator[tuple[Planned, tuple[str, str]]]  # status and reason of each
Maker = Callable[[Sequence[Planned], Path, str, Tell], Endings]


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    run: Planned
    status: str  # "done", "diverged", "failed"
    reason: str = ""


def run_all(runs: Sequence[Planned], store: Path, *, on: str = "here", device: str = "auto",
            tell: Tell = lambda: None) -> Iterator[Outcome]:
    """Do ``runs`` and yield each as it ends; those that are done already are not begun.

    ``on``: "here", "processes:N", "ray" or "ray:ADDRESS" (host:port). ``tell`` is called about twice a second, or
    between runs; `Store.progress` says how far each is. Raises in words, before anything is trained, for rows, data,
    devices, stores and clusters that cannot be had. Ctrl-C ends it; the same call later goes on from the steps kept.
    """
    maker = _maker(on)
    if not on.startswith(RAY):  # whose nodes may have what this machine has not
        pick_device(device)
    check(runs)
    home = Store(store, create=True)
    done = set(filter(home.is_done, runs))
    waiting = [run for run in runs if run not in done]
    begun = maker(waiting, store.resolve(), device, tell) if waiting else iter(())
    return itertools.chain((Outcome(run, "done") for run in runs if run in done),
                           (Outcome(run, *ending) for run, ending in begun))


def _maker(on: str) -> Maker:
    kind, _, rest = on.partition(":")
    if kind == "here" and not rest:
        return _here
    if kind == "processes" and rest.isdecimal() and 1 <= int(rest) <= MOST:
        return functools.partial(_processes, int(rest))
    if kind == RAY and (rest or on == RAY):
        return functools.partial(on_ray, ray_at(rest), rest)
    raise ConfigError("on", f"here, processes:N (at most {MOST}), ray or ray:ADDRESS", on)


def _here(runs: Sequence[Planned], store: Path, device: str, tell: Tell) -> Endings:
    for run in runs:
        tell()
        try:
            yield run, done_or_refused(run, store, device)
        except Stopped:
            raise KeyboardInterrupt from None


# ---- several processes -------------------------------------------------------------------------------------------


def _processes(count: int, runs: Sequence[Planned], store: Path, device: str, tell: Tell) -> Endings:
    """Like `_here` in ``count`` processes. One that dies takes its pool with it: what was not done begins anew."""
    left, tries = list(runs), 0
    while left and tries <= RETRIES:
        ended = set()
        for run, ending in _pool(left, store, device, tell, count):
            if ending is not None:
                ended.add(run)
                yield run, ending
        left, tries = [run for run in left if run not in ended], tries + 1
    for run in left:
        yield run, ("failed", f"its process was ended {RETRIES + 1} times, by the system if memory is short; give the "
                              "command again with fewer processes")


def _pool(runs: list[Planned], store: Path, device: str, tell: Tell,
          count: int) -> Iterator[tuple[Planned, tuple[str, str] | None]]:
    """What became of each run; None where a process was lost before it ended."""
    with children(min(count, len(runs))) as pool:
        with without_main():
            futures: dict[Future[tuple[str, str]], Planned] = {
                pool.submit(done_or_refused, run, store, device): run for run in runs}
        pending = set(futures)
        while pending:
            finished, pending = concurrent.futures.wait(pending, LOOK_EVERY_S, concurrent.futures.FIRST_COMPLETED)
            tell()
            for future in finished:
                try:
                    yield futures[future], future.result()
                except BrokenProcessPool:
                    yield futures[future], None
                except Stopped:
                    raise KeyboardInterrupt from None
