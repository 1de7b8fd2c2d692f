"""Admission: what a run may take on this server; whether it shares a process, gets one of its own, or is refused.

Runs and jobs (films, studies) are counted together, each with its estimate (`lpc_core.engine.cost`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

from app.live.pacing import SLICE_S
from app.settings import Settings
from lpc_core.engine.cost import Cost, CostError, check_within, machine_memory, megabytes

TOLERABLE_S = 0.1  # of a step longer than a turn, where no process of its own is left for its run
PAUSE_S, TOLERABLE_PAUSE_S = 0.25, 1.0  # the same for building and looking
SHARED_BYTES = 450 * 2**20  # what one run may take of a shared process
PROCESS_BYTES = 350 * 2**20  # of a process of its own, besides the run
RUN_SHARE, ALL_SHARE = 0.25, 0.6  # of the machine's memory, where the settings name no limit


class Ledger:
    """What runs and jobs hold, in bytes. An entry with ``alive`` is forgotten when that says so."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[int, Callable[[], bool]]] = {}
        self._lock = threading.Lock()

    def hold(self, who: Hashable, size: int, alive: Callable[[], bool] = lambda: True) -> None:
        """``who`` holds ``size`` bytes from now on."""
        with self._lock:
            self._held[who] = size, alive

    def release(self, who: Hashable) -> None:
        """``who`` holds nothing any more."""
        with self._lock:
            self._held.pop(who, None)

    def held_by_others(self, who: Hashable) -> int:
        """Bytes that all but ``who`` hold."""
        with self._lock:
            self._held = {name: entry for name, entry in self._held.items() if entry[1]()}
            return sum(size for name, (size, _) in self._held.items() if name != who)


LEDGER = Ledger()  # of this server: its machine has one memory


def check(who: Hashable, cost: Cost, settings: Settings, ledger: Ledger = LEDGER) -> None:
    """Raise `CostError` for a run or job of ``who`` that is too large for this server, alone or beside the others."""
    memory = machine_memory()
    run_limit = settings.run_memory_mb * 10**6 or int(RUN_SHARE * memory)
    limit = settings.memory_mb * 10**6 or int(ALL_SHARE * memory)
    check_within(cost, min(run_limit, limit), "one run may take on this server")
    held = ledger.held_by_others(who)
    if cost.memory + held > limit:
        raise CostError(f"memory: expected at most {megabytes(max(0, limit - held))}, what is left of the server's "
                        f"{megabytes(limit)}, got {cost}; reduce {cost.advice}, or try again when others have ended")


def gets_own(cost: Cost, taken: int, settings: Settings) -> bool:
    """Whether a run gets a process of its own while ``taken`` others have one; `CostError` if it needs one in vain.

    It wants one where it would hold up others by its steps, its pauses or its memory. One that these feel, but are not
    stopped by, can do without.
    """
    fits = cost.memory <= SHARED_BYTES
    if fits and cost.step_s <= SLICE_S and cost.pause_s <= PAUSE_S:
        return False
    if taken < settings.own_processes:
        return True
    if fits and cost.step_s <= TOLERABLE_S and cost.pause_s <= TOLERABLE_PAUSE_S:
        return False
    places = (f"all {settings.own_processes} places for runs this heavy are taken; try again when one has ended, or "
              if settings.own_processes else "this server takes no runs this heavy; ")
    raise CostError(f"size: expected a run that can share a process (at most {TOLERABLE_S:g} s per step, "
                    f"{TOLERABLE_PAUSE_S:g} s to build, {megabytes(SHARED_BYTES)}), got {cost}; {places}reduce "
                    f"{f'{cost.size} or batch_size' if cost.step_s > TOLERABLE_S else cost.advice}")
