"""Collapse metrics batch by batch, with the habits of torchmetrics: exact, and without keeping a single sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from lpc_core.metrics.arithmetic.moments import Forgotten, Moments, Spread
from lpc_core.metrics.arithmetic.rows import Rows, lengths
from lpc_core.metrics.measuring.base import Reading
from lpc_core.metrics.measuring.given import argmax, as_logits, as_names, as_weight
from lpc_core.metrics.measuring.group import groups, undefined
from lpc_core.metrics.measuring.measure import remark

MAX_BYTES = 2**30  # of the scatter matrices of all classes
_FULL = tuple(name for group in groups().values() for name in group.scatters)  # need a d × d matrix per class
EXACT = (*(name for group in groups().values() for name in group.moments), *_FULL)
NEEDS_SAMPLES = {  # what moments cannot tell, and why; `lpc_core.metrics.measure` computes these from the samples
    name: group.beyond_moments for group in groups().values() if group.compute for name in group.names
    if name not in EXACT}


class CollapseMetrics:
    """Gathers latents batch by batch and gives the metrics that follow from their moments, those named in ``EXACT``:

    norms, Σ_W, NC1 (both), NC2, NC3 with the head's ``weight``, and the accuracy with predictions or logits. They equal
    `lpc_core.metrics.measure` of all batches together (to 1e-10), whatever the batches' order and sizes; the memory
    used depends on K and d alone. ``NEEDS_SAMPLES`` says which metrics cannot be had this way, and why.

    .. code-block:: python

        metrics = lpc_core.CollapseMetrics(classes=10, latent_dim=8)
        for inputs, labels in loader:
            logits = model(inputs)
            metrics.update(penalty.latents, labels, logits=logits)
        print(metrics.compute(weight=model.head.weight))
        metrics.reset()

    ``classes`` is K for labels 0…K−1, or the K label values (texts, say) in the order of the head's rows;
    ``latent_dim`` is d; ``only`` names the metrics wanted. NC1 by the pseudo-inverse keeps a d × d matrix per class:
    leave ``nc1_pinv`` and ``nc1_pinv_per_node`` out of ``only`` where K·d² numbers are too many.

    Distributed: gather the objects (``torch.distributed.all_gather_object``) and `merge` them into one.
    """

    def __init__(self, classes: int | Sequence[Any], latent_dim: int, only: Iterable[str] | None = None) -> None:
        self.classes = tuple(range(classes) if isinstance(classes, int | np.integer) else
                             classes if isinstance(classes, Iterable) else ())
        if len(self.classes) < 1 or isinstance(classes, bool) or len(set(self.classes)) < len(self.classes):
            raise ValueError(f"expected classes of at least 1, or distinct label values, got {classes!r}; "
                             "pass K for labels 0…K−1")
        if isinstance(latent_dim, bool) or not isinstance(latent_dim, int | np.integer) or latent_dim < 1:
            raise ValueError(f"expected latent_dim of at least 1, got {latent_dim!r}; pass the width of the latents")
        self.latent_dim = latent_dim
        self.only = None if only is None else _checked(only)
        self._full = self.only is None or any(name in _FULL for name in self.only)
        needed = 8 * len(self.classes) * latent_dim**2 if self._full else 0
        if needed > MAX_BYTES:
            raise ValueError(f"expected scatter matrices of at most {MAX_BYTES / 1e9:.1f} GB, got {needed / 1e9:.1f} "
                             f"for {len(self.classes)} classes of {latent_dim} nodes; pass only= without "
                             f"{' and '.join(_FULL)}")
        self._rows = {name: row for row, name in enumerate(self.classes)}
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self._moments = Moments.none(len(self.classes), self.latent_dim, self._full)
        self._latents, self._radii, self._sizes = Forgotten(self.latent_dim), Spread(), Spread((self.latent_dim,))
        self._right, self._judged, self._judge = 0, 0, ""

    @property
    def count(self) -> int:
        """Samples gathered since the last `reset`."""
        return self._latents.n

    def update(self, latents: Any, labels: Any, predictions: Any = None, logits: Any = None) -> None:
        """Add ``latents`` (n, d) with ``labels`` (n,), and ``predictions`` (n,) or ``logits`` (n, K) for the accuracy.

        Arrays or tensors of any real format on any device; no graph is kept. Raises `ValueError`, and adds nothing,
        for other shapes, labels that are no class, NaN or infinity, or predictions with some batches but not others.
        """
        if np.shape(latents)[:1] == np.shape(labels) == (0,):
            return
        rows = Rows(latents, "latents")
        if rows.d != self.latent_dim:
            raise ValueError(f"expected latents (n, {self.latent_dim}), got (n, {rows.d}); "
                             "make CollapseMetrics with their latent_dim")
        numbers = self._numbers(labels, "labels", rows.n)
        answers, judge = self._answers(predictions, logits, rows.n)
        self._same_kind(self.count, self._judge, judge)
        if answers is not None:
            self._right += int((answers == numbers).sum())
            self._judged += len(numbers)
        self._judge = judge
        for part, block in rows.blocks():
            self._moments.add(block, numbers[part])
            self._radii.add(lengths(block))
            self._sizes.add(np.abs(block))
        self._latents.note(rows)

    def merge(self, other: CollapseMetrics) -> None:
        """Add all that ``other`` gathered, which must be of the same classes, nodes and metrics; it stays as it is."""
        mine, theirs = ((m.classes, m.latent_dim, m.only) for m in (self, other))
        if mine != theirs:
            raise ValueError(f"expected metrics of the same classes, nodes and only, got {mine} and {theirs}; "
                             "make both alike")
        if other.count:
            self._same_kind(self.count, self._judge, other._judge)
            self._moments.merge(other._moments)
            self._radii.merge(other._radii)
            self._sizes.merge(other._sizes)
            self._latents.note(other._latents)
            self._right += other._right
            self._judged += other._judged
            self._judge = other._judge

    def compute(self, weight: Any = None) -> dict[str, float]:
        """The metrics by name; those of the head need its ``weight`` (K, d). What is undefined is NaN.

        Without ``only``, metrics that need what was not given are left out; asked for by name they are NaN. May be
        called at any time, also between updates. Raises `RuntimeError` before the first sample.
        """
        return {name: reading.value for name, reading in self.readings(weight).items()}

    def readings(self, weight: Any = None) -> dict[str, Reading]:
        """As `compute`, with each value's noise floor and the reason for a NaN."""
        if not self.count:
            raise RuntimeError("expected at least one sample, got none since the last reset; call update first")
        found = self._gathered(weight)
        done = {"accuracy": Reading(self._right / self._judged, reason=f"predictions {self._judge}")} if self._judged \
            else {}
        for group in groups().values():
            wanted = {*group.moments, *(group.scatters if self._full else ())}.difference(group.missing(found))
            if group.compute and wanted:
                done |= {name: remark(reading, found, group) for name, reading in group.compute(found).items()
                         if name in wanted}
        if self.only is None:
            return done
        lacking = {"accuracy": "needs predictions or logits"}
        return {name: done[name] if name in done else
                undefined(lacking.get(name, "needs the head's weight")) for name in self.only}

    def _gathered(self, weight: Any) -> Any:
        """Stands where the metrics expect a `Given`, with the samples' moments in place of the samples."""
        head, eps = (None, 0.0) if weight is None else as_weight(weight, self.latent_dim)
        if head is not None and len(head) != len(self.classes):
            raise ValueError(f"expected weight ({len(self.classes)}, {self.latent_dim}), got {head.shape}; "
                             "pass the head with one row per class")
        return SimpleNamespace(
            latents=self._latents, by_label=self._moments.statistics(self._latents), radii=self._radii,
            by_node=SimpleNamespace(abs_means=self._sizes.mean(), abs_stds=self._sizes.std()), weight=head,
            weight_eps=eps, predictions=None)

    def _numbers(self, values: Any, what: str, n: int) -> np.ndarray:
        """Labels or predictions (n,) as rows 0…K−1."""
        given = as_names(values, what, n)
        distinct, place = np.unique(given, return_inverse=True)
        unknown = [value for value in distinct.tolist() if value not in self._rows]
        if unknown:
            known = f"0 to {len(self.classes) - 1}" if self.classes == tuple(range(len(self.classes))) else "classes"
            raise ValueError(f"expected {what} among the {len(self.classes)} classes ({known}), got {unknown[0]!r}; "
                             "pass classes= the label values in the order of the head's rows")
        return np.array([self._rows[value] for value in distinct.tolist()], np.int64)[place]

    def _answers(self, predictions: Any, logits: Any, n: int) -> tuple[np.ndarray | None, str]:
        """Predicted rows (n,) and where they come from; None and "" where there are none."""
        if predictions is not None:
            return self._numbers(predictions, "predictions", n), "as given"
        if logits is None:
            return None, ""
        scores = as_logits(logits, n)
        if scores.d != len(self.classes):
            raise ValueError(f"expected logits (n, {len(self.classes)}), got (n, {scores.d}); pass one per class")
        return argmax(scores), "argmax of the logits"

    @staticmethod
    def _same_kind(count: int, before: str, now: str) -> None:
        if count and bool(before) != bool(now):
            raise ValueError(f"expected predictions {'or logits with every batch' if before else 'with no batch'}, as "
                             f"with those before, got {'none' if before else 'some'}; reset, or pass them always")


def _checked(only: Iterable[str]) -> tuple[str, ...]:
    wanted = (only,) if isinstance(only, str) else tuple(only)
    for name in wanted:
        if name not in EXACT:
            why = f", which {NEEDS_SAMPLES[name]}; use lpc_core.metrics.measure for it" if name in NEEDS_SAMPLES else \
                "; correct the name"
            raise ValueError(f"expected only to name some of {', '.join(EXACT)}; got {name!r}{why}")
    return wanted
