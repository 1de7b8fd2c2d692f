"""Everything measured of a trained row: collapse on both sets, reliability, slopes, attacks, and the theory's."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from lpc_core.data import spread
from lpc_core.engine.observe import Outputs
from lpc_core.experiments._trainer import RowTrainer
from lpc_core.losses import gamma_sum
from lpc_core.metrics import METRICS, names, readings, slow_names
from lpc_core.metrics.entropy import entropy_max
from lpc_core.metrics.lipschitz import lipschitz
from lpc_core.metrics.reliability import reliability
from lpc_core.metrics.retrieval import retrieval
from lpc_core.robustness import report as attacked
from lpc_core.theory import critical_gamma

MOST = 10_000  # samples of either set that are measured; the authors take as many for 𝓡 and the nodes' peaks
ATTACKED = 500  # test samples
QUERIES = 1_000  # test samples that search the training set for their like
SLOPES = 1_000  # test samples whose gradient is taken
ATTACKS = ("deepfool", "ddn", "fmn")
PIECE = 1_000
QUICK = tuple(name for name in names() if name not in slow_names())  # what no table asks of the test set is left out


def look(trainer: RowTrainer, critical: bool = True) -> tuple[dict[str, Any], np.ndarray]:
    """The line of an epoch: the live metrics, p_y, and if ``critical`` the head's critical γ in the code's convention.
    Beside it the probe's latents (n, d).
    """
    seen, outputs = trainer.look()
    metrics = {name: float(values[0]) for name, values in seen.metrics.items()}
    return {"epoch": min(trainer.epoch - 1, trainer.epochs), "step": trainer.step, "gamma": trainer.gamma.value,
            "lr": trainer.lr, **metrics, "p_y": _own_probability(outputs, trainer.probe_labels),
            "critical_gamma": _critical(trainer) if critical else None}, seen.latents[0]


def _own_probability(outputs: Outputs, labels: np.ndarray) -> float:
    """Mean softmax probability of the true class over the probe's training samples."""
    shares = softmax(outputs.logits[0, :, : len(labels)].astype(np.float64), axis=0)  # (K, n)
    return float(shares[labels, np.arange(len(labels))].mean())


def _critical(trainer: RowTrainer) -> float:
    """The γ (code's convention) above which some collapse point of this head is no longer sure; NaN without theory."""
    if trainer.theory_note:
        return math.nan
    weight, bias = (value.detach().cpu().double().numpy() for value in
                    (trainer.model.head.weight, trainer.model.head.bias))
    return critical_gamma(weight, bias) * weight.shape[1] if np.isfinite(weight).all() else math.nan


def final_report(trainer: RowTrainer) -> dict[str, Any]:
    """What is measured at the end of a run, as plain values: NaN stands beside its reason."""
    begin, data = time.perf_counter(), trainer.dataset
    train, test = (_answers(trainer, inputs, labels) for inputs, labels in
                   ((data.train_inputs, data.train_labels), (data.test_inputs, data.test_labels)))
    found = {"samples": {"train": len(train[3]), "test": len(test[3])},
             "train": _measured(trainer, *train[1:]), "test": _measured(trainer, *test[1:], QUICK)}
    found["reliability"] = _plain(reliability(train[1], train[3], test[1], test[2], test[3], k=min(20, len(train[3])),
                                              weight=trainer.model.head.weight))
    found["retrieval"] = retrieval(train[1], train[3], test[1][:QUERIES], test[3][:QUERIES])
    found["entropy"] = _plain({"entropy_max": entropy_max(train[1])})["entropy_max"] if \
        trainer.row.entropy_norm == "max" else found["train"]["entropy_kl"]
    found["slopes"] = _plain(lipschitz(trainer.model, test[0][:SLOPES], test[3][:SLOPES]))
    rows, begin_attacks = spread(test[3], ATTACKED, trainer.config.seed), time.perf_counter()
    robust = attacked(trainer.model, test[0][torch.from_numpy(rows)], test[3][rows], attacks=ATTACKS,
                      seed=trainer.config.seed)
    attacking = time.perf_counter() - begin_attacks
    plain = robust.plain(per_sample=True)
    kept = {name: values["relative"] for name, values in plain.pop("per_sample").items() if name in ATTACKS}
    found["robustness"] = {**plain, "relative": kept}
    found["theory"] = _theory(trainer, look(trainer)[0])
    return found | {"seconds_measuring": time.perf_counter() - begin - attacking, "seconds_attacking": attacking}


def _answers(trainer: RowTrainer, stored: np.ndarray,
             labels: np.ndarray) -> tuple[Tensor, np.ndarray, np.ndarray, np.ndarray]:
    """Inputs (n, …), latents (n, d), logits (n, K) and labels (n,) of at most `MOST` samples, in evaluation mode."""
    rows = spread(labels, MOST, trainer.config.seed)
    inputs = trainer.batches.normalise(torch.from_numpy(stored[rows]).to(trainer.device))
    parts = [trainer.engine.look(piece) for piece in inputs.split(PIECE)]
    logits, latents = (torch.cat([answer[index][0].T for answer in parts]).cpu().numpy() for index in (0, 1))
    return inputs, latents, logits, labels[rows]


def _measured(trainer: RowTrainer, latents: np.ndarray, logits: np.ndarray, labels: np.ndarray,
              only: Sequence[str] | None = None) -> dict[str, Any]:
    weight, bias = (parameter.detach().cpu() for parameter in (trainer.model.head.weight, trainer.model.head.bias))
    found = readings(latents, labels, logits=logits, weight=weight, bias=bias, only=only)
    return {"accuracy": {"value": float((logits.argmax(axis=1) == labels).mean()), "reason": ""}, **_plain(found)}


def _plain(found: Any) -> dict[str, Any]:
    return {name: {"value": reading.value, "reason": reading.reason} for name, reading in found.items()
            if name in METRICS}


def _theory(trainer: RowTrainer, now: dict[str, Any]) -> dict[str, Any]:
    """γ in both conventions beside the head's critical one, p_y, and the radius measured and predicted."""
    nodes = trainer.model.head.in_features
    radius = now.get("predicted_radius", math.nan) if now["gamma"] > 0 else math.nan
    return {"gamma": now["gamma"], "gamma_sum": gamma_sum(now["gamma"], "mean", nodes), "nodes": nodes,
            "critical_gamma": now["critical_gamma"], "p_y": now["p_y"], "radius": now["norm_mean"],
            "predicted_radius": radius, "loss": now["loss"], "penalty": now["penalty"],
            "weight_abs_cv": now.get("weight_abs_cv", math.nan), "note": trainer.theory_note}
