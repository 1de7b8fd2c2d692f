"""How fast the decision can change: the input-gradient norm of (true logit − best other logit), sample by sample."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False)
class Lipschitz:
    """Slopes of the decision at n samples, in logits per unit of input."""

    norms: np.ndarray  # (N,) float64, ‖∇ₓ(f_y − max_k≠y f_k)‖
    margins: np.ndarray  # (N,) float64, f_y − max_k≠y f_k; negative where the sample is misclassified
    lipschitz_max: Reading
    lipschitz_mean: Reading

    def readings(self) -> dict[str, Reading]:
        """Both numbers by name."""
        return {"lipschitz_max": self.lipschitz_max, "lipschitz_mean": self.lipschitz_mean}


def lipschitz(model: Model, inputs: Array, labels: Array, *, batch_size: int = 512) -> Lipschitz:
    """The slope of every sample's decision, for ``inputs`` (N, …) as the model takes them and true ``labels`` (N,).

    Any classifier will do that gives logits (N, K); one in training mode is evaluated and put back. Samples whose
    gradient is exactly 0 count as 0 (the authors' code leaves those below 1e-9 out of the mean) and are reported in the
    readings' ``reason``. Raises `ValueError` for inputs, labels or answers of another form.
    """
    if batch_size < 1:
        raise ValueError(f"expected batch_size ≥ 1, got {batch_size}; it is how many samples are asked about at once")
    with opened(model, inputs) as asked:
        labels_ = as_labels(labels, asked.logits(batch_size))
        parts = [_slopes(*asked.differentiable(x), y)
                 for x, y in zip(asked.inputs.split(batch_size), labels_.split(batch_size), strict=True)]
    norms, margins = (torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True))
    flat = int((norms == 0).sum())
    note = f"the gradient is exactly 0 at {flat} of {len(norms)} samples" if flat else ""
    largest, mean = (Reading(float(value), reason=note) for value in (norms.max(), norms.mean()))
    return Lipschitz(norms, margins, largest, mean)


def _slopes(leaf: Tensor, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient norms and margins, both (n,) float64."""
    own = labels[:, None]
    rival = logits.detach().scatter(1, own, -torch.inf).argmax(1, keepdim=True)
    margin = (logits.gather(1, own) - logits.gather(1, rival))[:, 0]  # (n,)
    slope = gradient(margin.sum(), leaf).double().flatten(1)
    return torch.linalg.vector_norm(slope, dim=1), margin.detach().double()
