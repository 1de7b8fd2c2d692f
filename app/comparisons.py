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


@dataclass(frozen=True)
class Ready:
    """A base run, and the two to four runs that differ from it, each with a heading."""

    title: str
    look_for: str
    dataset: str
    runs: tuple[tuple[str, dict[str, Any]], ...]
    base: dict[str, Any] = field(default_factory=dict)  # what differs from the data set's own starting run

    def run(self, seed: int = 0) -> RunConfig:
        """The base run."""
        return unflatten(self.base | {"seed": seed}, default_run(self.dataset))

    def start(self, dataset: str | None) -> dict[str, object]:
        """The settings of the base run as far as they suit ``dataset``, the one a link names (None: it names none)."""
        return {"dataset": self.dataset, **self.base} if dataset in (None, self.dataset) else {}


READY: dict[str, Ready] = {
    "penalty": Ready(
        "No penalty or strong penalty",
        "Both networks classify equally well, but only under the penalty does each class become a point.",
        "hypercube", (("γ = 0", _NO_PENALTY), ("γ grows to 100", {})), _SHORT),
    "optimizer": Ready(
        "AdamW or SGD",
        "Both collapse each class to a point, but only under AdamW do the points become a binary code: watch the "
        "variation of the head's weights fall towards 0 on one side only (our own observation, not the paper's).",
        "hypercube", (("AdamW", {"optimizer": "adamw"}), ("SGD", {"optimizer": "sgd", "lr": 0.05, "head_lr": 0.05})),
        _SHORT),
    "penultimate": Ready(
        "Linear or nonlinear penultimate layer",
        "After a nonlinearity the latents cannot reach the negative half of each axis, so the classes crowd into one "
        "corner as γ grows.",
        "hypercube", (("linear", {"penultimate": "linear"}),
                      ("ReLU", {"penultimate": "nonlinear", "activation": "relu"})), _SHORT),
    "width": Ready(
        "Wide or narrow",
        "With more nodes there is more room to tell classes apart, and the same γ leaves the shell larger.",
        "digits", (("4 nodes", {"latent_dim": 4}), ("64 nodes", {"latent_dim": 64})), _SHORT),
    "loss": Ready(
        "LPC, ArcFace, CosFace or SupCon",
        "ArcFace, CosFace and SupCon see only directions: they sort the classes by angle but leave each one a streak, "
        "while the penalty of LPC makes it a point. Here they run without a penalty.",
        "hypercube", (("LPC", {}), ("ArcFace", {"loss": "arcface", **_NO_PENALTY}),
                      ("CosFace", {"loss": "cosface", **_NO_PENALTY}),
                      ("SupCon", {"loss": "supcon", **_NO_PENALTY})), _SHORT),
    "losses-with-penalty": Ready(
        "The same losses, all with LPC's penalty",
        "Under one and the same γ the radius of all four shrinks, but where a loss reads angles alone the penalty "
        "costs it nothing, and the streaks stay streaks.",
        "hypercube", (("LPC", {}), ("ArcFace + LPC", {"loss": "arcface"}), ("CosFace + LPC", {"loss": "cosface"}),
                      ("SupCon + LPC", {"loss": "supcon"})), _SHORT),
}


def check_name(name: str) -> str:
    """``name`` if there is such a comparison; `ConfigError` with those that exist if not."""
    if name not in (*READY, OWN):
        raise ConfigError("comparison", "one of " + ", ".join((*READY, OWN)), name[:80])
    return name
