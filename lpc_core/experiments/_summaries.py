"""Finished runs as numbers: every quantity of a report by one name, and mean ± std over the seeds of a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lpc_core.experiments._catalogue import all_rows
from lpc_core.experiments._row import Row
from lpc_core.experiments._store import StoredRun, StoreError
from lpc_core.files.plain_json import number

QUANTITIES: dict[str, tuple[tuple[str, ...], str]] = {  # name → where in a report, title
    "train_accuracy": (("train", "accuracy"), "train"), "test_accuracy": (("test", "accuracy"), "test"),
    "deepfool": (("robustness", "paper_deepfool_mean"), "DeepFool, as published"),
    "smallest": (("robustness", "best", "mean"), "smallest known"),
    "smallest_median": (("robustness", "best", "median"), "smallest known, median"),
    "attacked": (("robustness", "best", "samples"), "attacked"),
    "sigma_w": (("train", "sigma_w_entry_mean"), "Σ_W"), "norm_cv": (("train", "norm_cv"), "norm CV"),
    "spread": (("train", "within_class_spread"), "spread"), "nc1": (("train", "nc1_pinv"), "NC1"),
    "separation": (("train", "separation_ratio"), "𝓡"), "separation_test": (("test", "separation_ratio"), "𝓡 test"),
    "peaks": (("train", "gmm_peak_distance"), "peak distance"),
    "peaks_worst": (("train", "node_peak_distance_min"), "peak distance, worst node"),
    "gmm_log_likelihood": (("train", "gmm_log_likelihood"), "GMM log-likelihood"),
    "gmm_std": (("train", "gmm_std"), "GMM std"), "abs_cv": (("train", "abs_cv"), "|z| CV"),
    "entropy": (("entropy",), "entropy"),
    "nc1_quotient": (("train", "nc1_quotient"), "NC1, quotient"),
    "map_code": (("retrieval", "retrieval_map_code"), "mAP of the code"),
    "map_float": (("retrieval", "retrieval_map_float"), "mAP of the latents"),
    "recall_code": (("retrieval", "retrieval_recall_code"), "recall of the code"),
    "recall_float": (("retrieval", "retrieval_recall_float"), "recall of the latents"),
    "bytes_code": (("retrieval", "retrieval_bytes_code"), "bytes, code"),
    "bytes_float": (("retrieval", "retrieval_bytes_float"), "bytes, latents"),
    "auroc_neco": (("reliability", "auroc_neco"), "AUROC NECO"),
    "auroc_nci": (("reliability", "auroc_nci"), "AUROC NCI"),
    "auroc_mahalanobis": (("reliability", "auroc_mahalanobis"), "AUROC Mahalanobis"),
    "auroc_odin": (("reliability", "auroc_odin"), "AUROC ODIN"),
    "auroc_softmax": (("reliability", "auroc_softmax"), "AUROC softmax"),
    "auroc_knn": (("reliability", "auroc_knn"), "AUROC k-NN"),
    "slope_max": (("slopes", "lipschitz_max"), "largest slope"), "slope": (("slopes", "lipschitz_mean"), "mean slope"),
    "p_y": (("theory", "p_y"), "p_y"), "gamma": (("theory", "gamma"), "γ"),
    "critical": (("theory", "critical_gamma"), "critical γ"), "radius": (("theory", "radius"), "radius"),
    "predicted_radius": (("theory", "predicted_radius"), "predicted radius"),
    "seconds": (("seconds_training",), "s of training"),
}


def value_of(run: StoredRun, name: str) -> float:
    """A quantity of a finished run by its name in `QUANTITIES`; NaN where it was not or could not be measured."""
    found: Any = run.report
    for key in QUANTITIES[name][0]:
        found = found.get(key) if isinstance(found, Mapping) else None
    try:
        return number(found["value"] if isinstance(found, Mapping) else found)
    except (KeyError, ValueError):
        raise StoreError(f"{run.folder}: expected a number for {name} in its report, got another value; move the "
                         "folder away and run the row again") from None


@dataclass(frozen=True, eq=False)
class Group:
    """The finished runs of one row and variant, by seed."""

    row: Row
    variant: str
    runs: tuple[StoredRun, ...]
    note: str = ""  # what must be known of the choice of these runs

    @property
    def family(self) -> tuple[str, str, str]:
        """What it may be compared within: data, generation, variant but for its learning rate."""
        return self.row.data, self.row.generation, _without_lr(self.variant)

    @property
    def learned(self) -> list[StoredRun]:
        """The runs that ended clearly better than chance on their training samples."""
        bar = no_better_than(self.row)
        return [run for run, right in zip(self.runs, self.values("train_accuracy"), strict=True) if not right < bar]

    @property
    def label(self) -> str:
        """What a table calls it."""
        return self.row.key + (f" ({self.variant})" if self.variant else "")

    def values(self, name: str) -> np.ndarray:
        """One value per seed: (S,)."""
        return np.array([value_of(run, name) for run in self.runs])

    def mean(self, name: str) -> float:
        """Mean over the seeds that have the quantity; NaN if none has."""
        known = _known(self.values(name))
        return float(known.mean()) if known.size else math.nan

    def std(self, name: str) -> float:
        """Standard deviation over seeds (n − 1); NaN below two."""
        known = _known(self.values(name))
        return float(known.std(ddof=1)) if known.size > 1 else math.nan


def no_better_than(row: Row) -> float:
    """An accuracy below this is none: it is less than twice chance."""
    return 2 / {"hypercube": 4, "cifar100": 100, "imagenet": 1_000}.get(row.data, 10)


def _known(values: np.ndarray) -> np.ndarray:
    known: np.ndarray = values[np.isfinite(values)]
    return known


def grouped(runs: Sequence[StoredRun]) -> list[Group]:
    """Finished runs that did not diverge as groups.

    Where a row was trained at several learning rates, the one with the best mean test accuracy stands for it. A note
    says so, and of runs that learned nothing too.
    """
    found: dict[tuple[str, str], list[StoredRun]] = {}
    for run in runs:
        if run.report and not run.diverged:
            found.setdefault((run.planned.key, run.planned.variant), []).append(run)
    groups = [Group(each[0].planned.row, variant, tuple(sorted(each, key=lambda run: run.planned.seed)))
              for (_, variant), each in found.items()]
    order = {key: place for place, key in enumerate(all_rows())}
    return sorted(map(_noted, _one_lr_each(groups)),
                  key=lambda group: (order.get(group.row.key, len(order)), group.variant))


def _noted(group: Group) -> Group:
    lost = len(group.runs) - len(group.learned)
    if not lost:
        return group
    note = f"{lost} of {len(group.runs)} runs learned nothing, so what else was measured of them tells nothing"
    return replace(group, note="; ".join(filter(None, (group.note, note))))


def _without_lr(variant: str) -> str:
    return ",".join(part for part in variant.split(",") if not part.startswith("lr="))


def families(groups: Sequence[Group]) -> dict[str, list[Group]]:
    """Groups that may be compared, by the name of what they share: ``digits``, ``cifar10 r6 scale=0.5``."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(" ".join(filter(None, group.family)), []).append(group)
    return found


def _one_lr_each(groups: list[Group]) -> list[Group]:
    alike: dict[tuple[str, str], list[Group]] = {}
    for group in groups:
        alike.setdefault((group.row.key, _without_lr(group.variant)), []).append(group)
    kept = []
    for each in alike.values():
        best = max(each, key=lambda group: group.mean("test_accuracy"))
        note = f"the best of {len(each)} learning rates by test accuracy, which is then no held-out one"
        kept.append(Group(best.row, best.variant, best.runs, note) if len(each) > 1 else best)
    return kept
