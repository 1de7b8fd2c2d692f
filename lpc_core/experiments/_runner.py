"""Runners: the same work in this process, in several local ones, or on a Ray cluster; all write into one store."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from lpc_core.config import ConfigError
from lpc_core.engine.devices import pick_device
from lpc_core.experiments._children import children, without_main
from lpc_core.experiments._plan import Planned, check
from lpc_core.experiments._ray import ray_results
from lpc_core.experiments._store import Store
from lpc_core.experiments._work import Stopped, done_or_refused

MOST = 64  # local processes
RAY = "ray"
RETRIES = 3  # times that a run whose process or node was lost is begun again; it goes on from its last look
LOOK_EVERY_S = 0.5  # at how far the runs are
Tell = Callable[[], None]  # called now and then while runs are going on


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
    home = Store(store, create=True)
    check(runs)
    waiting = [run for run in runs if not home.is_done(run)]
    done = [Outcome(run, "done") for run in runs if home.is_done(run)]
    return _all(done, waiting, maker, store.resolve(), device, tell)


def _all(done: list[Outcome], waiting: list[Planned], maker: Maker, store: Path, device: str,  # noqa: PLR0917
         tell: Tell) -> Iterator[Outcome]:
    yield from done
    if waiting:
        yield from maker(waiting, store, device, tell)


Maker = Callable[[Sequence[Planned], Path, str, Tell], Iterator[Outcome]]


def _maker(on: str) -> Maker:
    kind, _, rest = on.partition(":")
    if kind == "here" and not rest:
        return _here
    if kind == "processes" and rest.isdigit() and 1 <= int(rest) <= MOST:
        return lambda runs, store, device, tell: _processes(runs, store, device, tell, int(rest))
    if kind == RAY and (rest or on == RAY):
        results = ray_results(rest)
        return lambda runs, store, device, tell: (
            Outcome(run, *outcome) for run, outcome in results(runs, store, device, tell))
    raise ConfigError("on", f"here, processes:N (at most {MOST}), ray or ray:ADDRESS", on)


def _here(runs: Sequence[Planned], store: Path, device: str, tell: Tell) -> Iterator[Outcome]:
    for run in runs:
        tell()
        try:
            yield Outcome(run, *done_or_refused(run, store, device))
        except Stopped:
            raise KeyboardInterrupt from None


# ---- several processes -------------------------------------------------------------------------------------------


def _in_process(run: Planned, store: Path, device: str) -> tuple[str, str]:
    try:
        return done_or_refused(run, store, device)
    except Stopped:
        return "stopped", ""


def _processes(runs: Sequence[Planned], store: Path, device: str, tell: Tell, count: int) -> Iterator[Outcome]:
    """Like `_here` in ``count`` processes. One that dies takes its pool with it: what was not done begins anew."""
    left, tries = list(runs), dict.fromkeys(runs, 0)
    while left:
        ended: list[Planned] = []
        for run, result in _pool(left, store, device, tell, count):
            if result is not None:
                ended.append(run)
                yield Outcome(run, *result)
        left = [run for run in left if run not in ended]
        for run in left:
            tries[run] += 1
        for run in [run for run in left if tries[run] > RETRIES]:
            left.remove(run)
            yield Outcome(run, "failed", f"its process was ended {RETRIES + 1} times, by the system if memory is "
                                         "short; give the command again with fewer processes")


def _pool(runs: list[Planned], store: Path, device: str, tell: Tell,
          count: int) -> Iterator[tuple[Planned, tuple[str, str] | None]]:
    """What became of each run; None where a process was lost before it ended."""
    with children(min(count, len(runs))) as pool:
        with without_main():
            futures: dict[Future[tuple[str, str]], Planned] = {
                pool.submit(_in_process, run, store, device): run for run in runs}
        pending = set(futures)
        while pending:
            finished, pending = concurrent.futures.wait(pending, LOOK_EVERY_S, concurrent.futures.FIRST_COMPLETED)
            tell()
            for future in finished:
                yield futures[future], _result(future)


def _result(future: Future[tuple[str, str]]) -> tuple[str, str] | None:
    try:
        found = future.result()
    except BrokenProcessPool:
        return None
    if found[0] == "stopped":
        raise KeyboardInterrupt
    return found
