"""Orders and reports: everything the web process says to a worker, and everything a worker says back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from app.live.messages import Control, Pause, Play, Step
from lpc_core.data import Dataset
from lpc_core.run_group import RunGroup

MAX_STEPS = 10_000


@dataclass(frozen=True)
class Order:
    """What the web process says to a worker, of the session ``id``."""

    id: str


@dataclass(frozen=True)
class Open(Order):
    """Begin a session. ``restore``: its state file may exist; ``frame`` and ``run`` are the last numbers used.

    ``left``: the session of an ended server whose state file it takes, if that is of the same run. ``moved``: another
    process may only now be putting away the run before it.
    """

    config: RunGroup
    ticket: int
    restore: bool = False
    frame: int = 0
    run: int = 0
    left: str = ""
    moved: bool = False


@dataclass(frozen=True)
class Configure(Order):
    """Train this from now on. ``ticket`` comes back when it runs (`Setup`) or cannot be had (`Notice.failed`)."""

    config: RunGroup
    ticket: int


@dataclass(frozen=True)
class Presence(Order):
    """A page has come (it needs a setup) or has gone (stand still)."""

    here: bool


@dataclass(frozen=True)
class Hold(Order):
    """A page that is connected has fallen silent (stand still) or speaks again."""

    held: bool


class Retell(Order):
    """Pages have come that watch: they need a setup too, without disturbing the page whose run it is."""


@dataclass(frozen=True)
class Say(Order):
    """What the reader said."""

    message: Control


class Close(Order):
    """End a session and forget its state."""


class Leave(Order):
    """Put a session away: write its state file and forget it; it goes on elsewhere, or another run takes its place."""


@dataclass(frozen=True)
class Stop(Order):
    """End the worker."""

    id: str = ""


@dataclass(frozen=True)
class Loaded(Order):
    """From a loading thread of the worker itself: the data of ``ticket``, or why there are none."""

    ticket: int
    config: RunGroup
    dataset: Dataset | None
    error: str = ""


def key(order: Order) -> Hashable:
    """Orders with equal keys replace one another while they wait (`wire.Mailbag`)."""
    if not isinstance(order, Say):
        return order.id, type(order)
    kind = type(order.message)
    return order.id, Play if kind in (Play, Pause, Step) else kind


def merge(old: Order, new: Order) -> Order:
    """What remains of two orders with equal keys: the newer; of two `Step`s, as many steps as both."""
    match old, new:
        case Say(message=Step(count=before)), Say(message=Step(count=after)):
            return replace(new, message=Step(type="step", count=min(MAX_STEPS, before + after)))
    return new


@dataclass(frozen=True)
class Ready:
    """The worker has imported what it needs."""


@dataclass
class Beat:
    """A sign of life, once a second, from a thread of its own: a long step is no silence."""

    turns: int = 0  # rounds of the worker's loop so far
    unsaved: int = 0  # sessions whose state files cannot be written


@dataclass(frozen=True)
class OfRun:
    """What a page is sent of a run: the bytes of `frames`."""

    id: str
    raw: bytes


@dataclass(frozen=True)
class Setup(OfRun):
    """A run has begun, or a page has come to one that goes on; ``retold`` for those that came to watch alone."""

    run: int
    ticket: int
    retold: bool = False


@dataclass(frozen=True)
class Frame(OfRun):
    """One moment of a run."""

    frame: int


class Thumbs(OfRun):
    """The pictures of the probe samples."""


@dataclass(frozen=True)
class Notice(OfRun):
    """One line for the reader; ``failed`` is the ticket of a configuration that cannot be had."""

    level: str
    failed: int | None = None


Report = Ready | Beat | OfRun
