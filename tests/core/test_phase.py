"""Collapsed and totally collapsed: one definition, tried at its edges and on clouds made for it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from lpc_core.metrics import measure
from lpc_core.phase import COLLAPSED, FALLING, MEANING, OVERLAP, Phase, at_chance, phase_of, phases_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("phase", "accuracy", "spread", "nc1"), [
    (Phase.CLOUDS, 1.0, FALLING, 0.3), (Phase.FALLING, 1.0, COLLAPSED, 0.1), (Phase.COLLAPSED, 1.0, 0.0999, 0.1),
    (Phase.COLLAPSED, 0.92, 0.01, 0.01), (Phase.COLLAPSED, math.nan, 0.01, 0.01),
    (Phase.CLOUDS, 0.6, 0.01, OVERLAP),  # small beside the radius, but two classes share a place
    (Phase.CLOUDS, 0.797, 0.9, 0.4), (Phase.CLOUDS, 0.797, 0.9, 3.0),  # four visible clouds; not a total collapse
    (Phase.GUESSING, 0.25, 0.01, 0.2), (Phase.TOTAL, 0.25, 0.9, OVERLAP), (Phase.TOTAL, 0.325, 0.01, math.nan),
    (Phase.CLOUDS, 0.326, 0.9, 5.0), (Phase.UNKNOWN, 1.0, math.nan, math.nan)])
def test_every_phase_has_its_edges(phase, accuracy, spread, nc1):
    assert phase_of(accuracy, spread, nc1, 4) == phase


def test_arrays_are_judged_entry_by_entry():
    found = phases_of(np.array([[1.0, 0.1]]), np.array([[0.01, 0.9]]), np.array([[0.01, 9.0]]), 10)
    assert found.tolist() == [[Phase.COLLAPSED, Phase.TOTAL]]
    assert found.dtype == np.uint8


def test_guessing_leaves_a_tenth_of_the_way_and_one_class_cannot_be_guessed():
    assert at_chance([0.25, 0.325, 0.33, math.nan], 4).tolist() == [True, True, False, False]
    assert not at_chance(1.0, 1)


@pytest.mark.parametrize(("gap", "width", "accuracy", "phase"), [
    (10.0, 0.1, 1.0, Phase.COLLAPSED), (10.0, 2.0, 1.0, Phase.FALLING), (3.0, 2.5, 0.797, Phase.CLOUDS),
    (10.0, 0.1, 0.25, Phase.GUESSING), (0.0, 1.0, 0.25, Phase.TOTAL)])
def test_clouds_on_a_square_are_what_the_eye_says(gap, width, accuracy, phase):
    rng = np.random.default_rng(3)
    labels = np.arange(4).repeat(200)
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    latents = gap * corners[labels] + width * rng.normal(size=(800, 2))
    found = measure(latents, labels, only=("within_class_spread", "nc1_pinv"))
    assert phase_of(accuracy, *found.values(), 4) == phase


def test_the_words_give_the_very_numbers():
    assert f"{COLLAPSED:.0%}" in MEANING["collapsed"]
    assert f"{OVERLAP:g}" in MEANING["total"]


@pytest.mark.parametrize("where", ["app", "lpc_core"])
def test_no_other_file_has_a_definition_of_its_own(where):
    own = re.compile(r"^(COLLAPSED|FALLING|CHANCE_MARGIN)\b.*= *\d", re.MULTILINE)
    files = [path for path in (ROOT / where).rglob("*.py") if own.search(path.read_text("utf-8"))]
    assert files == ([ROOT / "lpc_core" / "phase.py"] if where == "lpc_core" else [])
