"""Attacks side by side on one model and one set of inputs, accuracy beside them, and the honesty flags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from lpc_core.files.plain_json import plain
from lpc_core.models.any import Array, Model, as_inputs
from lpc_core.progress import Progress, part, silent
from lpc_core.robustness._base import BATCH, Attack, Bounds, beyond
from lpc_core.robustness._flags import Flag, Health, flags, health
from lpc_core.robustness._known import attack_named, attacks
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness.deepfool import DeepFool

DEFAULT = ("deepfool", "ddn", "fmn", "hopskipjump")


@dataclass(frozen=True)
class Summary:
    """One attack in numbers. Norms are over the samples that the model gets right; relative ones over ‖input‖."""

    name: str
    title: str
    distance: str  # "l2" or "linf"
    white_box: bool
    samples: int  # that were right, and so attacked
    found: int  # of them, whose answer was changed
    median: float  # relative; samples not found count as infinite, NaN without samples
    mean: float  # relative, over those found; NaN if none was
    mean_with_wrong: float  # the same with misclassified samples as 0
    norm_median: float  # in the inputs' unit, samples not found counting as infinite
    norm_mean: float  # over those found
    forwards: float  # mean number of times the model was asked per attacked sample
    backwards: float  # mean number of gradients per attacked sample
    outside: float  # share of those found that leave the range of the data
    seconds: float


@dataclass(frozen=True, eq=False)
class RobustnessReport:
    """What attacks say of a model on N inputs, and how far it can be believed."""

    accuracy: float  # share of the inputs that the model gets right
    chance: float  # that of always naming the most frequent class, at least 1/K
    samples: int  # N
    attacks: tuple[Summary, ...]
    best: Summary  # of the smallest L2 perturbation any of the attacks found, sample by sample
    best_norms: np.ndarray  # (N,) float64
    best_attack: tuple[str, ...]  # N names; "" where nothing was needed or found
    paper: float  # mean relative DeepFool norm as the paper takes it; NaN where it was not asked for or found nothing
    paper_outside: float  # share of those perturbed inputs that leave the range of the data
    paper_missing: int  # of the N inputs, for which none was found; they are left out of the mean
    health: Health
    flags: tuple[Flag, ...]
    results: dict[str, AttackResult]

    def plain(self, *, per_sample: bool = False) -> dict[str, Any]:
        """The report as JSON-able values: NaN as None, infinity as the text "inf"; ``per_sample`` with all norms."""
        report: dict[str, Any] = {
            "accuracy": self.accuracy, "chance": self.chance, "samples": self.samples,
            "misclassified": 1 - self.accuracy, "attacks": [asdict(summary) for summary in self.attacks],
            "best": asdict(self.best), "paper_deepfool_mean": self.paper, "paper_deepfool_outside": self.paper_outside,
            "paper_deepfool_missing": self.paper_missing, "gradients": asdict(self.health),
            "flags": [asdict(flag) for flag in self.flags]}
        if per_sample:
            report["per_sample"] = {
                "best_norm": self.best_norms.tolist(), "best_attack": list(self.best_attack),
                **{name: {"norm": r.norms.tolist(), "relative": r.relative.tolist(),
                          "forwards": r.forwards.tolist(), "backwards": r.backwards.tolist()}
                   for name, r in self.results.items()}}
        found: dict[str, Any] = plain(report)
        return found


def report(model: Model, inputs: Array, labels: Array, *, attacks: Sequence[str | Attack] = DEFAULT,
           bounds: Bounds | None = None, batch_size: int = BATCH, seed: int = 0,
           progress: Progress = silent) -> RobustnessReport:
    """Run ``attacks`` (names, or attacks with settings of their own) on all of ``inputs`` (N, …) with true ``labels``.

    Only samples that the model gets right are attacked; the share of the others is 1 − accuracy, and each summary also
    has the mean with them as 0. The best-known norm of a sample is the smallest that any L2 attack found: an upper
    bound on its true robustness, like all of these. Where DeepFool is asked for, ``paper`` is its mean by the paper's
    convention beside it: every sample, right or wrong, is to leave the class it is given, without bounds.
    The rest of the arguments and the errors are those of `Attack.__call__`.
    """
    chosen = _chosen(attacks)
    paper_too = any(attack.name == "deepfool" for attack in chosen)
    parts = len(chosen) + paper_too
    results = {}
    for number, attack in enumerate(chosen):
        results[attack.name] = attack(
            model, inputs, labels, bounds=bounds, batch_size=batch_size, seed=seed,
            progress=part(progress, number / parts, (number + 1) / parts))
    paper = DeepFool()(model, inputs, batch_size=batch_size) if paper_too else None
    state = health(model, inputs, labels, batch_size, gradients=any(attack.white_box for attack in chosen))
    progress(1.0, "done")
    values = as_inputs(inputs)
    return _assemble(results, paper, state, bounds or (values.min(), values.max()))


def _chosen(wanted: Sequence[str | Attack]) -> list[Attack]:
    made = [attack_named(attack) if isinstance(attack, str) else attack for attack in wanted]
    names = [attack.name for attack in made]
    if len(set(names)) < len(names) or all(attack.distance != "l2" for attack in made):
        raise ValueError(f"expected attacks of different names, at least one of them in L2, got {names}; choose from "
                         f"{', '.join(attacks())}")
    return made


def _assemble(results: dict[str, AttackResult], paper: AttackResult | None, state: Health,
              ends: Bounds) -> RobustnessReport:
    """The report; ``ends`` are the values that data take, the bounds where given, else those of the inputs."""
    some = next(iter(results.values()))
    accuracy = float(some.attacked.mean())
    chance = max(float(np.bincount(some.labels).max()) / len(some.labels), 1 / some.classes)
    outside = {name: _outside(result, ends) for name, result in results.items()}
    best, names = _best(results)
    paper_mean, paper_outside = (_mean(paper.relative), _outside(paper, ends)) if paper else (math.nan, math.nan)
    missing = int((~paper.success).sum()) if paper else 0
    return RobustnessReport(
        accuracy=accuracy, chance=chance, samples=len(some.labels),
        attacks=tuple(_summary(result, outside[name]) for name, result in results.items()),
        best=_summary(best, _outside(best, ends)), best_norms=best.norms, best_attack=names, paper=paper_mean,
        paper_outside=paper_outside, paper_missing=missing, health=state, results=results,
        flags=flags(results, best.norms, health=state, accuracy=accuracy, chance=chance, outside=outside,
                    paper_missing=missing))


def _best(results: dict[str, AttackResult]) -> tuple[AttackResult, tuple[str, ...]]:
    """The smallest L2 perturbation of each sample as a result of its own, and the name of the attack that found it."""
    sides = [result for result in results.values() if result.distance == "l2"]
    winner = np.argmin([side.norms for side in sides], axis=0)  # (N,)
    norms, relative = (np.min([getattr(side, what) for side in sides], axis=0) for what in ("norms", "relative"))
    perturbed = torch.stack([sides[i].perturbed[row] for row, i in enumerate(winner)])
    names = tuple(sides[i].attack if 0 < norm < np.inf else "" for i, norm in zip(winner, norms, strict=True))
    best = replace(sides[0], attack="best", title="Smallest known", white_box=any(side.white_box for side in sides),
                   norms=norms, relative=relative, success=np.isfinite(norms),
                   forwards=np.sum([side.forwards for side in sides], axis=0),
                   backwards=np.sum([side.backwards for side in sides], axis=0),
                   perturbed=perturbed, seconds=sum(side.seconds for side in sides))
    return best, names


def _summary(result: AttackResult, outside: float) -> Summary:
    attacked = result.attacked
    relative, norms = result.relative[attacked], result.norms[attacked]
    forwards, backwards = (float(counts[attacked].mean()) if attacked.any() else 0.0
                           for counts in (result.forwards, result.backwards))
    return Summary(result.attack, result.title, result.distance, result.white_box, int(attacked.sum()),
                   int(result.success[attacked].sum()), _median(relative), _mean(relative), _mean(result.relative),
                   _median(norms), _mean(norms), forwards, backwards, outside, result.seconds)


def _outside(result: AttackResult, ends: Bounds) -> float:
    """Share of the changed answers whose perturbed input lies beyond ``ends``; NaN where no answer was changed."""
    low, high = (torch.as_tensor(end, dtype=torch.float64).cpu() for end in ends)
    changed = result.perturbed.detach().double().cpu()[torch.from_numpy(result.success & result.attacked)]
    return float(beyond(changed, low, high).double().mean()) if len(changed) else math.nan


def _mean(values: np.ndarray) -> float:
    """Mean of the finite values; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else math.nan


def _median(values: np.ndarray) -> float:
    """Median with infinities, without NaN; NaN when nothing is left."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else math.nan
