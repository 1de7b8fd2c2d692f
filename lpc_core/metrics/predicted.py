"""How near the latents are to where the theory puts them: the predicted collapse points, for the present head and γ."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.metrics.arithmetic.latent_set import LatentSet
from lpc_core.metrics.arithmetic.rows import lengths
from lpc_core.metrics.arithmetic.together import mean
from lpc_core.metrics.measuring.base import Metric
from lpc_core.metrics.measuring.group import Group


def _predicted_radius(latents: LatentSet) -> float:
    labels, points = latents.labels, latents.collapse_points
    if points is None or not len(labels.numbers):
        return math.nan
    radii = lengths(points)
    return float((radii if labels.complete else np.where(labels.present, radii, 0)) @ labels.shares)


def _radius_error(latents: LatentSet) -> float:
    predicted = latents.once(_predicted_radius)
    return abs(latents.radius - predicted) / predicted if predicted > 0 else math.nan


def _point_error(latents: LatentSet) -> float:
    points = latents.collapse_points
    if points is None or not len(latents.labels.numbers):
        return math.nan
    radii = lengths(points)
    return mean(lengths(latents.means - points) / np.where(radii > 0, radii, np.nan))


METRICS = (
    Metric("predicted_radius", "Predicted radius", "mean of ‖z*_y‖, z*_y = argmin CE(Wz + b, y) + γ‖z‖²",
           "The radius at which pushing out and pulling in balance for the present head, solved without looking at "
           "the latents.", "this project, after Lemma 2 of the paper", "log", "predicted", "latent units", theory=True),
    Metric("radius_error", "Radius error", "|mean ‖z‖ − predicted| / predicted",
           "How far the measured radius is from the predicted one. Large before the classes have settled, and where "
           "the predicted radius is smaller than one training step can aim.", "this project", "log", theory=True),
    Metric("point_error", "Collapse point error", "mean over classes of ‖μ_c − z*_c‖ / ‖z*_c‖",
           "How far each class's centre is from the one point the theory gives it. Small: the theory holds.",
           "this project", "log", theory=True),
)
GROUP = Group(tuple(metric.name for metric in METRICS), None, live={
    "predicted_radius": lambda latents: latents.once(_predicted_radius), "radius_error": _radius_error,
    "point_error": _point_error})
