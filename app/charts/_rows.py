"""The data behind a chart over time, as columns for a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.charts._track import Track


def rows(track: Track, names: Iterable[str]) -> dict[str, Sequence[Any]]:
    """Step, γ and accuracy, then of each metric its value, its noise floor where one is known, and why it is NaN."""
    columns: dict[str, Sequence[Any]] = {
        "step": track.steps.tolist(), "gamma": track.gammas.tolist(),
        "train_accuracy": track.train_accuracy.tolist(), "test_accuracy": track.test_accuracy.tolist()}
    for name in names:
        readings = track.history(name)
        columns[name] = [None if one is None else one.value for one in readings]
        columns[f"{name}_floor"] = [None if one is None else one.floor for one in readings]
        columns[f"{name}_note"] = ["" if one is None else one.reason for one in readings]
    return columns if len(track) else {}
