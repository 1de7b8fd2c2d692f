"""The publication's claims, each with a verdict over the runs at hand, in plain words, and why where they disagree.

A comparison *holds* only if it does for every seed: the worst run of one side against the best of the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lpc_core.experiments._measure import MOST
from lpc_core.experiments._summaries import Group, value_of
from lpc_core.study import correlation

HOLDS, PARTLY, FAILS, OPEN = "holds", "partly", "does not hold", "open"
CERTAIN = 0.99  # p_y from which on Lemma 1's premise p_y ≈ 1 counts as met
BINARY = 0.1  # CV of |z| below which all nodes have one size
NEAR = 2.0  # an accuracy below so many times chance is none
LPC, WITHOUT = "lpc", ("no-pen", "lin-pen")


@dataclass(frozen=True)
class Verdict:
    """What became of a claim on one data set."""

    claim: str
    verdict: str  # one of the four words above
    words: str


def verdicts(groups: Sequence[Group], table: int | None = None) -> list[Verdict]:
    """One per claim (that ``table`` bears on), over the ``groups`` of one data set, generation and variant."""
    known = {group.row.name: group for group in groups}
    return [Verdict(claim, *judge(known)) for number, claim, judge in CLAIMS if table in (None, number)]


Known = dict[str, Group]
Judged = tuple[str, str]
_MISSING = "needs finished runs of {}; `lpc paper run` makes them"


def _sides(known: Known) -> tuple[Group, list[Group]] | None:
    others = [known[name] for name in WITHOUT if name in known]
    return (known[LPC], others) if LPC in known and others else None


def _compared(name: str, less: bool, words: str, more: Callable[[Group, list[Group]], str] | None = None,
              ) -> Callable[[Known], Judged]:
    """A judge of "LPC has less (or more) of ``name`` than networks without γ", seed for seed."""
    def judge(known: Known) -> Judged:
        if (sides := _sides(known)) is None:
            return OPEN, _MISSING.format("lpc and no-pen or lin-pen")
        own, others = sides
        mine, theirs = own.values(name), np.concatenate([group.values(name) for group in others])
        if not (np.isfinite(mine).all() and np.isfinite(theirs).all()):
            return OPEN, f"{words} could not be measured in every run"
        sign = 1 if less else -1
        apart, mean = (sign * mine).max() < (sign * theirs).min(), sign * mine.mean() < sign * theirs.mean()
        nearest = theirs.min() if less else theirs.max()
        said = f"{words}: LPC {mine.mean():.3g}, " + ", ".join(
            f"{group.row.title} {group.mean(name):.3g}" for group in others)
        said += f"; {len(mine)} seeds against {len(theirs)} runs, the nearest of which has {nearest:.3g}"
        return HOLDS if apart else PARTLY if mean else FAILS, said + (f". {more(own, others)}" if more else "")

    return judge


def _against_the_smallest(own: Group, others: list[Group]) -> str:
    """What DeepFool says more than the smallest perturbation known, on either side."""
    factor, plain = (group.mean("deepfool") / group.mean("smallest") for group in (own, others[0]))
    lost = own.mean("test_accuracy") < NEAR / _classes(own)
    return (f"DeepFool's mean is {factor:.2f} times the smallest known one under LPC, {plain:.2f} times under "
            f"{others[0].row.title}" + ("; LPC's accuracy is near chance, so neither means anything" if lost else ""))


def _few_errors(own: Group, others: list[Group]) -> str:
    """On how many wrong predictions an AUROC rests."""
    samples = min(own.row.all_settings["test_samples"], MOST)
    counts = [round((1 - group.mean("test_accuracy")) * samples) for group in (own, others[0])]
    return (f"Each rests on about {counts[0]} (LPC) or {counts[1]} ({others[0].row.title}) wrong predictions of "
            f"{samples:,}")


def _classes(group: Group) -> int:
    return 100 if group.row.data == "cifar100" else 10


def _binary(known: Known) -> Judged:
    if LPC not in known or "lin-pen" not in known:
        return OPEN, _MISSING.format("lpc and lin-pen")
    own, plain = known[LPC], known["lin-pen"]
    farther = own.values("peaks").min() > plain.values("peaks").max()
    even = own.values("abs_cv").max() < BINARY
    said = (f"a node's two peaks lie {own.mean('peaks'):.3g} widths apart (LinPen {plain.mean('peaks'):.3g}), and |z| "
            f"varies by {own.mean('abs_cv'):.1%} (LinPen {plain.mean('abs_cv'):.1%})")
    if farther and even:
        return HOLDS, said
    why = "two peaks need not have one size in all nodes: whether they do depends on how evenly the head's weights grow"
    return PARTLY if farther else FAILS, f"{said}; {why}"


def _lemma_1(known: Known) -> Judged:
    if LPC not in known:
        return OPEN, _MISSING.format("lpc")
    own = known[LPC]
    sure, ratio = own.values("p_y"), own.values("gamma") / own.values("critical")
    said = (f"p_y at the end is {sure.mean():.3f} at {own.mean('train_accuracy'):.1%} training accuracy, with γ "
            f"{ratio.mean():.3g} times the head's critical γ")
    if sure.min() >= CERTAIN:
        return HOLDS, said
    why = ("above which some class is less likely than all others together" if ratio.mean() > 1 else
           "below which every class is still the likeliest, but certainty ends earlier")
    return FAILS, f"{said}, {why}"


def _radius(known: Known) -> Judged:
    if LPC not in known:
        return OPEN, _MISSING.format("lpc")
    error = np.abs(known[LPC].values("radius") / known[LPC].values("predicted_radius") - 1)
    if not np.isfinite(error).all():
        return OPEN, "no radius is predicted for this network"
    words = f"measured and predicted mean radius differ by {error.mean():.1%} (at most {error.max():.1%})"
    return HOLDS if error.max() < 0.05 else PARTLY if error.max() < 0.25 else FAILS, words


def _accuracy(known: Known) -> Judged:
    if LPC not in known or "no-pen" not in known:
        return OPEN, _MISSING.format("lpc and no-pen")
    mine, theirs = (known[name].values("test_accuracy") for name in (LPC, "no-pen"))
    gap, noise = mine.mean() - theirs.mean(), math.hypot(mine.std(ddof=1), theirs.std(ddof=1)) if min(
        len(mine), len(theirs)) > 1 else math.nan
    words = f"test accuracy {mine.mean():.1%} against {theirs.mean():.1%} of NoPen, a gap of {gap:+.1%}"
    if math.isnan(noise):
        return OPEN, f"{words}; one seed each says nothing of a gap"
    return HOLDS if gap >= -noise else FAILS, f"{words}, where seeds differ by {noise:.1%}"


def _figure_3(name: str) -> Callable[[Known], Judged]:
    def judge(known: Known) -> Judged:
        runs = [run for group in known.values() for run in group.runs]
        found = correlation(np.array([value_of(run, "separation") for run in runs]),
                            np.array([value_of(run, name) for run in runs]))
        if not math.isfinite(found.low):
            return OPEN, f"needs four runs or more; {found.reason}"
        words = (f"Pearson r {found.r:.2f} (95 % {found.low:.2f} to {found.high:.2f}, {found.n} runs of {len(known)} "
                 "rows)")
        if found.low <= 0 and found.high > 0.5:
            return OPEN, f"{words}: the interval allows either"
        return HOLDS if found.low > 0.5 else PARTLY if found.low > 0 else FAILS, words

    return judge


CLAIMS: tuple[tuple[int, str, Callable[[Known], Judged]], ...] = (  # table that bears on it, claim, judge
    (1, "LPC costs no test accuracy", _accuracy),
    (1, "LPC is more robust, by DeepFool as published",
     _compared("deepfool", False, "mean ‖δ‖/‖x‖", _against_the_smallest)),
    (1, "LPC is more robust, by the smallest known perturbation", _compared("smallest", False, "mean ‖δ‖/‖x‖")),
    (1, "𝓡 goes along with robustness by DeepFool", _figure_3("deepfool")),
    (1, "𝓡 goes along with the smallest known perturbation", _figure_3("smallest")),
    (2, "Classes collapse to points only with γ", _compared("spread", True, "within-class spread")),
    (2, "The latents lie on a shell of one radius", _compared("norm_cv", True, "variation of the norm")),
    (2, "Every node takes one of two values", _binary),
    (3, "Wrong predictions are told by Mahalanobis distance",
     _compared("auroc_mahalanobis", False, "AUROC", _few_errors)),
    (3, "Wrong predictions are told by ODIN", _compared("auroc_odin", False, "AUROC", _few_errors)),
    (4, "Lemma 1: p_y ≈ 1 where γ is strong", _lemma_1),
    (4, "The radius is where push and pull balance", _radius),
)
