"""What a browser is told of the numbers it draws: the words of every metric, and which of them share a chart."""

from __future__ import annotations

import functools
from typing import Any

from lpc_core.metrics import METRICS
from lpc_core.phase import MEANING

CHARTS: dict[str, dict[str, Any]] = {  # the first four are those that a page begins with
    "radius": {
        "title": "Radius R", "metrics": ["norm_mean", "predicted_radius"],
        "about": "Mean length ‖z‖ of the latents, beside the radius at which cross-entropy and penalty balance for the "
                 "present classifier."},
    "nc1": {
        "title": "NC1 and class spread", "metrics": ["nc1_pinv", "within_class_spread"],
        "about": "NC1 is tr(Σ_W Σ_B⁺)/K: the scatter within the K classes measured against the scatter between them; "
                 "towards 0 the classes become points. The spread is √(tr Σ_W) over the mean length of z: the size of "
                 "a class's cloud as a share of its distance from the origin."},
    "separation": {
        "title": "Separation ratio 𝓡", "metrics": ["separation_ratio"],
        "about": "For each sample, the distance to the nearest other class centre divided by the distance to its own, "
                 "averaged over samples (classes by prediction). It grows without bound as classes collapse; in the "
                 "paper it goes along with robustness."},
    "accuracies": {
        "title": "Accuracy", "metrics": ["train_accuracy", "test_accuracy"],
        "about": "Share of samples classified right, on training and on held-out data. The paper's collapse sets in "
                 "once training accuracy is about 99.9 %."},
    "losses": {
        "title": "Cross-entropy and penalty", "metrics": ["ce", "penalty"],
        "about": "The two parts of the loss: how unsure the network is of the right class, and what the latents pay "
                 "for their length, γ included. If γ outruns the classifier, cross-entropy rises towards log K, a "
                 "blind guess."},
}


@functools.cache
def catalogue() -> dict[str, Any]:
    """``metrics`` {name: `Metric.words`}, ``charts`` {key: {title, metrics, about}}, ``phases`` {name: its meaning}."""
    return {"metrics": {name: metric.words() for name, metric in METRICS.items()}, "charts": CHARTS, "phases": MEANING}
