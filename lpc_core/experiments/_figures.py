"""What the figures show, as plain tables of numbers from the store, one line per point: for CSV, JSON and charts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.experiments._store import StoredRun
from lpc_core.experiments._summaries import Group, value_of
from lpc_core.registry import pick
from lpc_core.robustness import robust_share
from lpc_core.study import correlation

BINS = 60
SHOWN = {"1": (1.0, 10.0, 100.0), "2": (1e-2, 1e2, 1e6)}  # γ at which latents are shown


@dataclass(frozen=True)
class FigureData:
    """A figure in numbers: which columns are its axes, and what to know of it."""

    name: str
    title: str
    x: str
    y: str
    by: str  # the column that tells series apart
    log: tuple[bool, bool]  # axes
    lines: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()


def figure(name: str, groups: Sequence[Group]) -> FigureData:
    """Figure ``name`` over ``groups``: 1 to 5, robustness or critical; `ConfigError` for another."""
    return pick("figure", FIGURES, name)(groups)


def _latents(groups: Sequence[Group]) -> FigureData:
    lines = [{"row": group.label, "seed": run.planned.seed, "asked": f"γ = {asked:g}", "gamma": gamma, "z1": z[0],
              "z2": z[1], "class": label}
             for group in groups for run in group.runs[:1] for asked, gamma, latents, labels in _moments(run, "1")
             for z, label in zip(latents[:, :2].tolist(), labels.tolist(), strict=True) if len(z) == 2]
    return FigureData("1", "Latents at three strengths of γ (two first nodes)", "z1", "z2", "class", (False, False),
                      tuple(lines), _nothing(lines, "runs of two nodes, such as hypercube/figure-1"))


def _histograms(groups: Sequence[Group]) -> FigureData:
    lines = [{"row": group.label, "seed": run.planned.seed, "asked": f"γ = {asked:g}", "gamma": gamma,
              "value": float((low + high) / 2), "count": int(count)}
             for group in groups for run in group.runs[:1] for asked, gamma, latents, _ in _moments(run, "2")
             for count, low, high in _bins(latents)]
    return FigureData("2", "All nodes' values at three strengths of γ", "value", "count", "asked", (False, False),
                      tuple(lines), _nothing(lines, "runs with γ, such as mnist/figure-2"))


def _bins(latents: np.ndarray) -> list[tuple[int, float, float]]:
    counts, edges = np.histogram(latents, BINS)
    return list(zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _moments(run: StoredRun, figure_name: str) -> list[tuple[float, float, np.ndarray, np.ndarray]]:
    """The kept moments whose γ is nearest to those shown, on a log scale: asked, γ there, latents, labels."""
    kept = run.latents()
    if kept is None or not (kept.gammas > 0).any():
        return []
    logs = np.log(np.maximum(kept.gammas, 1e-30))
    return [(asked, float(kept.gammas[at]), kept.latents[at], kept.labels) for asked in SHOWN[figure_name]
            for at in [int(np.abs(logs - math.log(asked)).argmin())]]


def _separation(groups: Sequence[Group]) -> FigureData:
    lines = [{"row": group.label, "seed": run.planned.seed, "separation": value_of(run, "separation"),
              "robustness": value_of(run, name), "attack": title, "test_accuracy": value_of(run, "test_accuracy")}
             for group in groups for run in group.runs
             for name, title in (("deepfool", "DeepFool, as published"), ("smallest", "smallest known"))
             if math.isfinite(value_of(run, "separation")) and math.isfinite(value_of(run, name))]
    notes = []
    for attack in dict.fromkeys(line["attack"] for line in lines):
        x, y = (np.array([line[axis] for line in lines if line["attack"] == attack]) for axis in
                ("separation", "robustness"))
        found = correlation(x, y)
        notes.append(f"{attack}: Pearson r {found.r:.3f} (95 % {found.low:.3f} to {found.high:.3f}, {found.n} runs)")
    return FigureData("3", "Separation ratio 𝓡 against robustness", "separation", "robustness", "attack", (True, True),
                      tuple(lines), tuple(notes) or _nothing(lines, "finished runs"))


def _curves(name: str, title: str, *quantities: str) -> Callable[[Sequence[Group]], FigureData]:
    """Quantities of every look against the epoch."""
    def make(groups: Sequence[Group]) -> FigureData:
        lines = [{"row": group.label, "seed": run.planned.seed, "epoch": line["epoch"], "gamma": line["gamma"],
                  "quantity": quantity, "value": line[quantity]}
                 for group in groups for run in group.runs for line in run.epochs() for quantity in quantities
                 if line.get(quantity) is not None and math.isfinite(line[quantity])]
        return FigureData(name, title, "epoch", "value", "quantity", (False, True), tuple(lines),
                          _nothing(lines, "finished runs"))

    return make


def _robust_share(groups: Sequence[Group]) -> FigureData:
    """R(ε): the share of attacked test samples that are right and that no perturbation within ε·‖x‖ was found for."""
    lines = [{"row": group.label, "seed": run.planned.seed, "attack": attack, "epsilon": epsilon, "share": share}
             for group in groups for run in group.runs
             for attack, epsilon, share in robust_share((run.report or {}).get("robustness", {}).get("relative", {}))]
    return FigureData("robustness", "R(ε): share still right at a relative perturbation ε", "epsilon", "share",
                      "attack", (False, False), tuple(lines), _nothing(lines, "finished runs"))


def _nothing(lines: Sequence[object], wanted: str) -> tuple[str, ...]:
    return () if lines else (f"nothing to show yet: it needs {wanted}",)


FIGURES: dict[str, Callable[[Sequence[Group]], FigureData]] = {
    "1": _latents, "2": _histograms, "3": _separation,
    "4": _curves("4", "Binarity over training", "node_peak_distance_mean", "node_peak_distance_min", "abs_cv"),
    "5": _curves("5", "Collapse over training", "within_class_spread", "nc1_pinv", "norm_cv", "separation_ratio"),
    "robustness": _robust_share,
    "critical": _curves("critical", "γ, the head's critical γ, and p_y over training", "gamma", "critical_gamma",
                        "p_y"),
}
