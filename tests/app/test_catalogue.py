"""What the browser is told of metrics and charts: every chart has words, and no name means two things."""

import json

from app.catalogue import CHARTS, catalogue
from lpc_core.metrics import METRICS
from lpc_core.metrics.live import forms


def test_charts_show_metrics_that_have_words_and_go_by_names_of_their_own():
    shown = [name for chart in CHARTS.values() for name in chart["metrics"]]
    assert set(shown) <= {"train_accuracy", "test_accuracy", "ce", "penalty", *forms()}
    assert len(shown) == len(set(shown))
    assert not CHARTS.keys() & METRICS.keys()
    assert len(CHARTS) >= 4  # that a page begins with


def test_it_is_plain_and_whole():
    sent = json.loads(json.dumps(catalogue(), allow_nan=False))
    assert sent["metrics"].keys() == METRICS.keys()
    for words in sent["metrics"].values():
        assert all(words[name] for name in ("title", "short", "formula", "meaning"))
        assert words["axis"] in ("log", "linear", "percent")
