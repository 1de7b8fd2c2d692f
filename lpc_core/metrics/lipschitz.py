"""How fast the decision can change: the input-gradient norm of (true logit − best other logit), sample by sample."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.models.any import Array, Model, as_labels, gradient, opened

_SOURCE = "Sbailò & Ghiringhelli, arXiv 2310.08224, after Theorem A.1"
METRICS = (
    Metric("lipschitz_max", "Largest slope", "max of ‖∇ₓ(f_y − max_k≠y f_k)‖",
           "The steepest that the lead of the true class falls at any of the samples, per unit of input. A lower bound "
           "on the Lipschitz constant; it grows with the head's weights, so compare it with the lead itself.",
           _SOURCE, "log", unit="logits per unit of input"),
    Metric("lipschitz_mean", "Mean slope", "mean of ‖∇ₓ(f_y − max_k≠y f_k)‖",
           "How steeply the lead of the true class falls at a typical sample, per unit of input. Near 0 the network is "
           "flat there, which gradient attacks such as DeepFool take for robustness.", _SOURCE, "log",
           unit="logits per unit of input"),
)


def lipschitz(model: Model, inputs: Array, labels: Array, *, batch_size: int = 512) -> dict[str, Reading]:
    """Both numbers by name, of `slopes`. Samples whose gradient is exactly 0 count as 0 (the authors' code leaves those
    below 1e-9 out of the mean) and are reported in the readings' ``reason``.
    """
    norms = slopes(model, inputs, labels, batch_size=batch_size)
    flat = int((norms == 0).sum())
    note = f"the gradient is exactly 0 at {flat} of {len(norms)} samples" if flat else ""
    return {"lipschitz_max": Reading(float(norms.max()), reason=note),
            "lipschitz_mean": Reading(float(norms.mean()), reason=note)}


def slopes(model: Model, inputs: Array, labels: Array, *, batch_size: int = 512) -> np.ndarray:
    """‖∇ₓ(f_y − max_k≠y f_k)‖ (N,) float64, for ``inputs`` (N, …) as the model takes them and true ``labels`` (N,).

    Any classifier will do that gives logits (N, K); one in training mode is evaluated and put back. Raises `ValueError`
    for inputs, labels or answers of another form.
    """
    if batch_size < 1:
        raise ValueError(f"expected batch_size ≥ 1, got {batch_size}; it is how many samples are asked about at once")
    with opened(model, inputs) as asked:
        labels_ = as_labels(labels, asked.logits(batch_size))
        return torch.cat([_slopes(*asked.differentiable(x), y) for x, y in zip(
            asked.inputs.split(batch_size), labels_.split(batch_size), strict=True)]).cpu().numpy()


def _slopes(leaf: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """The same (n,) of some samples, whose inputs are ``leaf``."""
    own = labels[:, None]
    rival = logits.detach().scatter(1, own, -torch.inf).argmax(1, keepdim=True)
    lead = logits.gather(1, own) - logits.gather(1, rival)  # (n, 1)
    norms: Tensor = torch.linalg.vector_norm(gradient(lead.sum(), leaf).double().flatten(1), dim=1)
    return norms
