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
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

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
    shape = weight.shape
    start = np.zeros(shape) if start is None else _checked("start", start, shape)
    weight, bias = weight.reshape(-1, *shape[-2:]), bias.reshape(-1, shape[-2])
    gammas, points = np.full(len(weight), gamma), np.empty_like(weight)
    start = start.reshape(weight.shape)
    for part in blocks(weight.shape):
        points[part], missed = balance(weight[part], bias[part], gammas[part], start[part], smoothing)
        if missed and not unsolved_as_nan:
            raise RuntimeError(missed)
    return points.reshape(shape)


def blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Runs of heads of ``shape`` (G, K, d) that are solved at once."""
    heads, classes, d = shape
    size = max(1, BLOCK // (classes * classes * min(d, classes - 1)))
    return (slice(at, at + size) for at in range(0, heads, size))


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
    return forces_of(means, weight, bias, gamma, labels=labels, smoothing=_checked_smoothing(label_smoothing))


def forces_of(means: np.ndarray, weight: np.ndarray, bias: np.ndarray, gamma: float | np.ndarray, *,
              labels: np.ndarray, smoothing: float) -> np.ndarray:
    """`forces` for arguments that are good."""
    pull = -(_slope(means @ weight.swapaxes(-1, -2) + bias[..., None, :], labels, smoothing) @ weight)
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
        return float(_softmax(points @ weight.T + bias).diagonal().min()) - confidence

    if surplus(low) < 0:
        return math.nan
    if surplus(high) >= 0:
        return math.inf
    from scipy.optimize import brentq  # slow to import, and few ask

    return math.exp(brentq(surplus, low, high, xtol=1e-6))


def balance(weight: np.ndarray, bias: np.ndarray, gamma: np.ndarray, start: np.ndarray,
            smoothing: float = 0.0) -> tuple[np.ndarray, str]:
    """`collapse_points` of G heads (G, K, d), (G, K) for arguments that are good, and why some were missed.

    NaN where none was found and where γ (G,) is 0. ``start`` (G, K, d) may be NaN where nothing is known.

    Softmax ignores what all rows share. The minimiser is ``Wᵀ(t − p)/(2γ)`` with Σ(t − p) = 0: it lies in the span of
    the K − 1 row differences, which makes wide latents (d ≥ K) no harder than narrow ones.
    """
    some = gamma > 0
    if not some.all():
        points, missed = np.full(weight.shape, np.nan), ""
        if some.any():
            points[some], missed = balance(weight[some], bias[some], gamma[some], start[some], smoothing)
        return points, missed
    basis = None
    if weight.shape[1] <= weight.shape[2]:
        rows = weight - weight[:, -1:]
        basis = np.linalg.qr(rows[:, :-1].swapaxes(1, 2))[0]  # (G, d, K−1)
        weight, start = rows @ basis, start @ basis
    problem = _problem(weight, bias, gamma, smoothing)
    points, missed = _newton(problem, _first_guess(problem, start.reshape(-1, weight.shape[2])))
    points = points.reshape(weight.shape)
    return points if basis is None else points @ basis.swapaxes(1, 2), missed


@dataclass(frozen=True, eq=False)
class _Problem:
    """m minimisations, one per class and head, in the r ≤ d directions that the head can see.

    Everything is seen from the own class y: with logits less its own, and rows less its own, its terms are exactly 0,
    so that 1 − p_y is never a difference of almost equal numbers. The last two columns of ``table`` let two products
    give everything: times (z, 1, 0) the logits, and p times it the sums over the other classes.

    What belongs to a head has a first dimension of m, or of 1 where all share one head.
    """

    table: np.ndarray  # (m, K, r + 2): W_i − W_y; b_i − b_y; ‖W_i − W̄‖ + ‖W_y − W̄‖, 0 for i = y
    lengths: np.ndarray  # (m | 1, K) ‖W_i − W̄‖
    widest: np.ndarray  # (m | 1,) the largest of them
    largest_bias: np.ndarray  # (m | 1,) max |b|
    stiffness: np.ndarray  # (m | 1, 1) 2γ
    smoothing: float
    targets: np.ndarray  # (m, K) what p is compared with under label smoothing; (m, 0) without
    shift: np.ndarray  # (m, r) Σ_i t_i (W_i − W_y); (m, 0) without
    reach: float  # the largest of all ‖W_i − W̄‖

    def some(self, chosen: np.ndarray) -> _Problem:
        """Those of the minimisations that are ``chosen`` (m,) bool."""
        lengths, widest, biases, stiffness = (a if len(a) == 1 else a[chosen] for a in (
            self.lengths, self.widest, self.largest_bias, self.stiffness))
        return _Problem(self.table[chosen], lengths, widest, biases, stiffness, self.smoothing,
                        self.targets[chosen], self.shift[chosen], self.reach)


def _problem(rows: np.ndarray, bias: np.ndarray, gamma: np.ndarray, smoothing: float) -> _Problem:
    """The G·K minimisations of heads with ``rows`` (G, K, r) and ``bias`` (G, K)."""
    heads, classes, r = rows.shape
    away = rows - rows.sum(axis=1, keepdims=True) / classes
    lengths = np.sqrt(np.einsum("gkr,gkr->gk", away, away))
    table = np.empty((heads, classes, classes, r + 2))
    np.subtract(rows[:, None], rows[:, :, None], out=table[..., :r])
    np.subtract(bias[:, None], bias[:, :, None], out=table[..., r])
    np.add(lengths[:, None], lengths[:, :, None], out=table[..., r + 1])
    np.einsum("gkk->gk", table[..., r + 1])[:] = 0  # a view of the diagonal
    own = [lengths, lengths.max(axis=1), np.abs(bias).max(axis=1), 2 * gamma[:, None]]
    if heads > 1:
        own = [np.repeat(a, classes, axis=0) for a in own]
    lengths, widest, biases, stiffness = own
    targets, shift = np.empty((heads * classes, 0)), np.empty((heads * classes, 0))
    if smoothing:
        targets = np.tile((1 - smoothing) * np.eye(classes) + smoothing / classes, (heads, 1))
        shift = (smoothing / classes * table[..., :r].sum(axis=2)).reshape(-1, r)
    return _Problem(table.reshape(-1, classes, r + 2), lengths, widest, biases, stiffness, smoothing, targets, shift,
                    float(lengths.max()))


def _first_guess(problem: _Problem, start: np.ndarray) -> np.ndarray:
    """``start`` (m, r), but the origin where that is better whatever the cross-entropy at ``start``: (m, r)."""
    penalty = problem.stiffness[:, 0] / 2 * np.einsum("mr,mr->m", start, start)
    better = penalty < math.log(problem.table.shape[1]) + 2 * problem.largest_bias  # at the origin at most; not for NaN
    return start if better.all() else np.where(better[:, None], start, 0)


def _newton(problem: _Problem, start: np.ndarray) -> tuple[np.ndarray, str]:
    """Damped Newton for all (m, r) at once, and what was missed; each stops when its own gradient is small enough.

    A gradient that rounding alone may explain is small enough once a step no longer halves it. What is solved stays
    where it is, and is put aside once it is half of all. Where the last Hessian is as good as the next, it is kept.
    """
    points, todo, here = start.copy(), np.arange(len(start)), np.empty((len(start), start.shape[1] + 2))
    here[:, :-2], here[:, -2:] = start, (1, 0)  # as `_Problem.table` is multiplied with it
    before = inverse = None
    for _ in range(MAX_STEPS):
        probabilities, gradient, norms, size = _gradient(problem, here)
        tolerance = TOLERANCE * np.minimum(size, 1)
        solved = norms <= tolerance
        if before is not None and not solved.all():
            solved |= _at_rounding(problem, here, norms, size, before)
        if done := np.count_nonzero(solved):
            points[todo] = here[:, :-2]
            if done == len(todo):
                return points, ""
            if 2 * done >= len(todo):
                left = ~solved
                todo, here, problem, inverse = todo[left], here[left], problem.some(left), None
                probabilities, gradient, norms, tolerance, solved = (
                    a[left] for a in (probabilities, gradient, norms, tolerance, solved))
        if inverse is None or before is None or (norms * norms > before * tolerance).any():
            inverse = _inverse_hessian(problem, probabilities)
        step = _damped(problem, here, (inverse @ gradient[:, :, None])[:, :, 0])
        here[:, :-2] -= step * ~solved[:, None] if done else step
        before = norms
    points[todo] = np.where(solved[:, None], points[todo], np.nan)
    return points, (f"expected a gradient norm of at most {tolerance.min():.1e}, got {norms.max():.1e} after "
                    f"{MAX_STEPS} Newton steps for {np.count_nonzero(~solved)} classes; use a larger gamma or a "
                    "smaller head")


def _at_rounding(problem: _Problem, here: np.ndarray, norms: np.ndarray, size: np.ndarray,
                 before: np.ndarray) -> np.ndarray:
    """Whether rounding may explain the gradients that the last step did not halve: (m,) bool."""
    stuck: np.ndarray = norms > before / 2
    if stuck.any():
        points = here[:, :-2]
        reach = 1 + problem.largest_bias + problem.widest * np.sqrt(np.einsum("mr,mr->m", points, points))
        rounding = 64 * _EPS * reach * (size + problem.smoothing * problem.widest)
        stuck &= norms <= TOLERANCE * np.minimum(size, 1) + rounding
    return stuck


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (…, K), in the memory of the logits."""
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=-1, keepdims=True)
    return logits


def _gradient(problem: _Problem, here: np.ndarray) -> tuple[np.ndarray, ...]:
    """Probabilities (m, K), gradient (m, r), its norm, and the size of the forces that cancel in it (m,)."""
    probabilities = _softmax((problem.table @ here[:, :, None])[:, :, 0])
    sums = (probabilities[:, None] @ problem.table)[:, 0]  # (m, r + 2)
    slope, size = sums[:, :-2], sums[:, -1]
    if problem.smoothing:
        slope, size = slope - problem.shift, (np.abs(probabilities - problem.targets) * problem.lengths).sum(axis=1)
    gradient = slope + problem.stiffness * here[:, :-2]
    return probabilities, gradient, np.sqrt(np.einsum("mr,mr->m", gradient, gradient)), size


def _inverse_hessian(problem: _Problem, probabilities: np.ndarray) -> np.ndarray:
    """H⁻¹ of each: (m, r, r)."""
    rows = problem.table[:, :, :-2]
    centred = rows - probabilities[:, None] @ rows  # (m, K, r) rows minus their mean under p
    hessian = (probabilities[:, :, None] * centred).swapaxes(1, 2) @ centred  # Σ_i p_i c_i c_iᵀ ≥ 0, also in rounding
    diagonal = hessian.reshape(len(hessian), -1)[:, :: hessian.shape[1] + 1]  # a view
    floor = _EPS * diagonal.sum(axis=1, keepdims=True)  # keeps it invertible in float64; only ever shortens the step
    diagonal += problem.stiffness + floor
    inverse: np.ndarray = np.linalg.inv(hessian)
    return inverse


def _damped(problem: _Problem, here: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The part of each Newton step (m, r) to subtract so that no loss rises.

    Along any direction the third derivative of log-sum-exp is at most β times the second, β the range of the logits'
    change over the whole step. So the whole step lowers the loss by at least 1 − (e^β − β − 1)/β² of the square of its
    length (Newton decrement), which is 0.28 at β = 1; beyond, ``ln(1+β)/β`` of it is safe (Sun & Tran-Dinh 2019,
    generalised self-concordance, ν = 2). Far from the minimiser that share is timid: it is doubled while the loss
    still falls at its end.
    """
    if 2 * problem.reach * math.sqrt(np.einsum("mr,mr->m", step, step).max(initial=0)) <= 1:
        return step  # β is at most that
    rows = problem.table[:, :, :-2]
    change = (rows @ step[:, :, None])[:, :, 0]  # (m, K) of the logits
    beta = change.max(axis=1) - change.min(axis=1)
    far = beta > 1
    share = np.where(far, np.log1p(beta) / np.where(far, beta, 1), 1)
    while far.any():
        further = here.copy()
        further[:, :-2] -= 2 * share[:, None] * step
        far &= (_gradient(problem, further)[1] * step).sum(axis=1) > 0
        share[far] *= 2
    safe: np.ndarray = share[:, None] * step
    return safe


def _slope(logits: np.ndarray, labels: np.ndarray, smoothing: float) -> np.ndarray:
    """Softmax p of the logits less t: (…, n, K); its own class's p − 1 is summed from the others: no cancelling."""
    slope, own = _softmax(logits), (..., np.arange(len(labels)), labels)
    slope[own] = 0.0
    slope[own] = -slope.sum(axis=-1)
    if smoothing:
        slope -= smoothing / logits.shape[-1]
        slope[own] += smoothing
    return slope


def _across(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The part of each vector orthogonal to its point; NaN at the origin, where no direction is across."""
    squares = (points * points).sum(axis=-1, keepdims=True)
    along = (vectors * points).sum(axis=-1, keepdims=True) / np.where(squares > 0, squares, np.nan)
    across: np.ndarray = vectors - along * points
    return across


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
