"""Figure 3: r, both attacks side by side, runs at chance left out, and the warning about DeepFool."""

import math

import numpy as np
import pytest

from app.charts import separation
from tests.app.charts._study import row

RATIOS = np.array([2.0, 5.0, 20.0, 80.0, 200.0])
DEEPFOOL = np.array([0.1, 0.11, 0.14, 0.25, 0.5])
DDN = np.array([0.1, 0.109, 0.12, 0.15, 0.1])
ROWS = [row(f"run {i}", *numbers) for i, numbers in enumerate(zip(RATIOS, DEEPFOOL, DDN, strict=True))]


def test_r_is_pearsons_of_the_values_and_of_their_logarithms():
    info = separation.info(ROWS, 10)
    for attack, found in (("deepfool", DEEPFOOL), ("smallest", DDN)):
        assert info.r[attack]["raw"].r == pytest.approx(np.corrcoef(RATIOS, found)[0, 1])
        assert info.r[attack]["log"].r == pytest.approx(np.corrcoef(np.log(RATIOS), np.log(found))[0, 1])
        assert info.r[attack]["raw"].n == 5


def test_a_run_at_chance_is_grey_and_left_out_of_r():
    guess = row("lost", 900.0, 5.0, 4.0, accuracy=0.12)
    info = separation.info([*ROWS, guess], 10)
    assert info.r["deepfool"]["raw"].r == pytest.approx(np.corrcoef(RATIOS, DEEPFOOL)[0, 1])
    assert info.guessing == (guess,)
    grey = [trace for trace in separation.figure(info).data if trace.name and "at chance" in trace.name]
    assert [list(trace.x) for trace in grey] == [[900.0], [900.0]]
    assert {trace.marker.color for trace in grey} == {"var(--muted)"}
    assert "no better than guessing" in grey[0].customdata[0]
    assert "lost is grey and left out of r" in separation.caption(info)
    assert "lost" not in info.contradicted


def test_the_smallest_known_is_the_main_series_and_the_papers_mean_stands_beside_it():
    info = separation.info(ROWS, 10)
    assert info.contradicted == ("run 2", "run 3", "run 4")
    assert ("Beware of DeepFool: for run 2, run 3 and run 4 perturbations are known that are at least 10 % smaller"
            in separation.caption(info))
    card = separation.card(ROWS, 10, "")
    assert f"Pearson r = {info.r['smallest']['raw'].r:.2f} [".replace("-", "−") in card.title
    assert card.title.endswith("n = 5 runs")
    filled, hollow = (next(t for t in card.figure.data if t.name == name) for name in separation.SERIES.values())
    assert (set(filled.marker.symbol), set(hollow.marker.symbol)) == ({"circle"}, {"circle-open"})
    agreeing = [row(f"run {i}", r, d, d) for i, (r, d) in enumerate(zip(RATIOS, DEEPFOOL, strict=True))]
    assert "Beware" not in separation.caption(separation.info(agreeing, 10))


def test_a_mean_longer_than_the_inputs_is_drawn_at_the_edge_and_named():
    far = row("far", 60.0, 3e15, 0.02, longer=0.35)
    info = separation.info([*ROWS, far], 10)
    drawn = next(t for t in separation.figure(info).data if t.name == separation.SERIES["deepfool"])
    assert max(drawn.y) == separation.EDGE
    assert drawn.marker.symbol[-1] == "triangle-up-open"
    assert "35 % of them are longer than the input itself" in drawn.customdata[-1]
    assert "drawn at the edge" in drawn.customdata[-1]
    told = separation.caption(info)
    assert "longer than the input itself, in far (35 %)" in told
    assert "longer" not in separation.caption(separation.info(ROWS, 10))
    assert info.r["smallest"]["raw"].r == pytest.approx(np.corrcoef([*RATIOS, 60.0], [*DDN, 0.02])[0, 1])
    assert separation.card([far], 10, "").rows["deepfool_robustness"] == [3e15]


def test_what_is_not_established_is_said():
    told = separation.caption(separation.info(ROWS, 10))
    assert "That robustness grows with 𝓡 is not established" in told
    assert "By the paper's DeepFool mean r is" in told
    growing = [row(f"run {i}", r, d, d) for i, (r, d) in enumerate(zip(RATIOS, DEEPFOOL, strict=True))]
    assert "Robustness grows with 𝓡." in separation.caption(separation.info(growing, 10))


def test_hover_tells_accuracy_and_how_often_an_attack_succeeded():
    info = separation.info([row("<b>evil", 3.0, 0.1, 0.1, success=0.8)], 10)
    told = separation.figure(info).data[2].customdata[0]
    assert "test accuracy 95 %" in told
    assert "succeeded on 80 % of the samples" in told
    assert "<b>" not in told


def test_runs_without_numbers_and_no_runs_at_all():
    broken = row("broken", math.nan, math.nan, 0.1)
    info = separation.info([*ROWS, broken], 10)
    assert info.r["deepfool"]["raw"].n == 5
    assert all(math.isfinite(x) for trace in separation.figure(info).data for x in trace.x)
    empty = separation.card([], 4, "Press it.")
    assert (empty.empty, empty.rows, empty.title) == ("Press it.", {}, "𝓡 against robustness")
    assert empty.figure.layout.xaxis.title.text == "separation ratio 𝓡"
    assert "n = " not in separation.card(ROWS[:2], 4, "").title
    assert separation.card([broken], 4, "").rows["run"] == ["broken"]
