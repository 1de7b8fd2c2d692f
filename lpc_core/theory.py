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
BLOCK = 1 << 18  # numbers in one array of a Newton step: many heads are solved in blocks of about this size
_EPS = float(np.finfo(np.float64).eps)


def collapse_points(weight: np.ndarray, bias: np.ndarray, gamma: float | np.ndarray, start: np.ndarray | None = None,
                    *, label_smoothing: float = 0.0, unsolved_as_nan: bool = False) -> np.ndarray:
    """Row y is the one latent that minimises ``CE(Wz + b, y) + γ‖z‖²``: (K, d) float64.

    ``weight`` (K, d) and ``bias`` (K,) are the head, ``gamma`` > 0 is the factor of ‖z‖², ``start`` (K, d) is an
    earlier answer to begin from, and ``label_smoothing`` s makes the target ``(1−s)·onehot + s/K``, as in PyTorch.
    G heads are solved at once, each as if alone, from ``weight`` (G, K, d), ``bias`` (G, K), ``gamma`` (G,) or one for
    all, and ``start`` (G, K, d): (G, K, d).

    Guaranteed on return, class by class, with p the softmax, t the target and W̄ the mean row: the gradient's norm is
    at most ``1e-10 · min(1, S) + ρ · (S + s·w)``. Here ``S = Σ_i |p_i − t_i| ‖W_i − W̄‖`` is the cross-entropy force
    before its parts cancel, w the largest ‖W_i − W̄‖, and ``ρ = 64ε(1 + max |b| + w‖z‖)`` the rounding of the logits,
    about 1e-13. So the gradient is within 1e-10, less where the forces themselves are small (weak γ), and more only
    where float64 leaves no choice (forces above 1e3). The distance to the exact minimiser is at most its norm over 2γ.

    Raises `ValueError` for bad arguments and `RuntimeError` when the bound is missed after ``MAX_STEPS`` steps; with
    ``unsolved_as_nan`` the rows that miss it are NaN instead.
    """
    weight, bias = _checked_head(weight, bias)
    gamma, smoothing = _checked_gamma(gamma), _checked_smoothing(label_smoothing)
    if np.ndim(gamma) and np.shape(gamma) != weight.shape[:-2]:
        raise ValueError(f"expected one gamma, or one per head, got {np.shape(gamma)} for weight {weight.shape}")
    if start is not None:
        start = _checked("start", start, weight.shape).reshape(-1, *weight.shape[-2:])
    heads, biases = weight.reshape(-1, *weight.shape[-2:]), bias.reshape(-1, weight.shape[-2])
    gammas, points, (count, classes, d) = np.full(len(heads), gamma), np.empty_like(heads), heads.shape
    size = max(1, BLOCK // (classes * classes * min(d, classes - 1)))
    for part in (slice(at, at + size) for at in range(0, count, size)):
        points[part] = _solve(heads[part], biases[part], gammas[part], None if start is None else start[part],
                              smoothing, unsolved_as_nan)
    return points.reshape(weight.shape)


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


def forces(means: np.ndarray, weight: np.ndarray, bias: np.ndarray, gamma: float | np.ndarray,
           labels: np.ndarray | None = None, *, label_smoothing: float = 0.0) -> np.ndarray:
    """The negative gradients of the loss at n latents: (3, n, d) float64; (3, G, n, d) with G heads and γ.

    Index 0 is the cross-entropy force ``Σ_i (t_i − p_i) W_i`` (without smoothing ``W_y − Σ_i p_i W_i``), 1 the penalty
    force ``−2γz``, and 2 the part of their sum across the radius, which turns the latent without changing its norm.
    Row c of ``means`` (n, d) or (G, n, d) belongs to class ``labels[c]``, by default to class c. γ = 0 is allowed.
    Rows of NaN (absent classes) stay NaN; at z = 0 there is no radius, and the third part is NaN.
    """
    weight, bias = _checked_head(weight, bias)
    means, gamma = np.asarray(means, np.float64), _checked_gamma(gamma, allow_zero=True)
    n, (classes, d) = means.shape[-2] if means.ndim > 1 else 0, weight.shape[-2:]
    labels = np.arange(n) if labels is None else np.asarray(labels)
    if means.shape != (*weight.shape[:-2], n, d) or labels.shape != (n,):
        raise ValueError(f"expected means (n, {d}) with one label per row, got {means.shape} and "
                         f"{labels.shape}; without labels, pass one mean per class")
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"expected labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}; "
                         "pass one head row per class")
    logits = (means @ weight.swapaxes(-1, -2) + bias[..., None, :]).reshape(-1, classes)
    slope = _probabilities(logits, np.tile(labels, len(logits) // max(n, 1)), _checked_smoothing(label_smoothing))[1]
    pull = -(slope.reshape(*means.shape[:-1], classes) @ weight)
    penalty = -2.0 * np.reshape(gamma, (-1, 1, 1) if np.ndim(gamma) else ()) * means
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
    """m minimisations, one per class and head, in units where the largest centred row of W is 1.

    They live in the r ≤ d directions W can see. What belongs to a head has a first dimension of m, or of 1 where all
    share one head.
    """

    rows: np.ndarray  # (m | 1, K, r) centred and scaled head
    lengths: np.ndarray  # (m | 1, K) their norms
    bias: np.ndarray  # (m | 1, K)
    largest_bias: np.ndarray  # (m | 1,) max |b|
    tolerance: np.ndarray  # (m | 1,) `TOLERANCE` over what the rows were divided by and the latents multiplied with
    stiffness: np.ndarray  # (m | 1, 1) 2γ in these units
    classes: np.ndarray  # (m,)
    smoothing: float

    def some(self, chosen: np.ndarray) -> _Problem:
        """Those of the minimisations that are ``chosen`` (m,) bool."""
        own = (self.rows, self.lengths, self.bias, self.largest_bias, self.tolerance, self.stiffness)
        return _Problem(*(a if len(a) == 1 else a[chosen] for a in own), self.classes[chosen], self.smoothing)

    def products(self, points: np.ndarray) -> np.ndarray:
        """Each point (m, r) times the rows of its head: (m, K)."""
        return points @ self.rows[0].T if len(self.rows) == 1 else (self.rows @ points[:, :, None])[:, :, 0]

    def sums(self, weights: np.ndarray) -> np.ndarray:
        """The rows of each head weighed by ``weights`` (m, K): (m, r)."""
        return weights @ self.rows[0] if len(self.rows) == 1 else (weights[:, None] @ self.rows)[:, 0]


def _solve(weight: np.ndarray, bias: np.ndarray, gamma: np.ndarray, start: np.ndarray | None,  # noqa: PLR0917
           smoothing: float, unsolved_as_nan: bool) -> np.ndarray:
    """`collapse_points` of G heads (G, K, d) as one problem.

    Softmax ignores what all rows share, so W may be centred. The minimiser is ``Wᵀ(t − p)/(2γ)`` with Σ(t − p) = 0: it
    lies in the span of the K − 1 row differences, which makes wide latents (d ≥ K) no harder than narrow ones.
    """
    heads, classes, d = weight.shape
    rows = weight - weight.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.einsum("gkd,gkd->gk", rows, rows).max(axis=1))[:, None, None]  # (G, 1, 1)
    scale[scale == 0] = 1  # all rows are equal: nothing but the penalty acts, and the origin is the answer
    rows, basis = rows / scale, None
    if classes <= d:
        basis = np.linalg.qr((rows[:, :-1] - rows[:, -1:]).swapaxes(1, 2))[0]  # (G, d, K−1)
        rows = rows @ basis
    own = (rows, np.sqrt(np.einsum("gkr,gkr->gk", rows, rows)), bias, np.abs(bias).max(axis=1),
           TOLERANCE / scale[:, 0, 0], 2 * gamma[:, None] / scale[:, 0] ** 2)
    problem = _Problem(*(np.repeat(a, classes, axis=0) if heads > 1 else a for a in own),
                       np.arange(heads * classes) % classes, smoothing)
    if start is not None:
        start = ((start if basis is None else start @ basis) * scale).reshape(heads * classes, -1)
    points, missed = _newton(problem, _first_guess(problem, start))
    if missed and not unsolved_as_nan:
        raise RuntimeError(missed)
    points = points.reshape(heads, classes, -1)
    return (points if basis is None else points @ basis.swapaxes(1, 2)) / scale


def _first_guess(problem: _Problem, start: np.ndarray | None) -> np.ndarray:
    """``start`` (m, r), but the origin where that is better whatever the cross-entropy at ``start``: (m, r)."""
    origin = np.zeros((len(problem.classes), problem.rows.shape[2]))
    if start is None:
        return origin
    penalty = problem.stiffness[:, 0] / 2 * np.einsum("mr,mr->m", start, start)
    entropy = math.log(problem.bias.shape[1]) + 2 * problem.largest_bias  # at the origin at most
    return np.where((penalty < entropy)[:, None], start, origin)


def _newton(problem: _Problem, points: np.ndarray) -> tuple[np.ndarray, str]:
    """Damped Newton for all (m, r) at once, and what was missed; each stops when its own gradient is small enough.

    A gradient that rounding alone may explain is small enough once a step no longer halves it.
    """
    todo, here, before = np.arange(len(points)), points, np.full(len(points), np.inf)
    for _ in range(MAX_STEPS):
        probabilities, gradient, norms, tolerance, rounding = _gradient(problem, here)
        open_ = ~((norms <= tolerance) | ((norms <= tolerance + rounding) & (norms > before / 2)))
        left = np.count_nonzero(open_)
        if left < len(todo):
            points[todo] = here
            if not left:
                return points, ""
            todo, here, problem = todo[open_], here[open_], problem.some(open_)
            probabilities, gradient, norms = probabilities[open_], gradient[open_], norms[open_]
        before = norms
        here = here + _damped(problem, here, _newton_step(problem, probabilities, gradient))
    points[todo] = np.nan
    return points, (f"expected a gradient norm of at most {tolerance.min():.1e}, got {norms.max():.1e} after "
                    f"{MAX_STEPS} Newton steps for {len(todo)} classes; use a larger gamma or a smaller head")


def _gradient(problem: _Problem, points: np.ndarray) -> tuple[np.ndarray, ...]:
    """Probabilities (m, K), gradient (m, r), its norm, the norm it may keep, and what rounding may add to it (m,)."""
    probabilities, slope = _probabilities(problem.products(points) + problem.bias, problem.classes, problem.smoothing)
    gradient = problem.sums(slope) + problem.stiffness * points
    norms = np.sqrt(np.einsum("mr,mr->m", gradient, gradient))
    size = (np.abs(slope) * problem.lengths).sum(axis=1)
    tolerance = np.minimum(TOLERANCE * size, problem.tolerance)  # size is S of `collapse_points`, over the scale
    reach = 1 + problem.largest_bias + np.sqrt(np.einsum("mr,mr->m", points, points))
    return probabilities, gradient, norms, tolerance, 64 * _EPS * reach * (size + problem.smoothing)


def _newton_step(problem: _Problem, probabilities: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The undamped Newton step −H⁻¹g of each: (m, r)."""
    centred = problem.rows - problem.sums(probabilities)[:, None]  # (m, K, r) rows minus their mean under p
    hessian = (probabilities[:, :, None] * centred).swapaxes(1, 2) @ centred  # Σ_i p_i c_i c_iᵀ ≥ 0, also in rounding
    diagonal = np.einsum("mii->mi", hessian)  # a view
    floor = _EPS * diagonal.sum(axis=1, keepdims=True)  # keeps it invertible in float64; only ever shortens the step
    diagonal += problem.stiffness + floor
    return np.linalg.solve(hessian, -gradient[:, :, None])[:, :, 0]


def _damped(problem: _Problem, points: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The part of each Newton step (m, r) to take so that no loss rises.

    Along any direction the third derivative of log-sum-exp is at most β times the second, β the range of the logits'
    change over the whole step. So the whole step lowers the loss by at least 1 − (e^β − β − 1)/β² of the square of its
    length (Newton decrement), which is 0.28 at β = 1; beyond, ``ln(1+β)/β`` of it is safe (Sun & Tran-Dinh 2019,
    generalised self-concordance, ν = 2). Far from the minimiser that share is timid: it is doubled while the loss
    still falls at its end.
    """
    change = problem.products(step)  # (m, K) of the logits
    beta = change.max(axis=1) - change.min(axis=1)
    far = beta > 1
    if not far.any():
        return step
    share = np.where(far, np.log1p(beta) / np.where(far, beta, 1), 1)
    logits = problem.products(points) + problem.bias
    while far.any():
        further = 2 * share[:, None]
        _, slope = _probabilities(logits + further * change, problem.classes, problem.smoothing)
        pull = problem.stiffness[:, 0] * ((points + further * step) * step).sum(axis=1)
        far &= (slope * change).sum(axis=1) + pull < 0
        share[far] *= 2
    return share[:, None] * step


def _probabilities(logits: np.ndarray, classes: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    """Softmax p (m, K) of the logits and p − t; the own class's p − 1 is summed from the others, without cancelling."""
    own = np.arange(0, logits.size, logits.shape[1]) + classes  # in the flattened arrays
    slope = np.exp(logits - logits.max(axis=1, keepdims=True))
    own_weight = slope.take(own)
    slope.put(own, 0.0)
    others = slope.sum(axis=1)
    total = others + own_weight
    slope /= total[:, None]
    probabilities = slope.copy()
    probabilities.put(own, own_weight / total)
    slope.put(own, -others / total)
    if smoothing:
        slope -= smoothing / logits.shape[1]
        slope.put(own, slope.take(own) + smoothing)
    return probabilities, slope


def _own_probability(points: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """p_y at each class's own point: (K,)."""
    return _probabilities(points @ weight.T + bias, np.arange(len(points)), 0.0)[0].diagonal()


def _across(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The part of each vector orthogonal to its point; NaN at the origin, where no direction is across."""
    squares = (points * points).sum(axis=-1, keepdims=True)
    along = (vectors * points).sum(axis=-1, keepdims=True) / np.where(squares > 0, squares, np.nan)
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
    if len(shape) not in {2, 3} or shape[-2] < 2 or shape[-1] < 1:
        raise ValueError(f"expected weight (K, d) with K >= 2 and d >= 1, got {shape}; pass one row per class")
    return _checked("weight", weight, shape), _checked("bias", bias, shape[:-1])


def _checked_gamma(gamma: float | np.ndarray, allow_zero: bool = False) -> float | np.ndarray:
    """γ in float64, one or several."""
    array = np.atleast_1d(np.asarray(gamma, np.float64))
    bad = [value for value in array.tolist() if not (0 <= value < math.inf) or (value == 0 and not allow_zero)]
    if bad:
        bound = "0 or above" if allow_zero else "above 0 (without the penalty there is no collapse point)"
        raise ValueError(f"expected a finite gamma {bound}, got {bad[0]}; divide the authors' convention by d")
    return array if np.ndim(gamma) else float(array[0])


def _checked_smoothing(label_smoothing: float) -> float:
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"expected label_smoothing from 0 to below 1, got {label_smoothing}; 0 switches it off")
    return float(label_smoothing)
