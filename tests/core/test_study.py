"""Studies: moments of a run and what they hold, correlation against scipy, and files that refuse what is none."""

import dataclasses
import json
import math

import numpy as np
import pytest
import safetensors.numpy
import torch
from scipy import stats

import lpc_core.robustness
from lpc_core import study as studies
from lpc_core.config import flatten, unflatten
from lpc_core.data import spread
from lpc_core.engine.trainer import Trainer
from lpc_core.metrics import Reading, measure, readings
from lpc_core.robustness import ddn, deepfool
from lpc_core.study import (
    Study,
    StudyError,
    SweepRow,
    add_moment,
    add_row,
    correlation,
    default_sweep,
    follow,
    moment_steps,
    open_study,
    pearson,
    start_study,
    sweep,
    tpt_step,
)

QUICK = {"dataset": "hypercube", "samples": 300, "test_samples": 100, "steps": 60, "batch_size": 32, "ramp_steps": 50,
         "noise": 0.3}
RUN = unflatten(QUICK)


@pytest.fixture(scope="module")
def moments():
    return list(follow(RUN, 5))


# ---- when a run is measured --------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", ["early", "log", "even"])
@pytest.mark.parametrize(("steps", "count"), [(6_000, 40), (100, 2), (39, 40), (40, 40), (1, 2), (500, 300)])
def test_moments_run_from_the_first_step_to_the_last_each_once(spacing, steps, count):
    wanted = moment_steps(steps, count, spacing)
    assert len(wanted) == count
    assert (wanted[0], wanted[-1]) == (0, steps)
    assert (np.diff(wanted) > 0).all()


def test_the_spacings_differ_in_where_they_are_dense():
    early, log, even = (moment_steps(10_000, 41, spacing) for spacing in ("early", "log", "even"))
    assert np.diff(early)[-1] / np.diff(early)[0] == pytest.approx(20, rel=0.1)
    assert log[20:] == pytest.approx(10 ** (np.arange(20, 41) / 40 * 4), rel=0.01)
    assert set(np.diff(even)) == {250}


@pytest.mark.parametrize(("arguments", "message"), [
    ((100, 1), r"moments: expected 2 to 101 for a run of 100 steps, got 1; choose fewer or more"),
    ((100, 102), "moments: expected 2 to 101"), ((9_999, 601), "moments: expected 2 to 600"),
    ((100, 10, "dense"), "spacing: expected early, log, even, got 'dense'"),
])
def test_moments_that_cannot_be_are_refused_before_training(arguments, message):
    with pytest.raises(StudyError, match=message):
        moment_steps(*arguments)
    with pytest.raises(StudyError, match=message):
        follow(dataclasses.replace(RUN, steps=arguments[0]), arguments[1], spacing=(*arguments, "early")[2])


# ---- following a run ---------------------------------------------------------------------------------------------


def test_a_followed_run_is_the_run_itself(moments):
    assert [moment.step for moment in moments] == list(moment_steps(60, 5))
    run = Trainer(RUN, "cpu")
    run.advance(60)
    now, last = run.snapshot(), moments[-1]
    np.testing.assert_array_equal(last.latents, now.latents)
    np.testing.assert_array_equal(last.collapse_points, now.collapse_points)
    assert (last.gamma, last.test_accuracy) == (now.gamma, now.metrics["test_accuracy"])
    assert last.train_accuracy == now.metrics["train_accuracy"]
    assert last.readings["separation_ratio"].value == pytest.approx(now.metrics["separation_ratio"])


def test_every_quantity_is_read(moments):
    rng = np.random.default_rng(0)
    z, y, w = rng.normal(size=(60, 3)), np.arange(60) % 4, rng.normal(size=(4, 3))
    wanted = readings(z, y, y, z @ w.T, w, np.zeros(4)).keys()
    assert {"nc1_pinv", "nc3_self_duality", "nc4_ncc_agreement", "gmm_peak_distance", "entropy_kl"} <= wanted
    for moment in moments:
        assert moment.readings.keys() == wanted
        assert json.dumps(moment.code)


def test_the_terminal_phase_starts_when_the_samples_are_right(moments):
    accuracies = (0.5, 0.9985, 0.9992, 0.998, 1.0)
    told = [dataclasses.replace(moment, train_accuracy=accuracy)
            for moment, accuracy in zip(moments, accuracies, strict=True)]
    assert [moment.in_tpt for moment in told] == [False, False, True, False, True]
    assert tpt_step(told) == told[2].step
    assert tpt_step(told[:2]) is None


def test_progress_is_told_and_may_end_the_work():
    said = []
    run = follow(RUN, 3, progress=lambda share, what: said.append((share, what)))
    assert said == []  # a generator: nothing is done before it is asked for
    list(run)
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)

    class Stop(Exception):
        pass

    def stop(share, what):
        raise Stop

    with pytest.raises(Stop):
        next(follow(RUN, 3, progress=stop))


def test_a_run_that_diverges_says_so_after_its_moments():
    config = unflatten({**QUICK, "optimizer": "sgd", "lr": 10.0, "head_lr": 10.0, "steps": 500})
    seen = []
    with pytest.raises(StudyError, match="The run diverged before step"):
        seen.extend(follow(config, 4, spacing="even"))


def test_other_penultimate_layers_and_losses_have_no_points():
    moment = list(follow(unflatten({**QUICK, "penultimate": "nonlinear", "steps": 5}), 2))[-1]
    assert moment.collapse_points is None
    assert moment.readings["nc1_pinv"].value > 0


# ---- sweeping ----------------------------------------------------------------------------------------------------


def test_a_row_is_the_end_of_its_run_and_what_the_attacks_find_there():
    other = unflatten({"seed": 4, "gamma_end": 1.0}, RUN)
    rows = list(sweep([("one", RUN), ("two", other)], samples=30))
    assert [found.title for found in rows] == ["one", "two"]
    run = Trainer(other, "cpu")
    run.advance(60)
    now, last = run.snapshot(), rows[1]
    assert (last.config, last.gamma, last.samples) == (other, 1.0, 30)
    assert (last.train_accuracy, last.test_accuracy) == (now.metrics["train_accuracy"], now.metrics["test_accuracy"])
    expected = measure(now.latents, now.predictions, only="separation_ratio")["separation_ratio"]
    assert last.separation_ratio == pytest.approx(expected, rel=1e-12)
    chosen = spread(run.dataset.test_labels, 30, 4)
    inputs = torch.from_numpy(run.dataset.test_inputs[chosen])
    for name, attack in (("deepfool", deepfool), ("ddn", ddn)):
        found = attack(run.model, inputs)
        ratios = [norm / float(x.norm()) for norm, x in zip(found.norms, inputs, strict=True) if math.isfinite(norm)]
        assert last.robustness[name] == pytest.approx(sum(ratios) / len(ratios), rel=1e-5)
        assert last.success[name] == len(ratios) / 30
    assert last.robustness["ddn"] < 1.05 * last.robustness["deepfool"]
    both = np.minimum(deepfool(run.model, inputs).norms, ddn(run.model, inputs).norms) / inputs.norm(dim=1).numpy()
    assert last.robustness["smallest"] == pytest.approx(float(both.mean()), rel=1e-5)
    assert last.robustness["smallest"] <= min(last.robustness["ddn"], last.robustness["deepfool"])
    assert last.longer == {"deepfool": 0.0, "ddn": 0.0, "smallest": 0.0}


class Long:
    """An attack whose every second perturbation is three times as long as its input, and its result."""

    distance = "l2"
    success = np.ones(30, bool)
    relative = np.where(np.arange(30) % 2, 3.0, 0.1)

    def __call__(self, model, inputs, progress):
        return self


def test_perturbations_longer_than_their_inputs_are_counted_and_the_smallest_known_stands_beside(monkeypatch):
    both = lpc_core.robustness.attacks()
    monkeypatch.setattr(lpc_core.robustness, "attacks",
                        lambda: both | {"deepfool": Long})
    (last,) = sweep([("one", RUN)], samples=30)
    assert last.robustness["deepfool"] == pytest.approx(1.55)
    assert last.longer["deepfool"] == 0.5
    assert last.robustness["smallest"] < min(last.robustness["ddn"], last.robustness["deepfool"])
    assert last.longer["smallest"] == 0


def test_a_sweep_around_a_run_varies_one_thing_or_two():
    base = unflatten(QUICK)
    runs = default_sweep(base)
    assert 10 <= len(runs) <= 14
    titles, configs = zip(*runs, strict=True)
    assert len(set(titles)) == len(set(configs)) == len(runs)
    assert base in configs
    flat = [flatten(config) for config in configs]
    assert {config["penultimate"] for config in flat} == {"linear", "nonlinear", "none"}
    assert {config["optimizer"] for config in flat} == {"adamw", "sgd"}
    assert len({config["seed"] for config in flat}) == 3
    assert [config["gamma_end"] for config in flat[:4]] == pytest.approx([1, 10, 100, 1_000])
    assert sum(config["gamma_end"] == 0 for config in flat) >= 4
    for odd in ({"seed": 2**31 - 1}, {"gamma_end": 1e8}, {"optimizer": "sgd"}, {"penultimate": "none"},
                {"gamma_schedule": "constant", "gamma_end": 0.0}):
        configs = [config for _, config in default_sweep(unflatten(odd, base))]
        assert len(set(configs)) == len(configs)


def test_a_run_that_diverges_or_knows_nothing_says_so_in_its_row():
    wild = unflatten({**QUICK, "optimizer": "sgd", "lr": 10.0, "head_lr": 10.0, "steps": 300})
    lost = unflatten({**QUICK, "steps": 1, "lr": 1e-7, "head_lr": 1e-7})
    first, second = sweep([("wild", wild), ("lost", lost)], samples=8)
    assert "diverged before step" in first.reason
    assert math.isnan(first.robustness["ddn"])
    assert math.isnan(first.separation_ratio)
    assert second.reason == "test accuracy is near chance: this robustness means nothing"


def test_sweeping_tells_its_progress_and_starts_when_asked():
    said = []
    runs = sweep([("one", RUN)], samples=5, progress=lambda share, what: said.append((share, what)))
    assert said == []
    list(runs)
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert any("one: DeepFool" in what for _, what in said)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"runs": []}, r"runs: expected at least one \(title, configuration\), got none; take default_sweep"),
    ({"samples": 1}, "samples: expected 2 to 10,000, got 1"),
    ({"attacks": ("deepfool", "magic")}, r"attacks: expected some of ddn, deepfool, fmn, .*, got deepfool, magic; take "
                                            "deepfool and ddn"),
    ({"attacks": ("ddn", "pgd-linf")}, "attacks: expected some of ddn, deepfool, fmn, .*, got ddn, pgd-linf; take"),
    ({"attacks": ()}, "attacks: expected some of ddn, deepfool, fmn, .*, got none"),
])
def test_a_sweep_that_cannot_be_is_refused_before_training(arguments, message):
    with pytest.raises(StudyError, match=message):
        sweep(**{"runs": [("one", RUN)], **arguments})


# ---- correlation -------------------------------------------------------------------------------------------------


def row(separation, robustness, title="run"):
    return SweepRow(title, RUN, 1.0, 1.0, 1.0, separation, 10,
                    {"deepfool": robustness, "ddn": robustness / 2, "smallest": robustness / 2},
                    {"deepfool": 1.0, "ddn": 1.0})


def test_r_and_its_interval_are_scipys():
    rng = np.random.default_rng(3)
    x = rng.lognormal(size=14)
    y = x**1.3 * rng.lognormal(sigma=0.4, size=14)
    found = pearson([row(*pair) for pair in zip(x, y, strict=True)], "ddn")
    for kind, one, other in (("raw", x, y), ("log", np.log(x), np.log(y))):
        expected = stats.pearsonr(one, other)
        interval = expected.confidence_interval(0.95)
        assert found[kind].r == pytest.approx(expected.statistic)
        assert (found[kind].low, found[kind].high) == pytest.approx((interval.low, interval.high))
        assert found[kind].n == 14
        assert found[kind].reason == ""


def test_what_r_cannot_say_has_a_reason():
    two = correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    assert math.isnan(two.r)
    assert two.reason == "expected at least 3 runs with both numbers, got 2"
    three = correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    assert 0.9 < three.r < 1
    assert math.isnan(three.low)
    assert three.reason == "an interval needs 4 runs"
    same = correlation(np.ones(5), np.arange(5.0))
    assert math.isnan(same.r)
    assert same.reason == "one of the two is the same in all 5 runs"
    line = correlation(np.arange(5.0), -2 * np.arange(5.0) + 1)
    assert (line.r, line.low, line.high) == (-1.0, -1.0, -1.0)
    with pytest.raises(ValueError, match=r"expected x \(n,\) and y \(n,\), got \(2,\) and \(3,\); pass one"):
        correlation(np.zeros(2), np.zeros(3))


def test_rows_without_numbers_are_left_out_and_counted():
    rows = [row(1.0, 0.1), row(2.0, 0.2), row(3.0, 0.4), row(4.0, math.nan), row(math.nan, 1.0), row(5.0, 0.0)]
    found = pearson(rows)
    assert (found["raw"].n, found["raw"].reason) == (4, "left out 2 without both numbers")
    assert (found["log"].n, found["log"].reason) == (3, "an interval needs 4 runs; left out 3 without both numbers")
    assert pearson([])["raw"].reason == "expected at least 3 runs with both numbers, got 0"
    assert math.isnan(pearson(rows, "nothing")["raw"].r)


# ---- files -------------------------------------------------------------------------------------------------------


def head(planned=5):
    return Study("follow", (RUN,), ("hypercube",), ("0", "1", "2", "3"), planned)


def same_moment(one, other):
    for name in ("latents", "labels", "predictions", "means", "collapse_points"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("step", "gamma", "train_accuracy", "test_accuracy"):
        assert getattr(one, name) == getattr(other, name)
    assert one.readings.keys() == other.readings.keys()
    for name, reading in one.readings.items():
        assert str(reading) == str(other.readings[name])  # NaN is not equal to itself


def test_a_study_grows_in_its_folder_and_opens_as_it_was(moments, tmp_path):
    folder = tmp_path / "study"
    start_study(folder, head())
    assert open_study(folder).moments == ()
    for index, moment in enumerate(moments):
        add_moment(folder, index, moment)
        found = open_study(folder)
        assert len(found.moments) == index + 1
        assert found.complete == (index == 4)
    for one, other in zip(moments, found.moments, strict=True):
        same_moment(one, other)
    assert found.configs == (RUN,)
    assert found.class_names == ("0", "1", "2", "3")
    assert [moment.step for moment in open_study(folder, since=3).moments] == [moment.step for moment in moments[3:]]
    assert sorted(path.name for path in folder.iterdir())[0] == "moment-0000.safetensors"  # no temporary file is left


def test_numbers_that_are_none_come_back(moments, tmp_path):
    odd = {"a": Reading(math.nan, None, "because"), "b": Reading(math.inf, 1e-9), "c": Reading(-math.inf, 0.0)}
    moment = dataclasses.replace(moments[0], readings=odd, collapse_points=None, means=moments[0].means * math.nan)
    start_study(tmp_path / "x", head(1))
    add_moment(tmp_path / "x", 0, moment)
    same_moment(moment, open_study(tmp_path / "x").moments[0])


def test_rows_come_back(tmp_path):
    rows = (row(3.0, 0.25, "<b>γ → 1</b>"), dataclasses.replace(row(math.nan, math.nan), reason="diverged"))
    start_study(tmp_path / "rows", Study("sweep", (RUN, RUN), ("a", "b"), (), 2))
    for index, one in enumerate(rows):
        add_row(tmp_path / "rows", index, one)
    found = open_study(tmp_path / "rows")
    assert found.rows[0] == rows[0]
    assert str(found.rows[1]) == str(rows[1])
    assert found.complete
    assert found.titles == ("a", "b")


def test_a_folder_with_files_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StudyError, match=r"out: expected a new or an empty folder, got .* with files in it; choose"):
        start_study(tmp_path, head())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def repack(path, change, arrays=None, **metadata):
    """Write ``path`` anew with its info and metadata changed."""
    raw = path.read_bytes()
    old = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
    info = json.loads(old["info"]) | change
    arrays = safetensors.numpy.load(raw) | (arrays or {})
    path.write_bytes(safetensors.numpy.save({name: array for name, array in arrays.items() if array is not None},
                                            metadata={**old, "info": json.dumps(info), **metadata}))


BAD_MOMENTS = [
    ({"step": -1}, {}, "'-1' where a whole number of at least 0 belongs"),
    ({"step": 1.5}, {}, "whole number"), ({"gamma": "many"}, {}, "'many' where a number belongs"),
    ({"train_accuracy": True}, {}, "'True' where a number belongs"),
    ({"train_accuracy": 10**400}, {}, "where a number belongs"),
    ({"readings": {"x": [1.0]}}, {}, "missing 2 required positional arguments"),
    ({"readings": {"x": [None, None, ""]}}, {}, "expected a reason beside a NaN"),
    ({"readings": {"x": [1.0, None, "x" * 2001]}}, {}, "a text of at most 2000 letters"),
    ({"readings": [1]}, {}, "'list' object has no attribute 'items'"), ({"code": None}, {}, "no code report"),
    ({"format": 7}, {}, "expected format 1, got another"),
    ({}, {"latents": np.zeros((3, 2), np.float32)}, "the arrays"),
    ({}, {"latents": None}, "no 'latents'"), ({}, {"extra": np.zeros(2)}, "the arrays .*extra"),
    ({}, {"labels": np.full(300, 4)}, "labels outside 0 to 3"), ({}, {"labels": np.full(300, -1)}, "labels outside"),
    ({}, {"collapse_points": np.zeros((4, 3))}, "the arrays .*collapse_points"),
    ({}, {"latents": np.full((300, 2), np.inf, np.float32)}, "latents that are not finite"),
]


def test_a_moment_with_older_names_is_read(moments, tmp_path):
    folder = tmp_path / "s"
    start_study(folder, head())
    repack(add_moment(folder, 0, moments[0]), {}, {"collapse_points": None, "points": moments[0].collapse_points})
    same_moment(open_study(folder).moments[0], moments[0])


@pytest.mark.parametrize(("change", "arrays", "message"), BAD_MOMENTS)
def test_a_moment_that_is_none_is_refused(change, arrays, message, moments, tmp_path):
    folder = tmp_path / "s"
    start_study(folder, head())
    repack(add_moment(folder, 0, moments[0]), change, arrays)
    with pytest.raises(StudyError, match=f"moment-0000.safetensors: .*{message}"):
        open_study(folder)


@pytest.mark.parametrize(("change", "metadata", "message"), [
    ({"task": "dance"}, {}, "the task 'dance'"), ({"planned": 0}, {}, "0 planned parts"),
    ({"planned": True}, {}, "True planned parts"), ({"planned": 10**9}, {}, "1000000000 planned parts"),
    ({"titles": []}, {}, "1 runs and 0 titles"), ({"titles": [3]}, {}, "'3' where a text"),
    ({"configs": [{"colour": 1}]}, {}, "colour: expected a known setting"), ({"configs": 3}, {}, "not iterable"),
    ({"class_names": []}, {}, "the task 'follow'"), ({"class_names": ["x" * 501]}, {}, "at most 500 letters"),
    ({}, {"kind": "film"}, "expected the head of a study, got 'film'"), ({}, {"part": "row"}, "expected the head"),
    ({}, {"info": "{"}, "expected a whole file of a study"), ({}, {"info": "[1]"}, "expected a whole file of a study"),
    ({"format": 2}, {}, "expected format 1"),
])
def test_a_head_that_is_none_is_refused(change, metadata, message, tmp_path):
    folder = tmp_path / "s"
    start_study(folder, head())
    repack(folder / "study.safetensors", change, **metadata)
    with pytest.raises(StudyError, match=f"study.safetensors: .*{message}"):
        open_study(folder)


def test_rows_that_are_none_are_refused(tmp_path):
    for change, message in (({"robustness": {"deepfool": "x"}}, "'x' where a number belongs"),
                            ({"config": {}, "title": None}, "'None' where a text"), ({"samples": -2}, "whole number")):
        folder = tmp_path / str(message[:4])
        start_study(folder, Study("sweep", (RUN,), ("a",), (), 1))
        repack(add_row(folder, 0, row(1.0, 2.0)), change)
        with pytest.raises(StudyError, match=f"row-0000.safetensors: .*{message}"):
            open_study(folder)


@pytest.mark.parametrize("spoil", [
    lambda raw: raw[:-5], lambda raw: raw[:20], lambda raw: b"", lambda raw: b"\x80\x04cos\nsystem\n",
    lambda raw: (10**15).to_bytes(8, "little") + raw[8:], lambda raw: raw[:8] + b"[" * 100_000,
    lambda raw: raw[:8] + b"\xff" * 40 + raw[48:], lambda raw: b"PK\x03\x04" + raw])
def test_damaged_files_are_refused_in_one_line(spoil, moments, tmp_path):
    folder = tmp_path / "s"
    start_study(folder, head())
    path = add_moment(folder, 0, moments[0])
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(StudyError, match=r"moment-0000\.safetensors: expected") as error:
        open_study(folder)
    assert "\n" not in str(error.value)


def test_what_is_no_study_at_all_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"expected a study with study\.safetensors in .*nowhere, got No such"):
        open_study(tmp_path / "nowhere")
    folder = tmp_path / "s"
    start_study(folder, head())
    (folder / "moment-0000.safetensors").symlink_to("/etc/hostname")
    with pytest.raises(StudyError, match="expected an ordinary file, got another kind"):
        open_study(folder)


# ---- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def lpc(shell):
    """``lpc study`` in this process: status, lines of stdout, stderr."""

    def run(*arguments):
        status, out, errors = shell("study", *arguments)
        return status, out.splitlines(), errors

    return run


SETTINGS = [f"{name}={value}" for name, value in QUICK.items()]


def test_follow_prints_a_line_per_moment_and_writes_each(lpc, moments, tmp_path):
    status, lines, _ = lpc("follow", *SETTINGS, "--moments", 5, "--json", "--out", tmp_path / "s")
    assert status == 0
    told = [json.loads(line) for line in lines]
    found = [line for line in told if "moment" in line]
    assert [line["moment"] for line in found] == [0, 1, 2, 3, 4]
    assert [line["file"] for line in found] == sorted(path.name for path in (tmp_path / "s").glob("moment-*"))
    assert [line["share"] for line in told if "share" in line][-1] == 1.0
    study = open_study(tmp_path / "s")
    assert study.complete
    for one, line, other in zip(moments, found, study.moments, strict=True):
        same_moment(one, other)
        assert line["readings"]["nc1_pinv"] == pytest.approx(one.readings["nc1_pinv"].value, nan_ok=True)
        assert line["in_tpt"] == one.in_tpt
    _, lines, _ = lpc("follow", *SETTINGS, "--moments", 3, "--spacing", "even")
    assert [line.split()[0] for line in lines] == ["step", "0", "30", "60"]


def test_sweep_prints_a_line_per_run_and_r_at_the_end(lpc, monkeypatch, tmp_path):
    monkeypatch.setattr(studies, "default_sweep", lambda base: [(f"γ → {end}", unflatten({"gamma_end": end}, base))
                                                                for end in (0.1, 1.0, 10.0, 100.0)])
    status, lines, _ = lpc("sweep", *SETTINGS, "--samples", 8, "--json", "--out", tmp_path / "s")
    assert status == 0
    told = [json.loads(line) for line in lines]
    rows = [line for line in told if "row" in line]
    assert [row["title"] for row in rows] == ["γ → 0.1", "γ → 1.0", "γ → 10.0", "γ → 100.0"]
    study = open_study(tmp_path / "s")
    assert study.complete
    assert [row.robustness for row in study.rows] == [row["robustness"] for row in rows]
    assert told[-1]["pearson"]["ddn"]["log"]["r"] == pytest.approx(pearson(study.rows, "ddn")["log"].r)
    _, lines, _ = lpc("sweep", *SETTINGS, "--samples", 8)
    assert lines[0].split() == ["gamma", "train", "test", "separation", "deepfool", "ddn", "smallest",
                                "longer"]
    assert lines[1].endswith("γ → 0.1")
    assert lines[-1].startswith("Pearson r of 𝓡 against smallest, log: ")


@pytest.mark.parametrize(("arguments", "message"), [
    (["dance"], "lpc: Invalid value for 'task': Value error, 'dance' is not one of 'follow', 'sweep'"),
    (["follow", "classes"], "lpc: settings: expected NAME=VALUE, got 'classes'"),
    (["follow", "classes=1"], "lpc: classes: expected a whole number"),
    (["follow", "--moments", "1"], "lpc: moments: expected 2 to 600"),
    (["follow", *SETTINGS, "--spacing", "dense"], "lpc: spacing: expected early, log, even, got 'dense'"),
    (["sweep", *SETTINGS, "--samples", "1"], "lpc: samples: expected 2 to 10,000, got 1"),
    (["follow", *SETTINGS, "--device", "cuda:99", "--moments", "2"], "lpc: device: expected one of auto, cpu"),
    (["follow", *SETTINGS, "--out", "/no/such/place"], "lpc: out: expected a folder inside an existing one, got /no"),
    (["follow", *SETTINGS, "--out", "."], "lpc: out: expected a new or an empty folder, got . with files in it"),
])
def test_a_refused_study_is_one_line(arguments, message, lpc):
    status, _, errors = lpc(*arguments)
    assert status == 2
    assert errors.startswith(message)
    assert errors.count("\n") == 1
