"""Every sentence of a ready comparison that claims something, on seeds it was not written from."""

from __future__ import annotations

import pytest

from app.comparisons import READY
from benchmarks.comparisons import finals

SEEDS = (30, 31, 32, 33, 34)  # the texts were written from seeds 5 to 9, and two bars mended after 20 to 24
FEW = ("losses", "losses-with-penalty")  # ten seconds a seed; `python -m benchmarks.comparisons --seeds …` tries more


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name in READY
                                            for seed in (SEEDS[:2] if name in FEW else SEEDS)])
def test_what_a_comparison_says_of_its_end_is_so(name, seed):
    found = finals(READY[name], seed)
    for claim in READY[name].claims:
        values = [run[claim.metric] for run in found]
        assert claim.holds(*values), f"{claim.words} ({claim.metric}: {values})"


@pytest.mark.parametrize("name", READY)
def test_a_comparison_claims_something_and_says_it(name):
    ready = READY[name]
    assert ready.claims
    assert all(claim.words in ready.look_for for claim in ready.claims)
