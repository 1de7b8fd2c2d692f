"""The ready comparisons: what differs, on which data, and what to look for. One more is one more entry.

What a text claims is a `Claim`, with the number that shows it; `tests/app/test_comparisons.py` holds every claim to
seeds that it was not written from, and `python -m benchmarks.comparisons` prints the numbers of any seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.words import _
from lpc_core.config import ConfigError, RunConfig, unflatten
from lpc_core.presets import default_run

OWN = "own"  # the name of the comparison that a reader types
OWN_RUNS = ("run2", "run3", "run4")  # its settings in a link; the first run is the base itself
OWN_START = "gamma_schedule=constant gamma_end=0"

_NO_PENALTY = {"gamma_schedule": "constant", "gamma_end": 0.0}
_SHORT = {"ramp_steps": 3_000, "steps": 4_000}
_LOSSES = {"batch_size": 64, "ramp_steps": 1_500, "steps": 2_000}  # rivals take twenty times as long as LPC per step


@dataclass(frozen=True)
class Claim:
    """A sentence about the end of a comparison, and the live metric that shows it: ``holds`` takes its value in every
    run, in their order.
    """

    words: str
    metric: str
    holds: Callable[..., bool]


@dataclass(frozen=True)
class Ready:
    """A base run, and the two to four runs that differ from it, each with a heading; the page begins with own axes."""

    title: str
    claims: tuple[Claim, ...]
    hint: str  # what else to know before looking
    dataset: str
    runs: tuple[tuple[str, dict[str, Any]], ...]
    base: dict[str, Any] = field(default_factory=dict)  # what differs from the data set's own starting run
    projection: str = ""  # pca | nodes | "" (whatever suits the number of nodes)
    number: str = "nc1_pinv"  # the metric in the chart

    @property
    def look_for(self) -> str:
        """What to look for, in a few sentences."""
        return " ".join(map(_, [*(claim.words for claim in self.claims), self.hint]))

    @property
    def evidence(self) -> list[str]:
        """The metrics that show it."""
        return list(dict.fromkeys(claim.metric for claim in self.claims))

    def texts(self) -> list[str]:
        """Every text of it that a reader sees."""
        return [self.title, *(claim.words for claim in self.claims), self.hint, *(title for title, _own in self.runs)]

    def run(self, seed: int = 0) -> RunConfig:
        """The base run."""
        return unflatten(self.base | {"seed": seed}, default_run(self.dataset))

    def start(self, dataset: str | None) -> dict[str, object]:
        """The settings of the base run as far as they suit ``dataset``, the one a link names (None: it names none)."""
        return {"dataset": self.dataset, **self.base} if dataset in (None, self.dataset) else {}


READY: dict[str, Ready] = {
    "penalty": Ready(
        "No penalty or strong penalty",
        (Claim("Both networks classify equally well,", "test_accuracy", lambda free, held: abs(free - held) <= 0.02),
         Claim("but only under the penalty does each class become a point: NC1 ends far below a tenth of the other's.",
               "nc1_pinv", lambda free, held: held < free / 10),
         Claim("The radii end more than five hundred times apart,", "norm_mean", lambda free, held: free > 500 * held)),
        "so each panel has axes of its own; the bar at its right shows R.",
        "hypercube", (("γ = 0", _NO_PENALTY), ("γ grows to 100", {})), _SHORT),
    "optimizer": Ready(
        "AdamW or SGD",
        (Claim("Both classify the training samples,", "train_accuracy", lambda *of: min(of) > 0.99),
         Claim("but only under AdamW do the nodes come to take two values each, a binary code: the head weight "
               "variation ends at less than a third of SGD's.", "weight_abs_cv", lambda adamw, sgd: adamw < sgd / 3)),
        "(Our own observation, not the paper's.)",
        "digits", (("AdamW", {"optimizer": "adamw"}), ("SGD", {"optimizer": "sgd", "lr": 0.05, "head_lr": 0.05})),
        {"latent_dim": 4, "gamma_end": 10.0, "ramp_steps": 1_500, "steps": 4_000}, "nodes", "weight_abs_cv"),
    "penultimate": Ready(
        "Linear or nonlinear penultimate layer",
        (Claim("Behind a ReLU no latent can go below zero: the classes share one corner of the space, and a node is on "
               "or off where a linear one is plus or minus, so node sizes vary as much as they measure.", "abs_cv",
               lambda linear, relu: linear < 0.2 and not relu <= 0.8),  # NaN: every latent has become zero
         Claim("What it keeps collapses no less here: NC1 is not higher.", "nc1_pinv",
               lambda linear, relu: not relu > linear)),
        "On some seeds it loses a class, on a few all of them: watch the train accuracy. No collapse points are "
        "predicted there, because not every latent can be reached.",
        "hypercube", (("linear", {"penultimate": "linear"}),
                      ("ReLU", {"penultimate": "nonlinear", "activation": "relu"})), _SHORT),
    "width": Ready(
        "Wide or narrow",
        (Claim("Same data, same γ, 4 nodes against 64. Both end at the same radius, within a tenth,", "norm_mean",
               lambda narrow, wide: abs(wide / narrow - 1) < 0.1),
         Claim("but the wide run's classes are less tight: NC1 stays more than twice as high.", "nc1_pinv",
               lambda narrow, wide: wide > 2 * narrow)),
        "Sixteen times as many nodes hold what four can.",
        "digits", (("4 nodes", {"latent_dim": 4}), ("64 nodes", {"latent_dim": 64})), _SHORT),
    "losses": Ready(
        "LPC, ArcFace, CosFace or SupCon",
        (Claim("ArcFace, CosFace and SupCon see only directions and leave each class a streak, while LPC makes it a "
               "point: its NC1 is less than a fifth of any other's.", "nc1_pinv",
               lambda lpc, *others: lpc < min(others) / 5),),
        "Only LPC has a penalty here. On some seeds ArcFace or CosFace lay two classes on one direction: watch the "
        "train accuracy.",
        "hypercube", (("LPC", {}), ("ArcFace", {"loss": "arcface", **_NO_PENALTY}),
                      ("CosFace", {"loss": "cosface", **_NO_PENALTY}),
                      ("SupCon", {"loss": "supcon", **_NO_PENALTY})), _LOSSES),
    "losses-with-penalty": Ready(
        "The same losses, all with LPC's penalty",
        (Claim("The same γ shrinks all four below R = 1,", "norm_mean", lambda *of: max(of) < 1),
         Claim("but a loss that reads angles alone gets smaller without getting as tight: its NC1 stays more than "
               "twice that of LPC.", "nc1_pinv", lambda lpc, *others: min(others) > 2 * lpc)),
        "SupCon's head, which learns apart, may lose its classes at the end.",
        "hypercube", (("LPC", {}), ("ArcFace + LPC", {"loss": "arcface"}), ("CosFace + LPC", {"loss": "cosface"}),
                      ("SupCon + LPC", {"loss": "supcon"})), _LOSSES),
}


def check_name(name: str) -> str:
    """``name`` if there is such a comparison; `ConfigError` with those that exist if not."""
    if name not in (*READY, OWN):
        raise ConfigError("comparison", "one of " + ", ".join((*READY, OWN)), name[:80])
    return name
