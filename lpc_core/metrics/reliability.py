"""Reliability: can wrong predictions, or inputs of another kind, be told from the latents or the logits? As AUROC.

Scores are functions of arrays, higher where a prediction is less to be trusted. None of them rounds to ties where a
collapsed network is very sure, so their order is that of the real numbers, not that of float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.special import logsumexp
from torch import Tensor

from lpc_core.metrics.arithmetic.neighbours import TREE_NODES, kth_distances
from lpc_core.metrics.measuring.base import PAPER, Metric, Reading
from lpc_core.models.any import Array

BLOCK = 4_096  # training latents whose distances are taken at once
ALPHA = 1e-3  # of the norm in NCI; the publication chooses it per data set
KEPT = 0.9  # share of the training latents' variance in the directions that NECO keeps
SHRINK = 1e-6  # of a class's own mean variance, added to every direction of its covariance
_WRONG = "0.5: no better than a coin at telling wrong predictions from right ones; 1: every wrong one is told."
_OOD = "0.5: no better than a coin at telling inputs of another kind from the test set; 1: every one is told."
_SCORES = (  # name, what it is, formula of the score, source
    ("mahalanobis", "Mahalanobis", "√((z − μ_ŷ)ᵀ Σ_ŷ⁻¹ (z − μ_ŷ)), z standardised on the training set",
     PAPER + ", after Lee et al. 2018"),
    ("odin", "ODIN", "−max softmax(f / T), T = 100", PAPER + ", after Liang, Li & Srikant 2018"),
    ("softmax", "max softmax", "−max softmax(f)", "Hendrycks & Gimpel 2017"),
    ("knn", "k-NN distance", "distance to the k-th nearest training latent", "Sun et al. 2022"),
    ("neco", "NECO", "−‖P z‖ / ‖z‖, P the first principal directions of the training latents",
     "Ammar et al. 2024, arXiv 2310.06823"),
    ("nci", "NCI", "−(w_ŷ · (z − μ) / ‖z − μ‖ + α ‖z‖₁)", "Liu & Qin 2023, arXiv 2311.01479"),
)
METRICS = tuple(
    Metric(f"{prefix}_{name}", f"{title}, {what}", f"AUROC of {formula}", words, source, "linear")
    for prefix, title, words in (("auroc", "Errors told", _WRONG), ("ood_auroc", "Strangers told", _OOD))
    for name, what, formula, source in _SCORES)


def auroc(low: np.ndarray, high: np.ndarray) -> Reading:
    """Probability that a value of ``high`` (m,) is above one of ``low`` (n,), ties counting half (Mann–Whitney).

    Equal to scikit-learn's ``roc_auc_score``. NaN with a reason when one of the two is empty.
    """
    low, high = np.asarray(low, np.float64).ravel(), np.asarray(high, np.float64).ravel()
    if np.isnan(low).any() or np.isnan(high).any():
        raise ValueError(f"expected scores without NaN, got {int(np.isnan(low).sum() + np.isnan(high).sum())} of them; "
                         "leave those samples out")
    if not low.size or not high.size:
        return Reading(math.nan, reason=f"there are {low.size} and {high.size} scores; both sides need one")
    from scipy.stats import rankdata  # half a second to import, which every worker and command would pay

    ranks = rankdata(np.concatenate([low, high]))
    return Reading(float((ranks[low.size:].sum() - high.size * (high.size + 1) / 2) / (low.size * high.size)))


@dataclass(frozen=True, eq=False)
class ClassGaussians:
    """One Gaussian per class on standardised latents."""

    centre: np.ndarray  # (d,) of the training latents
    scale: np.ndarray  # (d,) their standard deviation; 1 for a node that never changes
    classes: np.ndarray  # (C,) the labels that occur
    means: np.ndarray  # (C, d) standardised
    whitening: np.ndarray  # (C, d, d): ‖(z − μ_c) A_c‖ is the Mahalanobis distance


def class_gaussians(latents: np.ndarray, labels: np.ndarray) -> ClassGaussians:
    """Fit them to training ``latents`` (n, d) with true ``labels`` (n,).

    Every covariance gets `SHRINK` times its own mean variance in each direction, so it can be inverted however far the
    class has collapsed, and distances stay comparable between nodes of any scale. (The authors' code adds 1e-6 to all
    alike: after collapse, variances being near 1e-12, that is plain Euclidean distance.) A class of one sample, or of
    equal ones, gets the pooled variance, and where that is 0 too, the rounding of the latents.
    """
    latents, labels = _latents(latents), _array(labels)
    if labels.shape != latents.shape[:1] or not len(labels):
        raise ValueError(f"expected latents (n, d) and labels (n,) of at least one sample, got {latents.shape} and "
                         f"{labels.shape}; pass one label per latent")
    centre, scale = _units(latents)
    z = (latents - centre) / scale
    classes, index = np.unique(labels, return_inverse=True)
    means = np.stack([z[index == c].mean(axis=0) for c in range(len(classes))])
    deviations = z - means[index]
    pooled = max(float((deviations ** 2).mean()), (np.finfo(np.float32).eps * np.abs(z).max(initial=1.0)) ** 2)
    whitening = np.stack([_whitening(deviations[index == c], pooled) for c in range(len(classes))])
    return ClassGaussians(centre, scale, classes, means, whitening)


def _units(latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (d,) of ``latents`` (n, d); 1 for a node that never changes."""
    scale = latents.std(axis=0)
    return latents.mean(axis=0), np.where(scale > 0, scale, 1.0)


def _whitening(deviations: np.ndarray, pooled: float) -> np.ndarray:
    """A (d, d) with A Aᵀ = (Σ + shrinkage)⁻¹, Σ the covariance of ``deviations`` (n, d)."""
    width = deviations.shape[1]
    covariance = deviations.T @ deviations / len(deviations)
    size = np.trace(covariance) / width
    covariance = covariance if size > 0 else pooled * np.eye(width)
    size = size or pooled
    values, vectors = np.linalg.eigh(covariance / size)
    return vectors / np.sqrt(size * (values.clip(0) + SHRINK))


def mahalanobis(gaussians: ClassGaussians, latents: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Distance (m,) of ``latents`` (m, d) to the Gaussian of the class each is predicted as, ``predictions`` (m,)."""
    latents, predictions = _latents(latents, gaussians.means.shape[1]), _array(predictions)
    place = np.searchsorted(gaussians.classes, predictions).clip(max=len(gaussians.classes) - 1)
    unknown = np.unique(predictions[gaussians.classes[place] != predictions])
    if unknown.size:
        raise ValueError(f"expected a training latent of every predicted class, got none of {unknown.tolist()}; fit "
                         "the Gaussians on all classes")
    deviations = (latents - gaussians.centre) / gaussians.scale - gaussians.means[place]
    distances = np.empty(len(latents))
    for c in np.unique(place):
        distances[place == c] = np.linalg.norm(deviations[place == c] @ gaussians.whitening[c], axis=1)
    return distances


def softmax_doubt(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """log((1 − p)/p) (m,), p the largest softmax of ``logits`` (m, K) / ``temperature``.

    It orders samples as −max softmax does, without the ties of a p that has rounded to 1. At T = 100 it is ODIN's
    score (Liang 2018); at large T that orders by largest less mean logit. (The authors' code divides the
    *probabilities* by T, which nearly leaves the order of the plain softmax.)
    """
    logits = _array(logits, np.float64)
    if logits.ndim != 2 or logits.shape[1] < 2 or not np.isfinite(logits).all() or not temperature > 0:
        raise ValueError(f"expected finite logits (m, K) with K ≥ 2 and a temperature above 0, got {logits.shape} and "
                         f"{temperature}; pass what goes into the softmax")
    ordered = np.sort(logits / temperature, axis=1)
    doubt: np.ndarray = logsumexp(ordered[:, :-1], axis=1) - ordered[:, -1]
    return doubt


def knn_distance(train_latents: np.ndarray, latents: np.ndarray, k: int = 20) -> np.ndarray:
    """Distance (m,) from each of ``latents`` (m, d) to its ``k``-th nearest of ``train_latents`` (n, d)."""
    train_latents = _latents(train_latents)
    latents = _latents(latents, train_latents.shape[1])
    if not 1 <= k <= len(train_latents):
        raise ValueError(f"expected k from 1 to {len(train_latents)}, the training latents there are, got {k}; choose "
                         "one of these, or pass more")
    centre = train_latents.mean(axis=0)
    stored, asked = train_latents - centre, latents - centre

    def by_tree(points: np.ndarray) -> np.ndarray:
        distances: np.ndarray = cKDTree(stored).query(points, k=[k])[0]  # (m, 1)
        return distances[:, 0]

    if stored.shape[1] <= TREE_NODES:
        return by_tree(asked)
    return kth_distances(asked, lambda: np.split(stored, range(BLOCK, len(stored), BLOCK)), k, by_tree)


def neco_doubt(train_latents: np.ndarray, latents: np.ndarray) -> np.ndarray:
    """NECO (Ammar et al. 2024), −‖P z‖/‖z‖ (m,): higher where a latent of ``latents`` (m, d) is stranger to
    ``train_latents`` (n, d).

    z is standardised on the training latents; P are their first principal directions, as many as hold `KEPT` of the
    variance, but fewer than d (with all of them every score is 1). A latent at the centre scores 0, as a stranger. The
    published score may be multiplied by the largest logit, which is left out. One node has no share: 0.
    """
    train, given = np.asarray(train_latents, np.float64), np.asarray(latents, np.float64)
    centre, scale = _units(train)
    z, x = (train - centre) / scale, (given - centre) / scale
    values, vectors = np.linalg.eigh(z.T @ z)
    shares = np.cumsum(values[::-1].clip(0)) / max(values.clip(0).sum(), np.finfo(float).tiny)
    wanted = min(int((shares < KEPT).sum()) + 1, z.shape[1] - 1)
    sizes = np.linalg.norm(x, axis=1)
    inside = np.linalg.norm(x @ vectors[:, ::-1][:, :wanted], axis=1)
    share: np.ndarray = np.divide(inside, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    return -share


def nci_doubt(train_latents: np.ndarray, latents: np.ndarray, predictions: np.ndarray,
              weight: np.ndarray) -> np.ndarray:
    """NCI (Liu & Qin 2023), −(w_ŷ · (z − μ)/‖z − μ‖ + α·‖z‖₁) (m,): higher where a latent is less to be trusted.

    μ is the mean of ``train_latents`` (n, d); ``latents`` (m, d) with ``predictions`` (m,), rows of ``weight`` (K, d).
    A latent at μ has no direction and scores by its norm alone.
    """
    given, centre = np.asarray(latents, np.float64), np.asarray(train_latents, np.float64).mean(axis=0)
    away = given - centre
    sizes = np.linalg.norm(away, axis=1)
    along = np.einsum("md,md->m", np.asarray(weight, np.float64)[predictions], away)
    cosine = np.divide(along, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    doubt: np.ndarray = -(cosine + ALPHA * np.abs(given).sum(axis=1))
    return doubt


def reliability(train_latents: Array, train_labels: Array, latents: Array, logits: Array, labels: Array, *,
                ood_latents: Array | None = None, ood_logits: Array | None = None, temperature: float = 100.0,
                k: int = 20, weight: Array | None = None) -> dict[str, Reading]:
    """Every AUROC by name (`METRICS` explains each), of NumPy arrays or tensors. Labels are rows of the logits, 0…K−1.

    ``train_latents`` (n, d) with true ``train_labels`` (n,) fit the scores; test ``latents`` (m, d), ``logits`` (m, K)
    and true ``labels`` (m,) are scored. ``auroc_…`` tell wrong predictions from right ones; ``ood_auroc_…`` tell
    ``ood_latents`` (o, d) with ``ood_logits`` (o, K), inputs of another kind, from the test set. NCI needs the head's
    ``weight`` (K, d). What cannot be known, because no prediction is wrong or no strangers or weights were given, is
    NaN with the reason.
    """
    train_latents, latents = _latents(train_latents), _latents(latents)
    logits, labels, train_labels = _array(logits, np.float64), _array(labels), _array(train_labels)
    if logits.ndim != 2 or len(logits) != len(latents) or labels.shape != (len(latents),):
        raise ValueError(f"expected one row of logits and one label per latent, got {logits.shape} and "
                         f"{labels.shape} for {len(latents)}; pass the same samples in each")
    for what, given in (("labels", labels), ("train_labels", train_labels)):
        _refuse_labels(what, given, logits.shape[1])
    gaussians = class_gaussians(train_latents, train_labels)

    head = None if weight is None else _array(weight, np.float64)
    if head is not None and head.shape != (logits.shape[1], latents.shape[1]):
        raise ValueError(f"expected weight ({logits.shape[1]}, {latents.shape[1]}), a row per logit, got {head.shape}; "
                         "pass the head that reads these latents")

    def scores(z: np.ndarray, f: np.ndarray) -> dict[str, np.ndarray]:
        guessed = np.argmax(f, axis=1)
        return {"mahalanobis": mahalanobis(gaussians, z, guessed), "odin": softmax_doubt(f, temperature),
                "softmax": softmax_doubt(f), "knn": knn_distance(train_latents, z, k),
                "neco": neco_doubt(train_latents, z),
                **({} if head is None else {"nci": nci_doubt(train_latents, z, guessed, head)})}

    own, wrong = scores(latents, logits), np.argmax(logits, axis=1) != labels
    found = {f"auroc_{name}": _errors(score, wrong) for name, score in own.items()}
    if ood_latents is None or ood_logits is None:
        return _all(found, "no inputs of another kind were given")
    ood_latents, ood_logits = _latents(ood_latents), _array(ood_logits, np.float64)
    if len(ood_logits) != len(ood_latents) or ood_logits.shape[1:] != logits.shape[1:]:
        raise ValueError(f"expected ood_logits ({len(ood_latents)}, {logits.shape[1]}), a row per ood latent, got "
                         f"{ood_logits.shape}; pass the same samples in both")
    strange = scores(ood_latents, ood_logits)
    return _all(found | {f"ood_auroc_{name}": auroc(own[name], strange[name]) for name in own}, "")


def _all(found: dict[str, Reading], missing: str) -> dict[str, Reading]:
    """Every name in its order; those not found are NaN for want of strangers (``missing``) or of weights."""
    def why(name: str) -> str:
        return missing if missing and name.startswith("ood") else "needs the head's weight"

    return {name: found.get(name) or Reading(math.nan, reason=why(name)) for name in (m.name for m in METRICS)}


def _errors(score: np.ndarray, wrong: np.ndarray) -> Reading:
    if wrong.all() or not wrong.any():
        words = "wrong" if wrong.size and wrong.all() else "right"
        return Reading(math.nan, reason=f"all {wrong.size} predictions are {words}; there is nothing to tell apart")
    return auroc(score[~wrong], score[wrong])


def _refuse_labels(what: str, labels: np.ndarray, classes: int) -> None:
    """`ValueError` unless these are whole numbers 0…K−1."""
    if labels.dtype.kind not in "iub":
        raise ValueError(f"expected {what} as whole numbers 0…{classes - 1}, rows of the logits, got dtype "
                         f"{labels.dtype}; number the classes")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(f"expected {what} from 0 to {classes - 1} for {classes} logits, got {labels.min()} to "
                         f"{labels.max()}; number the classes as the logits do")


def _array(values: Array, dtype: type | None = None) -> np.ndarray:
    if isinstance(values, Tensor):
        wide = values.dtype if values.dtype != torch.bfloat16 else torch.float32
        values = values.detach().to("cpu", wide).numpy()
    return np.asarray(values, dtype)


def _latents(latents: Array, width: int | None = None) -> np.ndarray:
    latents = _array(latents, np.float64)
    if width is not None and latents.ndim == 2 and latents.shape[1] != width:
        raise ValueError(f"expected latents (n, {width}), as wide as those of the training set, got {latents.shape}; "
                         "pass latents of one layer")
    if latents.ndim != 2 or not np.isfinite(latents).all():
        raise ValueError(f"expected finite latents (n, d), got {latents.shape}"
                         f"{' with NaN or infinity' if latents.ndim == 2 else ''}; pass one row per sample")
    return latents
