"""Honesty flags: what would make a robustness number say less than it seems to, each as a value and a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lpc_core.models.any import Array, Model, as_labels, gradient, opened
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness._steps import hard_margin

WORSE = 1.05  # a norm this many times another's is worse than it
MANY = 0.05  # share of samples from which on a fault is one of the model and not of some samples
OVERSTATED = 1.10  # median ratio to the smallest perturbation known
NOTICEABLE = 1e-3  # of the logits' size; what rounding changes is far smaller
DEVIATIONS = 3.0  # standard deviations above chance that an accuracy must reach to count as one


@dataclass(frozen=True)
class Flag:
    """One thing that was looked for."""

    name: str
    raised: bool
    value: float  # the share or ratio it goes by; NaN where it could not be looked for
    sentence: str


@dataclass(frozen=True)
class Health:
    """What the model's answers and gradients are like at the inputs themselves; shares of samples, 0…1.

    The first two are NaN where gradients were not looked at.
    """

    flat: float  # the logit margin's gradient is 0, or too small for a move as long as the input to show in the logits
    lossless: float  # cross-entropy's gradient in float32 is exactly 0
    saturated: float  # the float32 softmax of the true class is exactly 1
    varying: float  # the same input gets clearly different logits the second time


def health(model: Model, inputs: Array, labels: Array, batch_size: int, *, gradients: bool) -> Health:
    """Look at every input (N, …) once more, with the ``gradients`` that an ordinary attack would take, or without."""
    counts = torch.zeros(4, dtype=torch.float64)
    with opened(model, inputs) as asked:
        first = asked.logits(batch_size)
        truth = as_labels(labels, first)
        for x, y, before in zip(*(torch.split(part, batch_size) for part in (asked.inputs, truth, first)), strict=True):
            leaf, logits = asked.differentiable(x) if gradients else (x, asked(x))
            again = logits.detach()
            size = again.abs().amax(1).double()
            certain = again.float().softmax(1).gather(1, y[:, None])[:, 0] == 1
            differs = (again - before).abs().amax(1) > NOTICEABLE * size
            blind = _blind(leaf, logits, y, size) if gradients else (certain.new_zeros(len(x)),) * 2
            counts += torch.tensor([float(row.sum()) for row in (*blind, certain, differs)], dtype=torch.float64)
        shares = (counts / len(truth)).tolist()
    return Health(*(shares if gradients else [math.nan, math.nan, *shares[2:]]))


def _blind(leaf: Tensor, logits: Tensor, labels: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Where the margin's gradient is lost, and where cross-entropy's is 0, both (n,) bool; ``size`` of the logits."""
    slope = gradient(hard_margin(logits, labels).sum(), leaf, keep=True).double().flatten(1).norm(dim=1)
    pull = gradient(F.cross_entropy(logits.float(), labels, reduction="sum"), leaf).flatten(1).abs().amax(1)
    reach = leaf.detach().double().flatten(1).norm(dim=1)
    return slope * reach <= torch.finfo(torch.float32).eps * size, pull == 0


def flags(results: Mapping[str, AttackResult], best: np.ndarray, *, health: Health, accuracy: float, chance: float,
          outside: Mapping[str, float], paper_missing: int) -> tuple[Flag, ...]:
    """All of them, raised or not. ``best`` (N,) are the smallest L2 norms known; ``outside`` shares by attack.
    ``paper_missing`` of N samples DeepFool found nothing for by the paper's convention.
    """
    return (_at_chance(accuracy, chance, len(best)), _deepfool(results, best), _masked(results),
            _flat(health), _saturated(health), _not_found(results, paper_missing, len(best)), _outside(outside),
            _varying(health))


def _at_chance(accuracy: float, chance: float, count: int) -> Flag:
    limit = chance + DEVIATIONS * math.sqrt(chance * (1 - chance) / count)
    raised = accuracy <= limit
    words = "no better than always naming one class; robustness without accuracy means nothing" if raised else \
        "clearly better than always naming one class"
    return Flag("accuracy-at-chance", raised, accuracy, f"Accuracy is {accuracy:.1%} on {count} samples, {words} "
                                                        f"({chance:.1%}).")


def _deepfool(results: Mapping[str, AttackResult], best: np.ndarray) -> Flag:
    name, others = "deepfool-overstates", [r for r in results.values() if r.distance == "l2" and r.attack != "deepfool"]
    if "deepfool" not in results:
        return Flag(name, False, math.nan, "DeepFool was not run.")
    if not others:
        return Flag(name, True, math.nan, "DeepFool was run alone, and it overstates the robustness of networks that "
                                          "are flat around their samples; run ddn or fmn beside it.")
    ours = results["deepfool"].norms
    both = results["deepfool"].attacked & np.isfinite(ours) & np.isfinite(best) & (best > 0)
    ratio = float(np.median(ours[both] / best[both])) if both.any() else math.nan
    if math.isnan(ratio):
        return Flag(name, False, ratio, "DeepFool changed no answer, so it has no norms to compare.")
    raised = ratio > OVERSTATED
    words = "quote the smaller ones" if raised else "close enough"
    beyond = float((results["deepfool"].relative[both] > 1).mean())
    lost = f", and at {_share(beyond)} of the samples larger than the input itself" if beyond else ""
    return Flag(name, raised, ratio, f"DeepFool's perturbations are {ratio:.2f} × the smallest known ones (median)"
                                     f"{lost}: {words}.")


def _masked(results: Mapping[str, AttackResult]) -> Flag:
    name = "white-box-worse"
    white, black = ([r for r in results.values() if r.distance == "l2" and r.white_box is kind]
                    for kind in (True, False))
    if not white or not black:
        return Flag(name, True, math.nan, "Attacks with and without gradients were not both run, so masked gradients "
                                          "were not looked for; run fmn and hopskipjump.")
    attacked = white[0].attacked
    if not attacked.any():
        return Flag(name, False, math.nan, "No sample was attacked, so masked gradients were not looked for.")
    with_, without = (np.min([r.norms[attacked] for r in side], axis=0) for side in (white, black))
    worse = (without * WORSE < with_)
    share = float(worse.mean())
    raised = share > MANY
    words = "gradients are masked or lead astray, and the numbers that rest on them are too large" if raised else \
        "no sign of masked gradients"
    return Flag(name, raised, share, f"Without gradients a clearly smaller perturbation was found for {_share(share)} "
                                     f"of the samples: {words}.")


def _flat(health: Health) -> Flag:
    if math.isnan(health.flat):
        return Flag("flat", False, math.nan, "No attack that uses gradients was run, and none were looked at.")
    raised = health.flat > MANY
    words = "gradient attacks are blind there" if raised else "gradients can be followed"
    return Flag("flat", raised, health.flat, f"The logits do not answer to the input at {_share(health.flat)} of the "
                                             f"samples (gradient zero or lost in rounding): {words}.")


def _saturated(health: Health) -> Flag:
    raised = health.saturated > MANY
    lossless = "" if math.isnan(health.lossless) else \
        f", and cross-entropy's gradient exactly 0 at {_share(health.lossless)}"
    words = "attacks that follow cross-entropy are misled; those here follow the logits" if raised else \
        "cross-entropy can be followed"
    return Flag("softmax-saturated", raised, health.saturated,
                f"The float32 softmax is exactly 1 at {_share(health.saturated)} of the samples{lossless}: {words}.")


def _not_found(results: Mapping[str, AttackResult], paper_missing: int, samples: int) -> Flag:
    missing = {r.attack: int((~r.success).sum()) for r in results.values()}
    count = max(int(r.attacked.sum()) for r in results.values())
    share = max(max(missing.values()) / max(count, 1), paper_missing / samples)
    if share == 0:
        words = "Every attack changed the answer of every sample" if count else "No sample was attacked"
        return Flag("not-found", False, 0.0 if count else math.nan, words + ".")
    listed = [f"{name} {number}" for name, number in missing.items() if number]
    listed += [f"DeepFool as in the paper {paper_missing} of {samples}"] if paper_missing else []
    return Flag("not-found", True, share, f"No perturbation was found for some of {count} samples "
                                          f"({', '.join(listed)}): they count as infinite in medians and are left out "
                                          "of means.")


def _outside(outside: Mapping[str, float]) -> Flag:
    worst = max((share for share in outside.values() if not math.isnan(share)), default=math.nan)
    if math.isnan(worst):
        return Flag("outside-range", False, worst, "No answer was changed, so there is nothing that could lie outside.")
    if worst == 0:
        return Flag("outside-range", False, 0.0, "All perturbed inputs lie inside the range of the data.")
    listed = ", ".join(f"{name} {_share(share)}" for name, share in outside.items() if share > 0)
    return Flag("outside-range", True, worst, f"Without bounds, perturbed inputs leave the range of the data "
                                              f"({listed}).")


def _varying(health: Health) -> Flag:
    raised = health.varying > 0
    words = f"{_share(health.varying)} of the samples got other logits when asked again: switch dropout and other " \
            "chance off, nothing here can be trusted" if raised else "Asked twice, the model gave the same logits"
    return Flag("answers-vary", raised, health.varying, words + ".")


def _share(value: float) -> str:
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"
