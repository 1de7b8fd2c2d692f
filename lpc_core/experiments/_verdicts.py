"""The publication's claims, each with a verdict over the runs at hand, in plain words, and why where they disagree.

A comparison *holds* only if it does for every seed: the worst run of one side against the best of the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lpc_core.experiments._measure import MOST
from lpc_core.experiments._summaries import Group, no_better_than, value_of
from lpc_core.phase import COLLAPSED
from lpc_core.study import correlation

HOLDS, PARTLY, FAILS, OPEN = "holds", "partly", "does not hold", "open"
CERTAIN = 0.99  # p_y from which on Lemma 1's premise p_y ≈ 1 counts as met
BINARY = 0.1  # CV of |z| below which all nodes have one size
LPC, WITHOUT = "lpc", ("no-pen", "lin-pen")


Said = tuple[str, dict[str, str]]  # one of `SENTENCES`, and what stands in its places


@dataclass(frozen=True)
class Verdict:
    """What became of a claim on one data set."""

    claim: str
    verdict: str  # one of the four words above
    words: str
    said: tuple[Said, ...] = ()  # the same words in pieces, for whoever says them in another language


def verdicts(groups: Sequence[Group], table: int | None = None) -> list[Verdict]:
    """One per claim (that ``table`` bears on), over the ``groups`` of one data set, generation and variant."""
    known = {group.row.name: group for group in groups}
    judged = [(claim, *judge(known)) for number, claim, judge in CLAIMS if table in (None, number)]
    return [Verdict(claim, verdict, "".join(text.format(**values) for text, values in said), tuple(said))
            for claim, verdict, said in judged]


def verdict_texts() -> list[str]:
    """Every text that a verdict may be made of."""
    return [HOLDS, PARTLY, FAILS, OPEN, *(claim for _, claim, _ in CLAIMS), *MEASURED, *_MISSING.values(),
            *SENTENCES.values()]


Known = dict[str, Group]
Judged = tuple[str, list[Said]]
MEASURED = PERTURBATION, SPREAD, NORM, AUROC = "mean ‖δ‖/‖x‖", "within-class spread", "variation of the norm", "AUROC"
_MISSING = {rows: f"needs finished runs of {rows}; `lpc paper run` makes them"
            for rows in ("lpc", "lpc, and of no-pen", "lpc, and of lin-pen", "lpc, and of no-pen or lin-pen")}
SENTENCES = {
    "unmeasured": "{quantity} could not be measured in every run",
    "compared": "{quantity}: LPC {mine}, {others}; {seeds} seeds against {runs} runs, the nearest of which has "
                "{nearest}",
    "deepfool": ". DeepFool's mean is {own} times the smallest known one under LPC, {plain} times under {other}",
    "no points": "; LPC's classes are no points yet: that is a spread below {bar} of the radius in every run",
    "points too": "; without γ too some classes are points: their spread is below {bar} of the radius",
    "lost": "; LPC's accuracy is near chance, so neither means anything",
    "errors": ". Each rests on about {own} (LPC) or {plain} ({other}) wrong predictions of {samples}",
    "binary": "a node's two peaks lie {own} widths apart (LinPen {plain}), and |z| varies by {own_cv} (LinPen "
              "{plain_cv})",
    "uneven": "; two peaks need not have one size in all nodes: whether they do depends on how evenly the head's "
              "weights grow",
    "certain": "p_y at the end is {sure} at {accuracy} training accuracy, with γ {ratio} times the head's critical γ",
    "above": ", above which some class is less likely than all others together",
    "below": ", below which every class is still the likeliest, but certainty ends earlier",
    "no radius": "no radius is predicted for this network",
    "radius": "measured and predicted mean radius differ by {mean} (at most {most})",
    "gap": "test accuracy {mine} against {theirs} of NoPen, a gap of {gap}",
    "one seed": "; one seed each says nothing of a gap",
    "noise": ", where seeds differ by {noise}",
    "few runs": "needs four runs or more; {reason}",
    "pearson": "Pearson r {r} (95 % {low} to {high}, {n} runs of {rows} rows)",
    "either": ": the interval allows either",
    "left out": ". Left out for having learned nothing: {n}",
}


def _say(name: str, **values: str) -> Said:
    return SENTENCES[name], values


def _missing(rows: str) -> Judged:
    return OPEN, [(_MISSING[rows], {})]


def _sides(known: Known) -> tuple[Group, list[Group]] | None:
    others = [known[name] for name in WITHOUT if name in known]
    return (known[LPC], others) if LPC in known and others else None


def _compared(name: str, less: bool, quantity: str, more: Callable[[Group, list[Group]], list[Said]] | None = None,
              ) -> Callable[[Known], Judged]:
    """A judge of "LPC has less (or more) of ``name`` than networks without γ", seed for seed."""
    def judge(known: Known) -> Judged:
        if (sides := _sides(known)) is None:
            return _missing("lpc, and of no-pen or lin-pen")
        own, others = sides
        mine, theirs = own.values(name), np.concatenate([group.values(name) for group in others])
        if not (np.isfinite(mine).all() and np.isfinite(theirs).all()):
            return OPEN, [_say("unmeasured", quantity=quantity)]
        sign = 1 if less else -1
        apart, mean = (sign * mine).max() < (sign * theirs).min(), sign * mine.mean() < sign * theirs.mean()
        nearest = theirs.min() if less else theirs.max()
        said = _say("compared", quantity=quantity, mine=f"{mine.mean():.3g}", nearest=f"{nearest:.3g}",
                    others=", ".join(f"{group.row.title} {group.mean(name):.3g}" for group in others),
                    seeds=str(len(mine)), runs=str(len(theirs)))
        return HOLDS if apart else PARTLY if mean else FAILS, [said, *(more(own, others) if more else [])]

    return judge


def _points(known: Known) -> Judged:
    """LPC's spread is smaller, seed for seed, and below what counts as a point there, and there alone."""
    verdict, said = _compared("spread", True, SPREAD)(known)
    if verdict != HOLDS or (sides := _sides(known)) is None:
        return verdict, said
    (own, others), bar = sides, f"{COLLAPSED:.0%}"
    if own.values("spread").max() >= COLLAPSED:
        return PARTLY, [*said, _say("no points", bar=bar)]
    if min(group.values("spread").min() for group in others) < COLLAPSED:
        return PARTLY, [*said, _say("points too", bar=bar)]
    return HOLDS, said


def _against_the_smallest(own: Group, others: list[Group]) -> list[Said]:
    """What DeepFool says more than the smallest perturbation known, on either side."""
    factor, plain = (group.mean("deepfool") / group.mean("smallest") for group in (own, others[0]))
    lost = own.mean("test_accuracy") < no_better_than(own.row)
    said = _say("deepfool", own=f"{factor:.2f}", plain=f"{plain:.2f}", other=others[0].row.title)
    return [said, _say("lost")] if lost else [said]


def _few_errors(own: Group, others: list[Group]) -> list[Said]:
    """On how many wrong predictions an AUROC rests."""
    samples = min(own.row.all_settings["test_samples"], MOST)
    counts = [str(round((1 - group.mean("test_accuracy")) * samples)) for group in (own, others[0])]
    return [_say("errors", own=counts[0], plain=counts[1], other=others[0].row.title, samples=f"{samples:,}")]


def _binary(known: Known) -> Judged:
    if LPC not in known or "lin-pen" not in known:
        return _missing("lpc, and of lin-pen")
    own, plain = known[LPC], known["lin-pen"]
    farther = own.values("peaks").min() > plain.values("peaks").max()
    even = own.values("abs_cv").max() < BINARY
    said = _say("binary", own=f"{own.mean('peaks'):.3g}", plain=f"{plain.mean('peaks'):.3g}",
                own_cv=f"{own.mean('abs_cv'):.1%}", plain_cv=f"{plain.mean('abs_cv'):.1%}")
    if farther and even:
        return HOLDS, [said]
    return PARTLY if farther else FAILS, [said, _say("uneven")]


def _lemma_1(known: Known) -> Judged:
    if LPC not in known:
        return _missing("lpc")
    own = known[LPC]
    sure, ratio = own.values("p_y"), own.values("gamma") / own.values("critical")
    said = _say("certain", sure=f"{sure.mean():.3f}", accuracy=f"{own.mean('train_accuracy'):.1%}",
                ratio=f"{ratio.mean():.3g}")
    if sure.min() >= CERTAIN:
        return HOLDS, [said]
    return FAILS, [said, _say("above" if ratio.mean() > 1 else "below")]


def _radius(known: Known) -> Judged:
    if LPC not in known:
        return _missing("lpc")
    error = np.abs(known[LPC].values("radius") / known[LPC].values("predicted_radius") - 1)
    if not np.isfinite(error).all():
        return OPEN, [_say("no radius")]
    said = _say("radius", mean=f"{error.mean():.1%}", most=f"{error.max():.1%}")
    return HOLDS if error.max() < 0.05 else PARTLY if error.max() < 0.25 else FAILS, [said]


def _accuracy(known: Known) -> Judged:
    if LPC not in known or "no-pen" not in known:
        return _missing("lpc, and of no-pen")
    mine, theirs = (known[name].values("test_accuracy") for name in (LPC, "no-pen"))
    gap, noise = mine.mean() - theirs.mean(), math.hypot(mine.std(ddof=1), theirs.std(ddof=1)) if min(
        len(mine), len(theirs)) > 1 else math.nan
    said = _say("gap", mine=f"{mine.mean():.1%}", theirs=f"{theirs.mean():.1%}", gap=f"{gap:+.1%}")
    if math.isnan(noise):
        return OPEN, [said, _say("one seed")]
    return HOLDS if gap >= -noise else FAILS, [said, _say("noise", noise=f"{noise:.1%}")]


def _figure_3(name: str) -> Callable[[Known], Judged]:
    def judge(known: Known) -> Judged:
        groups = [learned for group in known.values() if (learned := group.learned)]
        runs = [run for learned in groups for run in learned]
        lost = sum(len(group.runs) for group in known.values()) - len(runs)
        left = [_say("left out", n=str(lost))] if lost else []
        found = correlation(np.array([value_of(run, "separation") for run in runs]),
                            np.array([value_of(run, name) for run in runs]))
        if not math.isfinite(found.low):
            return OPEN, [_say("few runs", reason=found.reason), *left]
        said = _say("pearson", r=f"{found.r:.2f}", low=f"{found.low:.2f}", high=f"{found.high:.2f}", n=str(found.n),
                    rows=str(len(groups)))
        if found.low <= 0 and found.high > 0.5:
            return OPEN, [said, _say("either"), *left]
        return HOLDS if found.low > 0.5 else PARTLY if found.low > 0 else FAILS, [said, *left]

    return judge


CLAIMS: tuple[tuple[int, str, Callable[[Known], Judged]], ...] = (  # table that bears on it, claim, judge
    (1, "LPC costs no test accuracy", _accuracy),
    (1, "LPC is more robust, by DeepFool as published",
     _compared("deepfool", False, PERTURBATION, _against_the_smallest)),
    (1, "LPC is more robust, by the smallest known perturbation", _compared("smallest", False, PERTURBATION)),
    (1, "𝓡 goes along with robustness by DeepFool", _figure_3("deepfool")),
    (1, "𝓡 goes along with the smallest known perturbation", _figure_3("smallest")),
    (2, "Classes collapse to points only with γ", _points),
    (2, "The latents lie on a shell of one radius", _compared("norm_cv", True, NORM)),
    (2, "Every node takes one of two values", _binary),
    (3, "Wrong predictions are told by Mahalanobis distance",
     _compared("auroc_mahalanobis", False, AUROC, _few_errors)),
    (3, "Wrong predictions are told by ODIN", _compared("auroc_odin", False, AUROC, _few_errors)),
    (4, "Lemma 1: p_y ≈ 1 where γ is strong", _lemma_1),
    (4, "The radius is where push and pull balance", _radius),
)
