"""The ready comparisons: what differs, on which data, and what to look for. One more is one more entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lpc_core.config import ConfigError, RunConfig, unflatten
from lpc_core.presets import default_run

OWN = "own"  # the name of the comparison that a reader types
OWN_RUNS = ("run2", "run3", "run4")  # its settings in a link; the first run is the base itself
OWN_START = "gamma_schedule=constant gamma_end=0"

_NO_PENALTY = {"gamma_schedule": "constant", "gamma_end": 0.0}
_SHORT = {"ramp_steps": 3_000, "steps": 4_000}
_LOSSES = {"batch_size": 64, "ramp_steps": 1_500, "steps": 2_000}  # rivals take twenty times as long as LPC per step


@dataclass(frozen=True)
class Ready:
    """A base run, and the two to four runs that differ from it, each with a heading."""

    title: str
    look_for: str
    dataset: str
    runs: tuple[tuple[str, dict[str, Any]], ...]
    base: dict[str, Any] = field(default_factory=dict)  # what differs from the data set's own starting run
    axes: str = "shared"  # how the page begins: shared | own
    projection: str = ""  # pca | nodes | "" (whatever suits the number of nodes)
    number: str = "nc1"  # the one in the chart

    def run(self, seed: int = 0) -> RunConfig:
        """The base run."""
        return unflatten(self.base | {"seed": seed}, default_run(self.dataset))

    def start(self, dataset: str | None) -> dict[str, object]:
        """The settings of the base run as far as they suit ``dataset``, the one a link names (None: it names none)."""
        return {"dataset": self.dataset, **self.base} if dataset in (None, self.dataset) else {}


READY: dict[str, Ready] = {
    "penalty": Ready(
        "No penalty or strong penalty",
        "Both networks classify equally well, but only under the penalty does each class become a point. "
        "With shared axes the collapsed run is a dot: switch to own axes to look inside.",
        "hypercube", (("γ = 0", _NO_PENALTY), ("γ grows to 100", {})), _SHORT),
    "optimizer": Ready(
        "AdamW, Muon or SGD",
        "All draw each class together, but only where AdamW trains the head (under Muon too) does every node take two "
        "values, a binary code: watch the head weight variation fall. (Our own observation, not the paper's.)",
        "digits", (("AdamW", {"optimizer": "adamw"}),
                   ("Muon", {"optimizer": "muon", "muon_lr": 0.06, "muon_momentum": 0.6}),
                   ("SGD", {"optimizer": "sgd", "lr": 0.05, "head_lr": 0.05})),
        {"latent_dim": 4, "gamma_end": 10.0, "ramp_steps": 1_500, "steps": 4_000}, "own", "nodes", "weights"),
    "penultimate": Ready(
        "Linear or nonlinear penultimate layer",
        "Behind a ReLU no latent can go below zero, so the classes share one corner of the space instead of sitting "
        "around the origin. No collapse points are predicted there: not every latent can be reached.",
        "hypercube", (("linear", {"penultimate": "linear"}),
                      ("ReLU", {"penultimate": "nonlinear", "activation": "relu"})), _SHORT),
    "width": Ready(
        "Wide or narrow",
        "Same data, same γ, 4 nodes against 64. The wide run needs less radius, because more head weights share the "
        "work, and its classes are less tight: compare R and NC1.",
        "digits", (("4 nodes", {"latent_dim": 4}), ("64 nodes", {"latent_dim": 64})), _SHORT, "own"),
    "losses": Ready(
        "LPC, ArcFace, CosFace or SupCon",
        "ArcFace, CosFace and SupCon see only directions: they sort the classes by angle and leave each one a streak, "
        "while LPC makes it a point. Only LPC has a penalty here.",
        "hypercube", (("LPC", {}), ("ArcFace", {"loss": "arcface", **_NO_PENALTY}),
                      ("CosFace", {"loss": "cosface", **_NO_PENALTY}),
                      ("SupCon", {"loss": "supcon", **_NO_PENALTY})), _LOSSES, "own"),
    "losses-with-penalty": Ready(
        "The same losses, all with LPC's penalty",
        "The same γ shrinks all four, but a loss that reads angles alone gets smaller without getting tighter: its NC1 "
        "stays several times that of LPC. SupCon's head, which learns apart, may lose its classes at the end.",
        "hypercube", (("LPC", {}), ("ArcFace + LPC", {"loss": "arcface"}), ("CosFace + LPC", {"loss": "cosface"}),
                      ("SupCon + LPC", {"loss": "supcon"})), _LOSSES, "own"),
}


def check_name(name: str) -> str:
    """``name`` if there is such a comparison; `ConfigError` with those that exist if not."""
    if name not in (*READY, OWN):
        raise ConfigError("comparison", "one of " + ", ".join((*READY, OWN)), name[:80])
    return name
