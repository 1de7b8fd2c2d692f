"""Lockstep: the trainers of a group of runs as one: all have done the same number of steps, whenever one looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from lpc_core.config import RunConfig
from lpc_core.files import tensors
from lpc_core.run_group import RunGroup

if TYPE_CHECKING:
    from lpc_core.data import Dataset
    from lpc_core.engine.trainer import Trainer

Member: TypeAlias = "Trainer"  # here without torch: tests put others in its place


class Lockstep:
    """Steps its members in turn, so that a slow one holds the others back; a group of one is that run itself.

    A member that diverges stands still at its last good state while the others go on. ``make(run)`` gives a trainer
    for each run.
    """

    def __init__(self, config: RunGroup, make: Callable[[RunConfig], Member]) -> None:
        self.config = config
        self.members = [make(run) for run in config.runs]

    # ---- as one ----------------------------------------------------------------------------------------------------

    @property
    def dataset(self) -> Dataset:
        """The data set that all share."""
        return self.members[0].dataset

    @property
    def leader(self) -> int:
        """The first member whose γ follows the hand; 0 when none does."""
        return self.config.follows.index(True) if any(self.config.follows) else 0

    @property
    def step(self) -> int:
        """Steps done by all members that have not diverged."""
        alive = [member.step for member in self.members if not member.diverged]
        return max(alive or [member.step for member in self.members])

    @property
    def limit(self) -> int:
        """Where all of them stop by themselves."""
        return max(member.limit for member in self.members)

    @property
    def finished(self) -> bool:
        """Whether all members that have not diverged are at their end."""
        return not self.diverged and all(member.finished or member.diverged for member in self.members)

    @property
    def diverged(self) -> bool:
        """Whether none of them can go on."""
        return all(member.diverged for member in self.members)

    @property
    def reason(self) -> str:
        """Why none of them can go on; "" while one can."""
        return self.members[self.leader].reason if self.diverged else ""

    # ---- controls ----------------------------------------------------------------------------------------------------

    def set_gamma(self, value: float) -> None:
        """Move γ by hand, for the members that follow."""
        for member in self._followers():
            member.set_gamma(value)

    def set_auto(self) -> None:
        """Give their γ back to the schedule."""
        for member in self._followers():
            member.set_auto()

    def set_lr(self, value: float) -> None:
        """Replace the backbone's learning rate of all."""
        for member in self.members:
            member.set_lr(value)

    def extend(self) -> None:
        """Let all of them go on past their end."""
        for member in self.members:
            member.extend()

    def _followers(self) -> list[Member]:
        found = [member for member, follows in zip(self.members, self.config.follows, strict=True) if follows]
        if not found:
            raise ValueError("expected a run that follows γ, got none: every run here sets its own course")
        return found

    # ---- training and saving -----------------------------------------------------------------------------------------

    def advance(self, steps: int = 1, deadline: float | None = None) -> int:
        """Train all up to ``steps`` steps, one step each in turn; fewer if ``deadline`` passes. Returns how many."""
        if len(self.members) == 1:  # nobody to wait for: as many steps at once as it likes
            return self.members[0].advance(steps, deadline)
        done = 0
        while done < steps and not (self.finished or self.diverged):
            for member in self.members:
                member.advance(1)
            done += 1
            if deadline is not None and time.perf_counter() >= deadline:
                break
        return done

    def state_bytes(self) -> bytes:
        """All members at this moment, as one safetensors file."""
        return tensors.pack({str(i): np.frombuffer(member.state_bytes(), np.uint8)
                             for i, member in enumerate(self.members)})

    def load_state_bytes(self, raw: bytes) -> None:
        """Go to the moment in ``raw``; `ValueError` if it is not one of this group."""
        try:
            states = tensors.arrays(raw)
        except tensors.TensorFileError as error:
            raise ValueError(f"expected the state of a group of runs, got bytes that are not one ({error})") from None
        if sorted(states) != [str(i) for i in range(len(self.members))]:
            raise ValueError(f"expected the states of {len(self.members)} runs, got {len(states)}")
        for i, member in enumerate(self.members):
            member.load_state_bytes(states[str(i)].tobytes())
