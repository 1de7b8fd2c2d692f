"""Tables, verdicts and figures from made-up reports whose answers are known, and from a small store."""

import dataclasses
import math
import shutil

import numpy as np
import pytest

from lpc_core.config import ConfigError
from lpc_core.experiments import (
    FIGURES,
    Store,
    dumped,
    figure,
    grouped,
    loaded,
    plan,
    results,
    table,
    table_in_markdown,
    verdicts,
)
from lpc_core.experiments._store import StoredRun
from lpc_core.experiments._summaries import QUANTITIES, families, value_of
from lpc_core.experiments._tables import Cell, in_words


def stored(key, seed, lr=None, **values):
    """A finished run whose report holds ``values`` by their names in `QUANTITIES`, and 1 for the others."""
    report = {"diverged": ""}
    for name, (path, _) in QUANTITIES.items():
        place = report
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = {"value": values.get(name, 1.0), "reason": ""} if path[0] in ("train", "test") else \
            values.get(name, 1.0)
    run = dataclasses.replace(plan([key])[0], seed=seed, lr=lr)
    return StoredRun(None, run, {}, report)


def judged(**sides):
    """Verdict by claim over two seeds of LPC, NoPen and LinPen; each value is a pair per side."""
    runs = [stored(f"digits/{name}", seed, **{quantity: pair[side][seed] for quantity, pair in sides.items()})
            for side, name in enumerate(("lpc", "no-pen", "lin-pen")) for seed in (0, 1)]
    return {each.claim: each for each in verdicts(grouped(runs))}


def test_mean_and_std_are_over_seeds():
    groups = grouped([stored("digits/lpc", seed, norm_cv=value) for seed, value in enumerate((1.0, 2.0, 4.0))])
    cell = table(2, groups).rows[0].cells["norm_cv"]
    assert (cell.mean, cell.std, cell.seeds) == (pytest.approx(7 / 3), pytest.approx(np.std([1, 2, 4], ddof=1)), 3)
    assert (cell.paper, cell.paper_std) == (0.033, None)  # of the same row on CIFAR-10


def test_what_could_not_be_measured_is_no_number():
    groups = grouped([stored("digits/lpc", 0, norm_cv=None), stored("digits/lpc", 1, norm_cv=3.0)])
    cell = table(2, groups).rows[0].cells["norm_cv"]
    assert (cell.mean, cell.seeds) == (3.0, 1)
    assert math.isnan(cell.std)
    assert in_words(Cell(math.nan, math.nan, 0)) == "–"
    assert in_words(Cell(0.03124, 0.00123, 3)) == "0.0312 ± 0.001"


def test_a_comparison_holds_only_for_every_seed():
    def of(*variations):
        return judged(norm_cv=variations)["The latents lie on a shell of one radius"].verdict

    assert of((0.1, 0.2), (0.3, 0.4), (0.5, 0.6)) == "holds"
    assert of((0.1, 0.35), (0.3, 0.4), (0.5, 0.6)) == "partly"
    assert of((0.5, 0.9), (0.3, 0.4), (0.5, 0.6)) == "does not hold"
    assert of((0.1, None), (0.3, 0.4), (0.5, 0.6)) == "open"


def test_less_spread_is_not_yet_a_point():
    def of(*spreads):
        found = judged(spread=spreads)["Classes collapse to points only with γ"]
        return found.verdict, found.words.rpartition("; ")[2]

    order = (0.3, 0.4), (0.5, 0.6)
    assert of((0.04, 0.05), *order)[0] == "holds"
    assert of((0.04, 0.1), *order) == (
        "partly", "LPC's classes are no points yet: that is a spread below 10% of the radius in every run")
    assert of((0.04, 0.05), (0.09, 0.4), (0.5, 0.6)) == (
        "partly", "without γ too some classes are points: their spread is below 10% of the radius")
    assert of((0.5, 0.9), *order)[0] == "does not hold"


def test_robustness_is_judged_by_both_and_the_gap_is_said():
    found = judged(deepfool=((0.5, 0.5), (0.02, 0.02), (0.02, 0.02)), test_accuracy=((0.9, 0.9),) * 3,
                   smallest=((0.016, 0.016), (0.0159, 0.0161), (0.016, 0.016)))
    published = found["LPC is more robust, by DeepFool as published"]
    assert published.verdict == "holds"
    assert "31.25 times the smallest known one under LPC, 1.25 times under NoPen" in published.words
    assert found["LPC is more robust, by the smallest known perturbation"].verdict == "does not hold"
    lost = judged(deepfool=((0.5, 0.5), (0.02, 0.02), (0.02, 0.02)), test_accuracy=((0.1, 0.1), (0.9, 0.9), (0.9, 0.9)))
    assert "near chance, so neither means anything" in lost["LPC is more robust, by DeepFool as published"].words


def test_lemma_1_fails_where_gamma_is_far_above_the_heads():
    strong = judged(p_y=((0.11, 0.12),) * 3, gamma=((1e6, 1e6),) * 3, critical=((2.5e4, 2.5e4),) * 3,
                    train_accuracy=((1.0, 1.0),) * 3)["Lemma 1: p_y ≈ 1 where γ is strong"]
    assert strong.verdict == "does not hold"
    assert "p_y at the end is 0.115 at 100.0% training accuracy, with γ 40 times" in strong.words
    assert judged(p_y=((0.999, 0.999),) * 3)["Lemma 1: p_y ≈ 1 where γ is strong"].verdict == "holds"


def test_correlation_over_few_runs_is_open():
    steep = ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))
    assert judged(separation=steep, deepfool=steep)["𝓡 goes along with robustness by DeepFool"].verdict == "holds"
    loose = ((2.0, 1.0), (4.0, 3.5), (3.0, 6.0))
    found = judged(separation=steep, deepfool=loose)["𝓡 goes along with robustness by DeepFool"]
    assert found.verdict == "open"
    assert "the interval allows either" in found.words


def test_runs_that_learned_nothing_are_named_and_stay_out_of_correlations():
    names = ("lpc", "no-pen", "lin-pen", "lpc-wide", "lpc-narrow", "no-pen-wd")
    runs = [stored(f"digits/{name}", 0, separation=float(i), smallest=float(i) + i % 2 + 1.0, train_accuracy=0.9)
            for i, name in enumerate(names)]
    lost = stored("digits/no-pen-arcface", 0, separation=100.0, smallest=-100.0, train_accuracy=0.19)
    sound, whole = ({each.claim: each for each in verdicts(grouped(found))}["𝓡 goes along with the smallest known "
                                                                            "perturbation"]
                    for found in (runs, [*runs, lost]))
    assert (sound.verdict, whole.verdict) == ("holds", "holds")
    assert whole.words == f"{sound.words}. Left out for having learned nothing: 1"
    notes = {row.label: row.note for row in table(1, grouped([*runs, lost])).rows if row.note}
    assert notes == {"digits/no-pen-arcface": "1 of 1 runs learned nothing, so what else was measured of them tells "
                                              "nothing"}


def test_binary_needs_one_size_in_all_nodes():
    def of(cv):
        return judged(peaks=((9, 9), (3, 3), (3, 3)), abs_cv=((cv, cv), (0.7, 0.7), (0.7, 0.7)))[
            "Every node takes one of two values"].verdict

    assert (of(0.05), of(0.5)) == ("holds", "partly")


def test_without_runs_every_claim_is_open():
    assert {each.verdict for each in verdicts([])} == {"open"}


def test_of_several_rates_the_one_best_on_the_test_set_stands_and_says_so():
    runs = [stored("digits/lpc", seed, lr=lr, test_accuracy=value) for seed in (0, 1)
            for lr, value in ((1e-3, 0.8), (2e-3, 0.9))]
    group, = grouped(runs)
    assert group.mean("test_accuracy") == pytest.approx(0.9)
    assert "the best of 2 learning rates by test accuracy" in table(1, [group]).rows[0].note
    assert list(families([group])) == ["digits"]


def test_diverged_runs_are_no_part_of_a_mean():
    good, bad = stored("digits/lpc", 0), stored("digits/lpc", 1)
    bad.report["diverged"] = "The run diverged"
    assert [len(group.runs) for group in grouped([good, bad])] == [1]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_every_table_has_every_row(small_store, number):
    groups = grouped(Store(small_store).runs())
    found = table(number, groups)
    assert [row.label for row in found.rows] == [group.label for group in groups]
    assert all(row.seeds == 2 for row in found.rows)


@pytest.mark.parametrize("name", [*FIGURES])
def test_every_figure_has_its_axes_in_every_line(small_store, name):
    found = figure(name, grouped(Store(small_store).runs()))
    assert found.lines
    for line in found.lines:
        assert {found.x, found.y, found.by, "row"} <= set(line)
        assert math.isfinite(line[found.y])


def test_curves_of_robustness_begin_at_the_accuracy_and_fall(small_store):
    groups = grouped(Store(small_store).runs())
    found = figure("robustness", groups)
    run = groups[0].runs[0]
    curve = [line["share"] for line in found.lines if line["attack"] == "ddn" and line["row"] == groups[0].label
             and line["seed"] == run.planned.seed]
    assert curve[0] == pytest.approx(run.report["robustness"]["accuracy"])
    assert curve == sorted(curve, reverse=True)
    best = [line["share"] for line in found.lines if line["attack"] == "smallest known"][: len(curve)]
    assert all(a <= b for a, b in zip(best, curve, strict=True))


def test_figure_2_counts_every_value(small_store):
    found = figure("2", grouped(Store(small_store).runs()))
    assert sum(line["count"] for line in found.lines if line["asked"] == "γ = 100" and "lpc" in line["row"]) == 500 * 8


def test_no_runs_give_labelled_empty_figures():
    for name in FIGURES:
        found = figure(name, [])
        assert not found.lines
        assert "nothing to show yet" in found.notes[0]


def test_other_numbers_are_refused():
    with pytest.raises(ConfigError, match="table: expected 1, 2, 3, 4 or 5, got 6"):
        table(6, [])
    with pytest.raises(ConfigError, match="figure: expected one of 1, 2, 3, 4, 5, robustness, critical, got '6'"):
        figure("6", [])


def test_a_report_of_another_form_is_named():
    run = stored("digits/lpc", 0, norm_cv="much")
    with pytest.raises(ValueError, match="expected a number for norm_cv in its report, got another value"):
        value_of(run, "norm_cv")


def test_results_fit_into_one_small_file_and_say_the_same(small_store):
    made = results(grouped(Store(small_store).runs()), {"digits scale=0.02": "in a test"})
    kept, = loaded(dumped(made))
    assert (kept.name, kept.about) == ("digits scale=0.02", "in a test")
    assert [table_in_markdown(each) for each in kept.tables] == [table_in_markdown(each) for each in made[0].tables]
    assert kept.verdicts == made[0].verdicts
    for name, data in kept.figures.items():
        assert len(data.lines) == len(made[0].figures[name].lines) > 0
        assert data.lines[0][data.y] == pytest.approx(made[0].figures[name].lines[0][data.y], rel=1e-4)
    with pytest.raises(ValueError, match=r"expected results as `python -m benchmarks.results --pack` writes them"):
        loaded(b"no archive")


def test_what_can_be_read_of_a_store_is_told_beside_what_cannot(small_store, tmp_path):
    copy = tmp_path / "store"
    shutil.copytree(small_store, copy)
    (copy / "digits/lpc/seed-0,scale=0.02/run.json").write_text("[]")
    found, problems = Store(copy).readable()
    assert len(found) == 5
    assert len(problems) == 1
    assert "expected a JSON object, got another value" in problems[0]
    run = plan(["digits/no-pen"], first_seed=9)[0]
    with Store(copy).writing(run) as folder:
        folder.begin({}, {})
    assert next(each for each in Store(copy).readable()[0] if each.planned == run).epochs() == []  # not looked at yet
