"""What one file of metrics offers: the names it measures, and from what: samples, their moments, a moment of a run."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lpc_core.metrics.arithmetic.latent_set import LatentSet
from lpc_core.metrics.measuring.base import Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.registry import discover


@dataclass(frozen=True)
class Group:
    """Names that are measured together, and the forms in which they can be.

    ``compute`` measures any number of samples, for `measure`, the Metrics and Inspect pages and the shell. Those of
    the names that it finds from moments alone, as `CollapseMetrics` gathers them, are in ``moments``, or in
    ``scatters`` if it also needs the scatter matrix of every class (`ClassStatistics.deviations`).
    ``live`` measures a run while it trains, for snapshots, Play, Film and Compare: a function per name.
    A need is the name of a `Given` field that must not be None: "predictions", "weight".
    """

    names: tuple[str, ...]
    compute: Callable[[Given], dict[str, Reading]] | None
    needs: Mapping[str, str] = field(default_factory=dict)  # of those that need more than latents and labels
    needs_samples: bool = False  # more than nodes, of each class: rests on distances or scatter in all directions
    slow: bool = False  # costs far more than a pass over the samples
    moments: tuple[str, ...] = ()
    scatters: tuple[str, ...] = ()
    beyond_moments: str = "needs the samples themselves"  # why the other names cannot be had from moments
    live: Mapping[str, Callable[[LatentSet], float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = {*self.needs, *self.moments, *self.scatters, *self.live}.difference(self.names)
        if unknown:
            raise ValueError(f"expected forms of {', '.join(self.names)}, got one of {', '.join(sorted(unknown))}; "
                             "add it to the names")

    def missing(self, given: Given) -> dict[str, str]:
        """Names that cannot be computed from what is given, each with the reason."""
        return {name: f"needs {_SOURCES[need]}" for name, need in self.needs.items() if getattr(given, need) is None}


@functools.cache
def groups() -> dict[str, Group]:
    """The ``GROUP`` of every module here."""
    return discover("lpc_core.metrics", "GROUP", Group)


def undefined(reason: str) -> Reading:
    """The reading of a quantity that does not exist here."""
    return Reading(math.nan, reason=reason)


_SOURCES = {"predictions": "predictions, or logits, or weight and bias", "weight": "the head's weight"}
