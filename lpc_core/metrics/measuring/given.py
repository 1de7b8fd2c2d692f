"""The arguments of `measure`, checked and brought to one form: the only place that reads what a caller passed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from lpc_core.metrics.arithmetic.classes import ClassStatistics, class_means, class_statistics
from lpc_core.metrics.arithmetic.rows import Rows, lengths
from lpc_core.metrics.nodes import PerNode, node_statistics


@dataclass(frozen=True, eq=False)
class Given:
    """n latents with their labels and what else is known of the network. Everything derived is computed once."""

    latents: Rows  # (n, d)
    labels: np.ndarray  # (n,) int64, 0…K−1
    classes: tuple[Any, ...]  # K label values as the caller wrote them; class c is classes[c], and may be empty
    predictions: np.ndarray | None = None  # (n,) int64, 0…K−1
    predictions_from: str = ""  # where they come from, for a reader
    weight: np.ndarray | None = None  # (K, d) float64
    weight_eps: float = 0.0  # spacing of the head's number format at 1

    @cached_property
    def radii(self) -> np.ndarray:
        """‖z‖ of every sample: (n,)."""
        return np.concatenate([lengths(block) for _, block in self.latents.blocks()])

    @cached_property
    def by_node(self) -> PerNode:
        """Statistics of the nodes."""
        return node_statistics(self.latents)

    @cached_property
    def by_label(self) -> ClassStatistics:
        """Statistics of the true classes."""
        return class_statistics(self.latents, self.labels, len(self.classes))

    @cached_property
    def centroids(self) -> tuple[np.ndarray, np.ndarray]:
        """Groups of equal prediction, or true classes where no predictions are known: group (n,) and means (K, d)."""
        if self.predictions is None or np.array_equal(self.predictions, self.labels):
            return self.labels, self.by_label.means
        return self.predictions, class_means(self.latents, self.predictions, len(self.classes))[1]


def given(latents: Any, labels: Any, predictions: Any = None, logits: Any = None, weight: Any = None,  # noqa: PLR0917
          bias: Any = None) -> Given:
    """Check all arguments of `measure` and bring them to one form.

    Labels may be any whole numbers or texts. Without a head they are numbered in sorted order. With ``logits`` or
    ``weight`` of K rows they must name those rows: whole numbers in 0…K−1 are taken as they are (a class may then be
    empty), K distinct other values are numbered in sorted order.
    Predictions are those given; else the argmax of ``logits``; else, with ``weight`` and ``bias``, of Wz + b.
    """
    rows = Rows(latents, "latents")
    named = as_names(labels, "labels", rows.n)
    scores = None if logits is None else as_logits(logits, rows.n)
    head, head_eps = (None, 0.0) if weight is None else as_weight(weight, rows.d)
    offset = None if bias is None else _bias(bias, head)
    guessed = None if predictions is None else as_names(predictions, "predictions", rows.n)
    outputs = _outputs(scores, head)
    classes, numbers, answers = _numbered(named, guessed, outputs)
    source = "as given" if answers is not None else ""
    if answers is None and scores is not None:
        answers, source = argmax(scores), "argmax of the logits"
    elif answers is None and head is not None and offset is not None:
        answers, source = argmax(rows, head, offset), "argmax of Wz + b"
    return Given(rows, numbers, classes, answers, source, head, head_eps)


def numbered(labels: Any, n: int) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Labels (n,) of any whole numbers or texts as 0…K−1 in sorted order, and the K values themselves."""
    classes, numbers, _ = _numbered(as_names(labels, "labels", n), None, None)
    return numbers, classes


def as_names(values: Any, what: str, n: int) -> np.ndarray:
    """Labels or predictions as an array (n,) of whole numbers or texts."""
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    if array.shape != (n,):
        raise ValueError(f"expected {what} ({n},), one per latent, got shape {array.shape}; "
                         + ("pass scores as logits=, or their argmax" if array.ndim == 2 else "pass one per row"))
    if array.dtype.kind == "O":
        array = _plain(array, what)
    if array.dtype.kind not in "iubUS":
        raise ValueError(f"expected {what} that are whole numbers or texts, got dtype {array.dtype}; "
                         "convert them, for instance by .astype(int)")
    # NumPy joins uint64 and int64 to float64
    return array.astype(np.int64) if array.dtype == np.uint64 and array.max(initial=0) < 2**63 else array


def _as_numbers(texts: np.ndarray) -> np.ndarray:
    """``texts`` (n,) as int64 where each is a whole number as Python writes it; else as they are."""
    values, rows = np.unique(texts, return_inverse=True)
    try:
        numbers = values.astype(np.int64)
    except (ValueError, OverflowError):
        return texts
    return numbers[rows] if (numbers.astype(str) == values.astype(str)).all() else texts


def _plain(array: np.ndarray, what: str) -> np.ndarray:
    """An object array whose entries are all texts, or all whole numbers, as an ordinary array."""
    kinds = {type(value) for value in array}
    if all(issubclass(kind, str) for kind in kinds):
        return array.astype(str)
    if all(issubclass(kind, (int, np.integer)) for kind in kinds):
        return array.astype(np.int64)
    raise ValueError(f"expected {what} that are all whole numbers or all texts, got "
                     f"{', '.join(sorted(kind.__name__ for kind in kinds))}; convert them to one kind")


def as_logits(logits: Any, n: int) -> Rows:
    """Scores of ``n`` samples, one row per latent; `ValueError` otherwise."""
    rows = Rows(logits, "logits")
    if rows.n != n:
        raise ValueError(f"expected logits of {n} samples, one row per latent, got {rows.n}; pass the same samples")
    return rows


def as_weight(weight: Any, d: int) -> tuple[np.ndarray, float]:
    """A head (K, d) in float64, and the spacing of its number format at 1; `ValueError` for other than d columns."""
    rows = Rows(weight, "weight")
    if rows.d != d:
        raise ValueError(f"expected weight (K, {d}) for latents of {d} nodes, got ({rows.n}, {rows.d}); "
                         "pass the head that reads these latents, one row per class")
    return rows.some(slice(None)), rows.eps


def _bias(bias: Any, weight: np.ndarray | None) -> np.ndarray:
    array = np.asarray(bias.detach().cpu().double() if isinstance(bias, torch.Tensor) else bias, np.float64)
    if weight is None or array.shape != weight.shape[:1]:
        wanted = "a weight beside the bias" if weight is None else f"bias ({len(weight)},)"
        raise ValueError(f"expected {wanted}, got bias of shape {array.shape}; pass both of one head")
    if not np.isfinite(array).all():
        raise ValueError("expected a finite bias, got NaN or infinity; look for where the run diverged")
    return array


def _outputs(logits: Rows | None, weight: np.ndarray | None) -> int | None:
    """K of the head, where one is known."""
    if logits is not None and weight is not None and logits.d != len(weight):
        raise ValueError(f"expected as many logits as rows of the weight, got {logits.d} and {len(weight)}; "
                         "pass both of one head")
    return logits.d if logits is not None else None if weight is None else len(weight)


def _numbered(labels: np.ndarray, predictions: np.ndarray | None, outputs: int | None,
              ) -> tuple[tuple[Any, ...], np.ndarray, np.ndarray | None]:
    """Class values, labels and predictions as 0…K−1."""
    together = labels if predictions is None else _joined(labels, predictions)
    written = _as_numbers(together) if together.dtype.kind in "US" else together  # "10" comes after "2"
    values, numbers = _unique(written)
    if outputs is not None and values.dtype.kind in "iub" and values[0] >= 0 and values[-1] < outputs:
        values, numbers = np.arange(outputs), written.astype(np.int64)
    elif outputs is not None and len(values) != outputs:
        raise ValueError(f"expected labels that name the head's {outputs} rows (0…{outputs - 1}, or {outputs} distinct "
                         f"values), got {len(values)} distinct values from {values[0]} to {values[-1]}; "
                         "pass row numbers as labels")
    values = values if written is together else values.astype(together.dtype.kind)  # as the caller wrote them
    numbers = numbers.astype(np.int64)
    n = len(labels)
    return tuple(values.tolist()), numbers[:n], None if predictions is None else numbers[n:]


def _unique(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values in sorted order, and for each entry which it is. Counts where that is quicker than sorting."""
    if names.dtype.kind not in "iu" or int(names.max()) - int(names.min()) > len(names):
        return np.unique(names, return_inverse=True)
    wide = names.astype(np.int64 if names.dtype.kind == "i" else np.uint64)
    offset = (wide - wide.min()).astype(np.int64)
    used = np.bincount(offset) > 0
    return np.flatnonzero(used).astype(wide.dtype) + wide.min(), (np.cumsum(used) - 1)[offset]


def _joined(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    if (labels.dtype.kind in "US") != (predictions.dtype.kind in "US"):
        raise ValueError(f"expected labels and predictions of one kind, got dtypes {labels.dtype} and "
                         f"{predictions.dtype}; write both as row numbers, or both as class names")
    return np.concatenate([labels, predictions])


def argmax(rows: Rows, weight: np.ndarray | None = None, bias: np.ndarray | None = None) -> np.ndarray:
    """Index of the largest entry of each row, of z itself or of Wz + b: (n,)."""
    return np.concatenate([(block if weight is None else block @ weight.T + bias).argmax(axis=1)
                           for _, block in rows.blocks()])
