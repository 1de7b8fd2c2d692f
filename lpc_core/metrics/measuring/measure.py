"""Every quantity that latents, labels and a head allow, by name: `measure` gives values, `readings` limits too."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lpc_core.metrics.arithmetic.sampling import too_few
from lpc_core.metrics.measuring.base import Reading
from lpc_core.metrics.measuring.given import Given, given
from lpc_core.metrics.measuring.group import Group, groups, undefined
from lpc_core.progress import Progress, silent


def measure(latents: Any, labels: Any, predictions: Any = None, logits: Any = None, weight: Any = None,  # noqa: PLR0917
            bias: Any = None, only: Iterable[str] | None = None) -> dict[str, float]:
    """The quantities of ``latents`` (n, d) with ``labels`` (n,) by name; `METRICS` explains each.

    NumPy arrays or torch tensors of any real format on any device. ``labels`` are whole numbers or texts;
    ``predictions`` (n,) likewise; ``logits`` (n, K), and ``weight`` (K, d) and ``bias`` (K,) of the head that reads the
    latents, one row per class. Predictions not given are taken from the logits, else from Wz + b.
    ``only`` names the quantities wanted (any iterable of names). Without it, all that the arguments allow are
    computed, and those that need more are left out; asked for by name they are NaN. So is what is undefined.

    Blockwise two-pass float64: the memory used beside the arguments does not grow with their number of values for the
    collapse metrics (Σ_W, NC, 𝓡, norms), whatever n and d.
    """
    return {name: reading.value for name, reading in
            readings(latents, labels, predictions, logits, weight, bias, only).items()}


def readings(latents: Any, labels: Any, predictions: Any = None, logits: Any = None, weight: Any = None,  # noqa: PLR0917
             bias: Any = None, only: Iterable[str] | None = None, *,
             progress: Progress = silent) -> dict[str, Reading]:
    """As `measure`, with each value's noise floor (where it has one) and the reason for a NaN, or what else to know.
    ``progress`` is told the share done, 0…1, of the groups of quantities, and which comes next.
    """
    wanted, done = _checked(only), dict[str, Reading]()
    found = given(latents, labels, predictions, logits, weight, bias)
    for number, (title, group) in enumerate(groups().items()):
        if group.compute is None:
            continue
        progress(number / len(groups()), title)
        missing = group.missing(found)
        chosen = [name for name in group.names if (name not in missing if wanted is None else name in wanted)]
        done |= {name: undefined(missing[name]) for name in chosen if name in missing}
        if any(name not in missing for name in chosen):
            computed = group.compute(found)
            done |= {name: remark(computed[name], found, group) for name in chosen if name not in missing}
    return done if wanted is None else {name: done[name] for name in wanted}


def names() -> tuple[str, ...]:
    """All names that `measure` knows."""
    return tuple(name for group in groups().values() if group.compute for name in group.names)


def slow_names() -> tuple[str, ...]:
    """Those of them that cost far more than a pass over the samples."""
    return tuple(name for group in groups().values() if group.compute and group.slow for name in group.names)


def _checked(only: Iterable[str] | None) -> tuple[str, ...] | None:
    if only is None:
        return None
    wanted = (only,) if isinstance(only, str) else tuple(only)
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        raise ValueError(f"expected only to name some of {', '.join(names())}; got {', '.join(map(repr, unknown))}; "
                         "correct the name")
    return wanted


def remark(reading: Reading, found: Given, group: Group) -> Reading:
    """Says of a value at its noise floor that it is there, and of one that needs more samples why."""
    notes = [reading.reason]
    if group.needs_samples and not math.isnan(reading.value):
        notes.insert(0, too_few(found.by_label.counts, found.latents.d))
    if reading.at_floor:
        notes.insert(0, f"at the noise floor: {found.latents.format} alone can give {reading.floor:.2g}")
    return replace(reading, reason="; ".join(filter(None, notes)))
