"""What a file of metrics declares: forms of its own names, words for each of them, a known axis."""

import pytest

from lpc_core.metrics import METRICS, Metric, names, slow_names
from lpc_core.metrics.live import forms
from lpc_core.metrics.measuring.group import Group, groups
from lpc_core.metrics.measuring.info import collect


@pytest.mark.parametrize("forms", [{"needs": {"b": "weight"}}, {"moments": ("b",)}, {"scatters": ("b",)},
                                   {"live": {"b": float}}])
def test_a_form_of_another_name_is_refused(forms):
    with pytest.raises(ValueError, match="expected forms of a, got one of b; add it to the names"):
        Group(("a",), None, **forms)


def test_an_unknown_axis_is_refused():
    with pytest.raises(ValueError, match="a: expected axis to be one of log, linear, percent, got True"):
        Metric("a", "A", "a", "A.", "here", True)


def test_a_name_without_words_is_refused(monkeypatch):
    monkeypatch.setattr("lpc_core.metrics.measuring.info.groups", lambda: {"new": Group(("bare",), None)})
    with pytest.raises(ValueError, match="expected words for each metric that is measured, got none for bare; add a"):
        collect()


def test_each_name_is_of_one_group_and_each_live_one_is_explained():
    found = [name for group in groups().values() for name in group.names]
    assert len(found) == len(set(found))
    assert {name for name in found if METRICS[name].theory} == set(found) - set(names())
    assert set(forms()) <= set(found)
    assert set(slow_names()) < set(names())
