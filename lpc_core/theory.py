"""Collapse points: where each class's latents settle for a fixed head and γ, and the forces that hold them there.

For a fixed head (W, b) the loss of one sample of class y, ``CE(Wz + b, y) + γ‖z‖²``, is strictly convex in its latent
z, so each class has exactly one minimiser z*_y(γ). Lemmas 1–3 of Sbailò & Ghiringhelli (arXiv 2310.08224) argue that
the two terms balance at one radius and that confining the radius confines the angle; that the balance point is the
point a class collapses to, and can be computed, is this project's own observation.

γ is always in the paper's convention here (‖z‖² summed over the d nodes); divide the authors' code's γ by d first.
Plain NumPy in float64: K classes, d latent nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

MAX_STEPS = 500  # Newton steps; 2–5 suffice from a warm start, about 15 from a cold one, 100 for extreme heads
TOLERANCE = 1e-10  # largest norm of the gradient, and of the gradient over the forces that cancel in it
SEARCH_DECADES = 9  # `critical_gamma` looks this many powers of ten to both sides of the head's own scale
_EPS = float(np.finfo(np.float64).eps)


def collapse_points(weight: np.ndarray, bias: np.ndarray, gamma: float, start: np.ndarray | None = None,
                    *, label_smoothing: float = 0.0) -> np.ndarray:
    """Row y is the one latent that minimises ``CE(Wz + b, y) + γ‖z‖²``: (K, d) float64.

    ``weight`` (K, d) and ``bias`` (K,) are the head, ``gamma`` > 0 is the factor of ‖z‖², ``start`` (K, d) is an
    earlier answer to begin from, and ``label_smoothing`` s makes the target ``(1−s)·onehot + s/K``, as in PyTorch.

    Guaranteed on return, class by class, with p the softmax, t the target and W̄ the mean row: the gradient's norm is
    at most ``1e-10 · min(1, S) + ρ · (S + s·w)``. Here ``S = Σ_i |p_i − t_i| ‖W_i − W̄‖`` is the cross-entropy force
    before its parts cancel, w the largest ‖W_i − W̄‖, and ``ρ = 64ε(1 + max |b| + w‖z‖)`` the rounding of the logits,
    about 1e-13. So the gradient is within 1e-10, less where the forces themselves are small (weak γ), and more only
    where float64 leaves no choice (forces above 1e3). The distance to the exact minimiser is at most its norm over 2γ.

    Raises `ValueError` for bad arguments and `RuntimeError` when the bound is missed after ``MAX_STEPS`` steps.
    """
    weight, bias = _checked_head(weight, bias)
    gamma, smoothing = _checked_gamma(gamma), _checked_smoothing(label_smoothing)
    if start is not None:
        start = _checked("start", start, weight.shape)
    problem, basis = _normalised(weight, bias, gamma, smoothing)
    if problem is None:
        return np.zeros_like(weight)  # all rows of W are equal: nothing but the penalty acts
    points = _newton(problem, _first_guess(problem, start, basis))
    return (points if basis is None else points @ basis.T) / problem.scale


def predicted_radius(points: np.ndarray, shares: np.ndarray | None = None) -> float:
    """Mean distance ‖z*_y‖ of the collapse points (K, d) from the origin, in latent units.

    ``shares`` (K,) weighs the classes by their part of the samples (any positive scale); equal parts without it.
    NaN when no class has a share.
    """
    radii = np.linalg.norm(np.asarray(points, np.float64), axis=1)  # (K,)
    if shares is None:
        return float(radii.mean())
    shares = _checked("shares", shares, radii.shape)
    return float(radii @ shares / shares.sum()) if shares.sum() > 0 else math.nan


def forces(means: np.ndarray, weight: np.ndarray, bias: np.ndarray, gamma: float, labels: np.ndarray | None = None,
           *, label_smoothing: float = 0.0) -> np.ndarray:
    """The negative gradients of the loss at n latents: (3, n, d) float64.

    Index 0 is the cross-entropy force ``Σ_i (t_i − p_i) W_i`` (without smoothing ``W_y − Σ_i p_i W_i``), 1 the penalty
    force ``−2γz``, and 2 the part of their sum across the radius, which turns the latent without changing its norm.
    Row c of ``means`` (n, d) belongs to class ``labels[c]``, by default to class c. γ = 0 is allowed.
    Rows of NaN (absent classes) stay NaN; at z = 0 there is no radius, and the third part is NaN.
    """
    weight, bias = _checked_head(weight, bias)
    means = np.asarray(means, np.float64)
    labels = np.arange(len(means)) if labels is None else np.asarray(labels)
    if means.ndim != 2 or means.shape[1] != weight.shape[1] or labels.shape != means.shape[:1]:
        raise ValueError(f"expected means (n, {weight.shape[1]}) with one label per row, got {means.shape} and "
                         f"{labels.shape}; without labels, pass one mean per class")
    if labels.size and not 0 <= labels.min() <= labels.max() < len(weight):
        raise ValueError(f"expected labels from 0 to {len(weight) - 1}, got {labels.min()} to {labels.max()}; "
                         "pass one head row per class")
    _, slope = _probabilities(means @ weight.T + bias, labels, _checked_smoothing(label_smoothing))
    pull = -(slope @ weight)
    penalty = -2.0 * _checked_gamma(gamma, allow_zero=True) * means
    return np.stack([pull, penalty, _across(pull + penalty, means)])


def critical_gamma(weight: np.ndarray, bias: np.ndarray, confidence: float = 0.5) -> float:
    """The γ at which the first class stops being sure of itself at its own collapse point, for this fixed head.

    For every class the probability p_y(z*_y(γ)) can only fall as γ grows (a stronger penalty never lowers the
    cross-entropy at the minimiser), so there is one γ at which the smallest of them crosses ``confidence``. Below it,
    with the default of one half, every collapse point is classified as its own class; above it nothing guarantees
    that. It is where total collapse *threatens*, not where it must happen: a run may sit above it at full accuracy
    as long as its head keeps up, and is lost when γ runs far ahead of it.

    Returns ``inf`` when no γ takes a class that low (two classes without bias stay at or above one half for ever),
    and NaN when some class stays below ``confidence`` even under the weakest γ: this head cannot tell it apart.
    Searched within ``SEARCH_DECADES`` powers of ten around the largest ‖W_i − W̄‖², to a relative 1e-6.
    """
    weight, bias = _checked_head(weight, bias)
    if not 0 < confidence < 1:
        raise ValueError(f"expected confidence between 0 and 1, got {confidence}; 0.5 means 'more likely than not'")
    spread = float(((weight - weight.mean(axis=0)) ** 2).sum(axis=1).max())
    if spread == 0:
        return math.nan
    low, high = (math.log(spread) + sign * math.log(10) * SEARCH_DECADES for sign in (-1, 1))

    def surplus(log_gamma: float) -> float:
        points = collapse_points(weight, bias, math.exp(log_gamma))
        return _own_probability(points, weight, bias).min() - confidence

    if surplus(low) < 0:
        return math.nan
    if surplus(high) >= 0:
        return math.inf
    return math.exp(brentq(surplus, low, high, xtol=1e-6))


@dataclass(frozen=True, eq=False)
class _Problem:
    """The K minimisations in units where the largest centred row of W is 1, in the r ≤ d directions W can see."""

    rows: np.ndarray  # (K, r) centred and scaled head
    lengths: np.ndarray  # (K,) their norms
    scale: float  # what the rows were divided by and the latents multiplied with
    bias: np.ndarray  # (K,)
    stiffness: float  # 2γ in these units
    smoothing: float


def _normalised(weight: np.ndarray, bias: np.ndarray, gamma: float, smoothing: float,
                ) -> tuple[_Problem | None, np.ndarray | None]:
    """The problem (None without forces) and the basis (d, K−1) of the directions it lives in (None: all of them).

    Softmax ignores what all rows share, so W may be centred. The minimiser is ``Wᵀ(t − p)/(2γ)`` with Σ(t − p) = 0: it
    lies in the span of the K − 1 row differences, which makes wide latents (d ≥ K) no harder than narrow ones.
    """
    rows = weight - weight.mean(axis=0)
    scale = math.sqrt(float((rows * rows).sum(axis=1).max()))
    if scale == 0:
        return None, None
    rows, basis = rows / scale, None
    if len(rows) <= rows.shape[1]:
        basis = np.linalg.qr((rows[:-1] - rows[-1]).T)[0]  # (d, K−1)
        rows = rows @ basis
    lengths = np.sqrt((rows * rows).sum(axis=1))
    return _Problem(rows, lengths, scale, bias, 2.0 * gamma / scale / scale, smoothing), basis


def _first_guess(problem: _Problem, start: np.ndarray | None, basis: np.ndarray | None) -> np.ndarray:
    """``start`` (K, d) in the problem's units where it is better than the origin, else the origin: (K, r)."""
    origin = np.zeros_like(problem.rows)
    if start is None:
        return origin
    start = (start if basis is None else start @ basis) * problem.scale
    losses = [_losses(problem, points) for points in (start, origin)]
    return np.where((losses[0] < losses[1])[:, None], start, origin)


def _losses(problem: _Problem, points: np.ndarray) -> np.ndarray:
    """Loss of each class's point (without smoothing, which a first guess can do without): (K,)."""
    logits = points @ problem.rows.T + problem.bias
    top = logits.max(axis=1)
    entropy = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top - logits.diagonal()
    return entropy + problem.stiffness / 2 * (points * points).sum(axis=1)


def _newton(problem: _Problem, points: np.ndarray) -> np.ndarray:
    """Damped Newton for all classes at once; each class stops when its own gradient is within its tolerance."""
    todo = np.arange(len(points))
    for _ in range(MAX_STEPS):
        probabilities, gradient, tolerance = _gradient(problem, points[todo], todo)
        norms = np.sqrt((gradient * gradient).sum(axis=1))
        open_ = ~(norms <= tolerance)
        if not open_.any():
            return points
        todo = todo[open_]
        step = _newton_step(problem, probabilities[open_], gradient[open_])
        points[todo] += _damping(problem, points[todo], todo, step) * step
    raise RuntimeError(f"expected a gradient norm of at most {tolerance.min():.1e}, got {norms.max():.1e} after "
                       f"{MAX_STEPS} Newton steps for {len(todo)} classes; use a larger gamma or a smaller head")


def _gradient(problem: _Problem, points: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities (k, K), gradient (k, r) and the norm it may keep (k,) for k of the classes."""
    logits = points @ problem.rows.T + problem.bias  # (k, K)
    probabilities, slope = _probabilities(logits, classes, problem.smoothing)
    gradient = slope @ problem.rows + problem.stiffness * points
    rounding = 64 * _EPS * (1 + np.abs(problem.bias).max() + np.sqrt((points * points).sum(axis=1)))
    size = np.abs(slope) @ problem.lengths  # (k,) S of `collapse_points`, over the scale
    tolerance = TOLERANCE * np.minimum(size, 1 / problem.scale) + rounding * (size + problem.smoothing)
    return probabilities, gradient, tolerance


def _newton_step(problem: _Problem, probabilities: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The undamped Newton step −H⁻¹g of each class: (k, r)."""
    centred = problem.rows - (probabilities @ problem.rows)[:, None]  # (k, K, r) rows minus their mean under p
    hessian = (probabilities[:, :, None] * centred).swapaxes(1, 2) @ centred  # Σ_i p_i c_i c_iᵀ ≥ 0, also in rounding
    floor = _EPS * np.trace(hessian, axis1=1, axis2=2)  # keeps it invertible in float64; only ever shortens the step
    hessian += (problem.stiffness + floor)[:, None, None] * np.eye(hessian.shape[1])
    return -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]


def _damping(problem: _Problem, points: np.ndarray, classes: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The share of each step (k, r) to take, (k, 1), so that no loss rises.

    Along any direction the third derivative of log-sum-exp is at most β times the second, β the range of the logits'
    change over the whole step; then ``ln(1+β)/β`` of it is safe (Sun & Tran-Dinh 2019, generalised self-concordance,
    ν = 2). Near the minimiser β → 0 and the step is Newton's own. Far from it the safe share is timid: it is doubled
    while the loss still falls at its end.
    """
    change = step @ problem.rows.T  # (k, K) of the logits
    beta = np.maximum(change.max(axis=1) - change.min(axis=1), 1e-300)
    share, far = np.log1p(beta) / beta, beta > 1
    logits = points @ problem.rows.T + problem.bias if far.any() else change
    while far.any():
        further = 2 * share[:, None]
        _, slope = _probabilities(logits + further * change, classes, problem.smoothing)
        pull = problem.stiffness * ((points + further * step) * step).sum(axis=1)
        far &= (slope * change).sum(axis=1) + pull < 0
        share[far] *= 2
    return share[:, None]


def _probabilities(logits: np.ndarray, classes: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    """Softmax p (k, K) of the logits and p − t; the own class's p − 1 is summed from the others, without cancelling."""
    own = np.arange(len(logits)), classes
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    own_weight = weights[own]
    weights[own] = 0.0
    others = weights.sum(axis=1)
    probabilities = weights / (others + own_weight)[:, None]
    slope = probabilities.copy()
    probabilities[own] = own_weight / (others + own_weight)
    slope[own] = -others / (others + own_weight)
    if smoothing:
        slope -= smoothing / logits.shape[1]
        slope[own] += smoothing
    return probabilities, slope


def _own_probability(points: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """p_y at each class's own point: (K,)."""
    return _probabilities(points @ weight.T + bias, np.arange(len(points)), 0.0)[0].diagonal()


def _across(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The part of each vector orthogonal to its point; NaN at the origin, where no direction is across."""
    squares = (points * points).sum(axis=1, keepdims=True)
    along = (vectors * points).sum(axis=1, keepdims=True) / np.where(squares > 0, squares, np.nan)
    return vectors - along * points


def _checked(name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array in float64, or `ValueError` when its shape differs or a value is not finite."""
    array = np.asarray(array, np.float64)
    if array.shape != shape:
        raise ValueError(f"expected {name} of shape {shape}, got {array.shape}; it must match the head")
    if not np.isfinite(array).all():
        raise ValueError(f"expected finite {name}, got NaN or infinity; stop the run where it diverged")
    return array


def _checked_head(weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shape = np.shape(weight)
    if len(shape) != 2 or shape[0] < 2 or shape[1] < 1:
        raise ValueError(f"expected weight (K, d) with K >= 2 and d >= 1, got {shape}; pass one row per class")
    return _checked("weight", weight, shape), _checked("bias", bias, shape[:1])


def _checked_gamma(gamma: float, allow_zero: bool = False) -> float:
    gamma = float(gamma)
    if not math.isfinite(gamma) or gamma < 0 or (gamma == 0 and not allow_zero):
        bound = "0 or above" if allow_zero else "above 0 (without the penalty there is no collapse point)"
        raise ValueError(f"expected a finite gamma {bound}, got {gamma}; divide the authors' convention by d")
    return gamma


def _checked_smoothing(label_smoothing: float) -> float:
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"expected label_smoothing from 0 to below 1, got {label_smoothing}; 0 switches it off")
    return float(label_smoothing)
