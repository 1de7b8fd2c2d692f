"""The charts of a followed run: what they draw is what was measured, floors, TPT line and empty axes included."""

import dataclasses
import math
import re

import numpy as np
import pytest

from app.charts import Track, charts, csv_text, nc1, nc2, nc3, nc4, peaks, shell, verdict
from app.charts._timeline import floor_note
from app.parts.cards import card_data
from lpc_core.config import RunConfig
from lpc_core.metrics import METRICS, Reading
from tests.app.charts import _study

ALL = {"nc1": nc1, "nc2": nc2, "nc3": nc3, "nc4": nc4, "peaks": peaks, "shell": shell}


@pytest.fixture(scope="module")
def track():
    return Track.of(_study.study(), RunConfig())


def test_a_track_is_the_study_metric_by_metric(track):
    column = track.column("nc1_pinv")
    moments = _study.study().moments
    np.testing.assert_array_equal(column.values, [m.readings["nc1_pinv"].value for m in moments])
    np.testing.assert_array_equal(column.floors, [m.readings["nc1_pinv"].floor for m in moments])
    assert column.at_floor.tolist() == [False, False, False, True]
    assert track.steps.tolist() == list(_study.STEPS)
    assert (len(track), track.classes, track.nodes, track.tpt) == (4, 4, 2, 400)
    assert np.isnan(track.column("no_such").values).all()


def test_the_predicted_radius_is_the_mean_norm_of_the_collapse_points(track):
    assert track.last("predicted_radius") == pytest.approx(math.sqrt(2))
    assert track.last("norm_mean") == pytest.approx(1.01 * math.sqrt(2))
    without = Track([_study.moment(0, 0.1, 1.0, theory=False)])
    assert math.isnan(without.last("predicted_radius"))
    assert without.newest["predicted_radius"].reason == "the theory does not apply to this run"


def test_before_the_first_moment_every_chart_has_labelled_empty_axes_and_says_so():
    empty = Track.of(None, RunConfig())
    assert (len(empty), empty.classes, empty.tpt, empty.newest) == (0, 0, None, {})
    for section in ("collapse", "code"):
        for chart in charts(section):
            for card in chart.cards(empty):
                layout = card.figure.to_plotly_json()["layout"]
                titles = {axis[0]: value["title"]["text"] for axis, value in layout.items()
                          if "axis" in axis and value.get("title", {}).get("text")}
                assert card.empty
                assert card.rows == {}
                assert titles.keys() == {"x", "y"}
                assert card.caption.endswith((".", "!"))
                card_data(card)


@pytest.mark.parametrize("name", ALL)
def test_infos_hold_the_measured_values(track, name):
    card, subplots = ALL[name].card(track), ALL[name].info(track)
    assert card.figure.layout.xaxis.range == (0, RunConfig().steps)
    if name != "nc4":
        curves = [(subplot, curve) for subplot in subplots for curve in subplot.curves]
        for metric, (subplot, curve) in zip(card.metrics, curves, strict=True):
            np.testing.assert_array_equal(curve.column.values, track.column(metric).values)
            assert subplot.log == (METRICS[metric].axis == "log") or metric == "abs_cv"
    assert all(trace.x.tolist() == list(_study.STEPS) for trace in card.figure.data)


def test_nc4_is_drawn_as_the_share_that_disagrees_beside_the_errors(track):
    (subplot,) = nc4.info(track)
    disagree, train, test = (curve.column.values for curve in subplot.curves)
    np.testing.assert_allclose(disagree, 1 - track.column("nc4_ncc_agreement").values)
    np.testing.assert_allclose(train, [0.7, 0.05, 0, 0], atol=1e-12)
    np.testing.assert_allclose(test, 1 - 0.9 * np.array(_study.ACCURACIES))
    assert not subplot.log
    assert subplot.range == (0, pytest.approx(1.05 * 0.73))


def test_the_reference_is_the_arrangement_that_exists(track):
    square = nc2.best(track)  # 4 classes in 2 nodes: an orthoplex, cosines 0, 0 and −1 against a simplex's −1/3
    assert square.value == pytest.approx((1 / 3 + 1 / 3 + 2 / 3) / 3)
    assert "orthoplex" in square.label
    assert "orthoplex" in nc2.card(track).caption
    simplex = Track([_study.moment(0, 0.1, 1.0, np.array([[0, 1], [-0.866, -0.5], [0.866, -0.5]]))])
    assert nc2.best(simplex) is None  # it reads 0, which a log axis does not have
    assert "a simplex exists" in nc2.card(simplex).caption
    crowded = Track([_study.moment(0, 0.1, 1.0, np.arange(1.0, 4)[:, None])])  # 3 classes, 1 node
    assert "two must share a vertex" in nc2.card(crowded).caption


def test_what_is_at_the_floor_is_hollow_over_a_hatched_band(track):
    figure = nc1.card(track).figure
    band = next(trace for trace in figure.data if trace.name == "noise floor")
    curve = next(trace for trace in figure.data if trace.name == "NC1")
    assert np.isfinite(np.array(band.y, float)).tolist() == [False, False, False, True]
    assert band.fillpattern.shape == "/"
    assert list(curve.marker.symbol) == ["circle", "circle", "circle", "circle-open"]
    assert min(value for value in curve.y) > 0  # a 0 at the floor stands at the floor, where a log axis can show it
    assert "NC1 and CDNV are at the noise floor" in nc1.card(track).caption
    early = Track(track.moments[:2])
    assert all(trace.name != "noise floor" for trace in nc1.card(early).figure.data)
    assert floor_note(nc1.info(early)) == ""


def test_the_tpt_line_stands_at_the_first_step_with_999_per_mille_right(track):
    figure = nc1.card(track).figure
    (line,) = figure.layout.shapes
    assert (line.x0, line.x1, line.yref) == (400, 400, "paper")
    assert [note.text for note in figure.layout.annotations if note.text == "TPT"] == ["TPT"]
    assert not nc1.card(Track(track.moments[:2])).figure.layout.shapes


def test_gamma_is_a_thin_second_line_and_absent_where_it_is_0(track):
    figure = shell.card(track).figure
    gammas = [trace for trace in figure.data if trace.name == "γ"]
    assert [trace.yaxis for trace in gammas] == ["y2", "y4"]
    np.testing.assert_allclose(gammas[0].y, track.gammas)
    still = Track([dataclasses.replace(track.moments[0], gamma=0.0)])
    figure = shell.card(still).figure
    assert figure.layout.yaxis2.visible is False
    assert all(trace.name != "γ" for trace in figure.data)


def test_captions_read_the_chart_for_a_learner(track):
    assert "1.4 from the origin" in shell.card(track).caption
    smaller = re.search(r"are ([\d,]+) times smaller", nc1.card(Track(track.moments[:3])).caption)[1]
    assert float(smaller) == pytest.approx(500, rel=0.1)  # clouds of 0.5 and of 0.001: sizes, not variances
    assert "99" not in nc4.card(track).caption
    assert "nearly parallel: 1.6×10⁻¹⁶" in nc3.card(track).caption
    assert peaks.card(Track(track.moments[:1])).caption.startswith("A node's two peaks are")
    assert "binary code" in peaks.card(track).caption


def test_the_csv_of_a_chart_is_its_readings_with_floors_and_reasons(track):
    card = nc1.card(track)
    header, *lines = csv_text(card.rows).splitlines()
    assert header == ("step,gamma,train_accuracy,test_accuracy,nc1_pinv,nc1_pinv_floor,nc1_pinv_note,"
                      "nc1_cdnv,nc1_cdnv_floor,nc1_cdnv_note")
    assert [line.split(",")[0] for line in lines] == ["0", "100", "400", "1000"]
    assert float(lines[1].split(",")[4]) == track.moments[1].readings["nc1_pinv"].value
    assert "at the noise floor" in lines[3]


def test_the_verdict_says_how_far_the_run_is(track):
    assert "first numbers come" in verdict.verdict(Track())
    assert verdict.verdict(Track(track.moments[:1])).startswith("Before training")
    untrained = verdict.verdict(Track(track.moments[:2]))
    assert "has not begun: 95 %" in untrained
    done = verdict.verdict(track)
    assert "was reached by step 400" in done
    assert "collapsed to nearly a point" in done
    assert "The binary code is complete." in done
    lost = dataclasses.replace(track.moments[3], train_accuracy=0.5)
    assert "was lost again: 50 %" in verdict.verdict(Track([*track.moments[:3], lost]))
    guesses = dataclasses.replace(track.moments[3], train_accuracy=0.26)
    assert "The classes lie apart, but at step 1,000" in verdict.verdict(Track([*track.moments[:3], guesses]))
    total = dataclasses.replace(guesses, readings=guesses.readings | {"nc1_pinv": Reading(3.0)})
    assert verdict.verdict(Track([*track.moments[:3], total])).startswith("Total collapse: at step 1,000")


def test_an_undefined_value_leaves_a_gap_and_no_error(track):
    holes = [dataclasses.replace(m, readings=m.readings | {"nc3_self_duality": Reading(math.nan, reason="no head")})
             for m in track.moments]
    card = nc3.card(Track(holes))
    assert "0 is parallel" in card.caption
    (curve,) = [trace for trace in card.figure.data if trace.name == "distance of head and centres"]
    assert np.isnan(np.array(curve.y, float)).all()
    assert curve.showlegend is False
    assert set(card.rows["nc3_self_duality_note"]) == {"no head"}
