"""What the metrics cost: mixtures of all nodes against a loop over scikit-learn, collapse metrics against plain loops.

    python -m benchmarks.metrics [--quick]

N = 50,000 latents of d = 64 nodes in K = 100 classes, float32, one thread. Every peer runs in the same process and in
turns with ours. Times are medians over the turns of the processor's seconds: on an idle machine they are those of the
clock, and on a busy one they stay the same. The loops are those a reader would write: statistics once per class, then
a Python loop over classes and pairs with NumPy inside. Both sides must find the same numbers.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from benchmarks import _attacks
from lpc_core.metrics import measure, mixtures, names

N, D, K = 50_000, 64, 100
PAIRWISE = ("nc1_cdnv", "nc2_equiangular", "nc2_maxangle", "separation_ratio", "nc4_ncc_agreement")
SLOW = ("entropy_kl", "gmm_log_likelihood", "gmm_std", "gmm_peak_distance")


def latents_of(points: np.ndarray, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, K, N)
    return (points[labels] + spread * rng.normal(size=(N, D))).astype(np.float32), labels


def race(entrants: dict[str, Callable[[], Any]], rounds: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Median processor seconds of each entrant over ``rounds`` turns, one after the other, and what each returned."""
    times: dict[str, list[float]] = {name: [] for name in entrants}
    found = {}
    for turn in range(rounds + 1):  # the first turn warms up
        for name, run in entrants.items():
            start = time.process_time()
            found[name] = run()
            if turn:
                times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}, found


# ---- mixtures --------------------------------------------------------------------------------------------------------


def one_by_one(latents: np.ndarray) -> np.ndarray:
    """Mean log-likelihood of scikit-learn's mixture of every standardised node, with its defaults: (d,)."""
    scores = []
    for node in latents.T.astype(np.float64):
        values = ((node - node.mean()) / node.std())[:, None]
        scores.append(GaussianMixture(2, random_state=0).fit(values).score(values))
    return np.array(scores)


def of_mixtures(rounds: int) -> list[str]:
    lines = [f"Two-component mixtures of all nodes, N = {N:,}, d = {D}", ""]
    points = np.random.default_rng(1).normal(size=(K, D))
    for name, centres, spread in (("before collapse", points, 0.3), ("binary code", np.sign(points), 0.01)):
        latents, _ = latents_of(centres, spread)
        times, found = race({"ours": partial(mixtures, latents), "loop": partial(one_by_one, latents)}, rounds)
        gains = found["ours"].log_likelihood - found["loop"]
        lines.append(f"  {name:16s} ours {times['ours']:6.3f} s   scikit-learn {times['loop']:6.2f} s   "
                     f"{times['loop'] / times['ours']:5.1f}×   log-likelihood less scikit-learn's {gains.min():+.0e} "
                     f"(worst) to {gains.max():+.0e}")
    return lines


# ---- collapse metrics ------------------------------------------------------------------------------------------------


def pairwise_by_loops(latents: np.ndarray, labels: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
    """The metrics that compare classes with one another, class by class and pair by pair."""
    latents = latents.astype(np.float64)
    means = [latents[labels == c].mean(axis=0) for c in range(K)]
    variances = [((latents[labels == c] - means[c]) ** 2).sum(axis=1).mean() for c in range(K)]
    middle = np.mean(means, axis=0)
    overlaps, angles = [], []
    for a in range(K):
        for b in range(a):
            overlaps.append((variances[a] + variances[b]) / (2 * np.linalg.norm(means[a] - means[b]) ** 2))
            first, second = means[a] - middle, means[b] - middle
            angles.append(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
    agreed = 0
    for c in range(K):
        own = latents[predictions == c]
        to_all = np.stack([np.linalg.norm(own - mean, axis=1) for mean in means])
        agreed += int((to_all.argmin(axis=0) == c).sum())
    cosines = np.array(angles)
    return {"nc1_cdnv": float(np.mean(overlaps)), "nc2_equiangular": float(cosines.std()),
            "nc2_maxangle": float(np.abs(cosines + 1 / (K - 1)).mean()),
            "separation_ratio": separation_by_loops(latents, predictions), "nc4_ncc_agreement": agreed / N}


def separation_by_loops(latents: np.ndarray, groups: np.ndarray) -> float:
    centroids, ratios = [latents[groups == c].mean(axis=0) for c in range(K)], []
    for c in range(K):
        own = latents[groups == c]
        others = [np.linalg.norm(own - centroids[other], axis=1) for other in range(K) if other != c]
        ratios.append(np.min(others, axis=0) / np.linalg.norm(own - centroids[c], axis=1))
    return float(np.concatenate(ratios).mean())


def of_collapse(rounds: int) -> list[str]:
    rng = np.random.default_rng(1)
    latents, labels = latents_of(rng.normal(size=(K, D)), 0.3)
    weight, bias = rng.normal(size=(K, D)), np.zeros(K)
    predictions = np.where(rng.random(N) < 0.05, rng.integers(0, K, N), labels)
    every = [name for name in names() if name not in SLOW]
    times, found = race({
        "all": lambda: measure(latents, labels, predictions, weight=weight, bias=bias, only=every),
        "pairwise": lambda: measure(latents, labels, predictions, only=PAIRWISE),
        "loops": lambda: pairwise_by_loops(latents, labels, predictions)}, rounds)
    worst = max(abs(found["pairwise"][name] / found["loops"][name] - 1) for name in PAIRWISE)
    return [f"Collapse metrics, N = {N:,}, d = {D}, K = {K}", "",
            f"  all {len(every)} but mixtures and entropy {times['all']:6.3f} s",
            f"  the {len(PAIRWISE)} pairwise ones     ours {times['pairwise']:6.3f} s   loops {times['loops']:6.2f} s  "
            f" {times['loops'] / times['pairwise']:5.1f}×   largest relative difference {worst:.0e}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one turn: under a minute")
    rounds = 1 if parser.parse_args().quick else 5
    torch.set_num_threads(1)
    print(f"numpy {np.__version__}, torch {torch.__version__}, one thread")
    with threadpool_limits(1):
        for lines in (of_mixtures(rounds), of_collapse(rounds)):
            print("", *lines, sep="\n")
    print("\nAttacks\n")
    for what, figure in _attacks.rows():
        print(f"  {what}: {figure}")


if __name__ == "__main__":
    main()
