"""Films: what is recorded, what is kept, what is refused, and what the marks say."""

import dataclasses
import json
import math
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from lpc_core.config import RunConfig, unflatten
from lpc_core.engine.trainer import Trainer
from lpc_core.film import (
    Film,
    FilmError,
    check_gammas,
    collapse_onset,
    film_bytes,
    frame_steps,
    open_film,
    parse_gammas,
    run_of,
    save_film,
    shortened,
    total_collapse,
)
from lpc_core.film._asking import check_memory, film_memory
from lpc_core.film._file import DERIVED
from lpc_core.film._film import LEVELS, layout, pack_classes, quantise
from lpc_core.film.record import common_plane, histogram, record, span
from lpc_core.phase import Phase, phases_of
from lpc_core.snapshot import OLD_NAMES

METRICS = ["within_class_spread", "train_accuracy", "nc1_pinv", "norm_mean", "predicted_radius"]
SMALL = unflatten({"samples": 400, "test_samples": 100, "steps": 60, "ramp_steps": 40, "batch_size": 32})


def made(g=3, t=4, n=20, classes=4, nodes=2, seed=0):  # noqa: PLR0917
    """A film of random numbers that obeys the layout."""
    rng = np.random.default_rng(seed)
    info = {"title": "Made", "class_names": [f"c{i}" for i in range(classes)], "nodes": nodes,
            "axes": "nodes" if nodes <= 3 else "pca", "theory_note": "", "metrics": METRICS, "diverged": []}
    tensors = {}
    for name, (dtype, shape) in layout(classes, nodes, len(METRICS), (g, t, n)).items():
        kind = np.dtype(dtype)
        if kind.kind == "f":
            tensors[name] = rng.random(shape).astype(kind)
        elif name == "predictions":
            tensors[name] = pack_classes(rng.integers(0, classes, (g, t, n)), classes)
        else:
            low = -127 if name == "codes" else 0
            tensors[name] = rng.integers(low, np.iinfo(kind).max, shape, endpoint=True).astype(kind)
    for name in (*DERIVED, "gammas", "steps", "labels"):
        del tensors[name]
    steps = np.arange(t, dtype=np.int32)
    labels = (np.arange(n) % classes).astype(np.uint8)
    return Film(RunConfig(), info, np.geomspace(0.1, 10, g), steps, labels, tensors)


def with_metrics(spread, accuracy, nc1=()):
    """A film of one moment; NC1, where it is not given, goes with the accuracy: classes that guess overlap."""
    film = made(g=len(spread), t=1, n=12)
    film.tensors["metrics"][2, :, 0] = nc1 or np.where(np.asarray(accuracy) < 0.3, 5.0, 0.01)
    film.tensors["metrics"][0, :, 0] = spread
    film.tensors["metrics"][1, :, 0] = accuracy
    return dataclasses.replace(film, gammas=10.0 ** np.arange(len(spread)))


@pytest.fixture(scope="module")
def recorded():
    return record(SMALL, [0.01, 1.0, 100.0], frames=5, points=50, device="cpu")


# ---- recording -----------------------------------------------------------------------------------------------------


def test_a_films_run_is_the_trainers_run_at_that_gamma(recorded):
    for index, gamma in enumerate(recorded.gammas):
        alone = Trainer(run_of(SMALL, float(gamma)), "cpu")
        alone.probe = _probe_of(alone, 50)
        for frame, step in enumerate(recorded.steps):
            alone.advance(int(step) - alone.step)
            seen = alone.snapshot()
            size = np.abs(seen.latents).max()
            np.testing.assert_allclose(recorded.positions(index, frame), seen.latents, atol=0.02 * size)
            assert recorded.tensors["gamma"][index, frame] == pytest.approx(seen.gamma)
            for name in ("norm_mean", "train_accuracy", "loss", "separation_ratio"):
                known = pytest.approx(seen.metrics[name], rel=2e-2, nan_ok=True)
                assert recorded.metric(name)[index, frame] == known, name
            assert (recorded.predictions(index, frame) == seen.predictions).mean() > 0.97


def test_recorded_steps_give_the_same_film(recorded, monkeypatch):
    """As on a GPU; the recorder of a CPU calls again what it was given."""
    monkeypatch.setattr("lpc_core.film.record.steps_per_replay", lambda device, engine: 32)
    again = record(SMALL, recorded.gammas, frames=5, points=50, device="cpu")
    np.testing.assert_allclose(again.metric("loss"), recorded.metric("loss"), rtol=1e-3)
    assert (again.tensors["predictions"] == recorded.tensors["predictions"]).mean() > 0.97


def _probe_of(trainer, points):
    from lpc_core.engine.probe import make_probe

    return make_probe(trainer.dataset, trainer.batches.normalise, points, trainer.config.seed, trainer.device)


def test_all_runs_start_alike_and_end_apart(recorded):
    np.testing.assert_array_equal(recorded.positions(0, 0), recorded.positions(2, 0))
    radius = recorded.metric("norm_mean")[:, -1]
    assert radius[0] > 2 * radius[2]


def test_wide_latents_are_drawn_on_one_plane_and_keep_histograms():
    config = unflatten({"latent_dim": 5}, SMALL)
    film = open_film(film_bytes(record(config, [0.1, 10.0], frames=3, points=40, device="cpu")))
    assert film.info["axes"] == "pca"
    assert film.tensors["codes"].shape == (2, 3, 40, 2)
    assert film.tensors["hist"].shape == (2, 3, 5, 48)
    assert film.tensors["hist"].max(axis=3).min() == 255


def test_models_the_fused_engine_cannot_train_are_trained_one_after_the_other(monkeypatch):
    monkeypatch.setattr("lpc_core.film.record.supports", lambda config, shape: "it is asked not to")
    said = []
    film = record(SMALL, [0.1, 10.0], frames=3, points=40, device="cpu", progress=lambda share, what: said.append(what))
    assert said[-1] == "γ 2 of 2"
    assert film.metric("norm_mean")[0, -1] > film.metric("norm_mean")[1, -1]
    long = dataclasses.replace(SMALL, steps=150_000)
    with pytest.raises(FilmError, match=r"expected at most 100,000 for 2 runs.*one γ after the other.*choose fewer"):
        record(long, [0.1, 10.0], device="cpu")


def test_a_film_of_another_loss_says_why_it_shows_no_predicted_points():
    pytest.importorskip("pytorch_metric_learning")
    film = record(unflatten({"loss": "cosface"}, SMALL), [0.1, 10.0], frames=2, points=40, device="cpu")
    assert np.isnan(film.tensors["collapse_points"]).all()
    assert "this run's loss is cosface" in film.info["theory_note"]


def test_a_run_that_diverges_holds_its_last_picture_and_loses_its_numbers():
    config = unflatten({"lr": 10.0, "head_lr": 10.0, "optimizer": "sgd", "momentum": 0.0, "activation": "relu"}, SMALL)
    film = record(config, [0.001, 100.0], frames=6, points=40, device="cpu")
    assert film.info["diverged"]
    run, step = film.info["diverged"][0]
    assert step > 0
    assert np.isnan(film.metric("norm_mean")[run, -1])
    assert np.isfinite(film.positions(run, 5)).all()
    open_film(film_bytes(film))


def test_progress_that_raises_ends_the_work():
    class Enough(Exception):
        pass

    def stop(share, what):
        if share > 0.3:
            raise Enough

    with pytest.raises(Enough):
        record(SMALL, [0.1, 1.0], frames=5, points=40, device="cpu", progress=stop)


def test_a_shortened_run_keeps_its_shape():
    short = shortened(RunConfig(), 600)
    assert (short.steps, short.gamma.ramp_steps) == (600, 500)


@given(st.integers(2, 200), st.integers(0, 5_000))
def test_frames_grow_from_the_first_step_to_the_last(frames, more):
    steps = frame_steps(frames + more, frames)
    assert steps[0] == 0
    assert steps[-1] == frames + more
    assert (np.diff(steps) > 0).all()


# ---- asking --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "message"), [
    ("1,1,2", r"expected each value once, got 1 twice; leave one out"),
    ("2,1,2", r"expected each value once, got 2 twice"),
    ("0,1", r"expected numbers above 0 and at most 1e\+08, got 0; leave it out"),
    ("-1,1", r"got -1; leave it out"),
    ("3,2", r"expected growing values, got 3 before a smaller one; sort them"),
    ("1", r"expected 2 to 64 values, got 1; add some"),
    (",".join(map(str, range(1, 66))), r"expected 2 to 64 values, got 65; leave some out"),
    ("1,two", r"expected a number, got 'two'; write 1e-3:1e5:32"),
    ("nan,1", r"expected a number, got 'nan'"),
    ("1:10", r"expected from:to:count such as 1e-3:1e5:32, got '1:10'"),
    ("10:1:4", r"expected from:to:count with 0 < from < to"),
    ("1:10:4.5", r"expected from:to:count with"),
    ("0:10:4", r"expected from:to:count with"),
    ("", r"expected 2 to 64 values, got 0"),
    ("1,2" + "0" * 4_000, r"expected at most 4,000 letters, got 4,003"),
])
def test_bad_gammas_are_refused_with_what_to_do(text, message):
    with pytest.raises(FilmError, match=message):
        parse_gammas(text)


def test_good_gammas():
    np.testing.assert_allclose(parse_gammas("1e-3:1e1:5"), [1e-3, 1e-2, 1e-1, 1, 10])
    np.testing.assert_array_equal(parse_gammas(" 0.1, 1,10 "), [0.1, 1, 10])
    with pytest.raises(FilmError, match="expected numbers"):
        check_gammas(["a", "b"])


def test_more_than_memory_allows_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr("lpc_core.film._asking.available_memory", lambda: 30_000_000)
    touched = []
    monkeypatch.setattr("lpc_core.film.record.load", lambda *_: touched.append(1))
    run = unflatten({"samples": 10_000}, SMALL)
    with pytest.raises(FilmError, match=r"memory: expected room for [\d,]+ MB \(twice this film's [\d,]+ MB\), got 30 "
                                        r"MB available; choose fewer γ, frames or points"):
        record(run, parse_gammas("1e-3:1e5:64"), frames=61, points=10_000)
    assert not touched


def test_the_memory_estimate_covers_the_film(monkeypatch):
    film = made(g=8, t=10, n=500, classes=10, nodes=8)
    held = sum(array.nbytes for array in film.tensors.values()) + 8 * 10 * 500 * 8 * 4
    assert held <= film_memory(8, 10, 500, 8, 10) < 1.5 * held
    monkeypatch.setattr("lpc_core.film._asking.available_memory", lambda: 20)
    check_memory(10)
    with pytest.raises(FilmError, match="memory"):
        check_memory(11)


@pytest.mark.parametrize(("frames", "points", "message"), [
    (1, 100, "frames: expected 2 to 600, got 1"), (601, 100, "frames: expected 2 to 600"),
    (100, 100, "frames: expected at most 61 for a run of 60 steps, got 100; train longer"),
    (10, 3, "points: expected 10 to 10000, got 3"),
])
def test_bad_sizes_are_refused(frames, points, message):
    with pytest.raises(FilmError, match=message):
        record(SMALL, [1, 2], frames=frames, points=points)


# ---- packing -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.sampled_from([1e-9, 1.0, 1e6]))
@settings(max_examples=40)
def test_positions_come_back_within_a_share_of_their_class(seed, size):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 60)
    centres = rng.normal(size=(3, 2))
    positions = centres[labels] + size * rng.normal(size=(60, 2)) * np.array([1.0, 1e-3, 0])[labels][:, None]
    means = np.stack([positions[labels == c].mean(axis=0) if (labels == c).any() else [np.nan] * 2 for c in range(3)])
    codes, reach = quantise(positions, means, labels)
    back = means.astype(np.float32)[labels] + reach[labels, None] * LEVELS[codes.astype(int) + 127]
    error = np.abs(back - positions).max(axis=1)
    assert (error <= 0.0081 * reach[labels] + 1e-5 * np.abs(positions).max()).all()


def test_predictions_come_back():
    for classes, n in ((4, 21), (16, 20), (17, 21)):
        film = made(g=2, t=2, n=n, classes=classes)
        predictions = np.random.default_rng(0).integers(0, classes, n)
        film.tensors["predictions"][1, 1] = pack_classes(predictions, classes)
        np.testing.assert_array_equal(film.predictions(1, 1), predictions)


def test_one_plane_for_all_frames_shows_the_directions_that_vary():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(2, 3, 50, 6)) * np.array([0.1, 5, 0.1, 3, 0.1, 0.1])
    latents *= 10.0 ** -np.arange(3)[:, None, None]  # each frame ten times smaller than the one before
    plane = common_plane(latents)
    np.testing.assert_allclose(np.abs(plane[[1, 3], [0, 1]]), 1, atol=0.01)
    np.testing.assert_allclose(plane.T @ plane, np.eye(2), atol=1e-12)


def test_histograms_count_what_lies_where():
    latents = np.array([[-1.0], [-1.0], [0.999], [0.0]])
    hist = histogram(latents, span(latents))
    assert hist.shape == (1, 48)
    assert (hist[0, 0], hist[0, 47], hist[0, 24]) == (255, 128, 128)
    assert span(np.zeros((2, 2))) == 1.0


# ---- saving and opening --------------------------------------------------------------------------------------------


@given(st.integers(2, 5), st.integers(2, 5), st.integers(10, 30), st.sampled_from([2, 12, 13, 16, 17]),
       st.sampled_from([1, 2, 3, 4, 20]))
@settings(max_examples=25)
def test_a_film_comes_back_as_it_was(g, t, n, classes, nodes):
    film = made(g, t, n, min(classes, n), nodes)
    if n % 2:  # films of older versions bring no words
        film.info["words"] = {name: {"title": name, "theory": False} for name in METRICS}
    back = open_film(film_bytes(film))
    assert back.config == film.config
    assert back.info == film.info
    for name in ("gammas", "steps", "labels"):
        np.testing.assert_array_equal(getattr(back, name), getattr(film, name))
    assert back.tensors.keys() == film.tensors.keys()
    for name, array in film.tensors.items():
        np.testing.assert_array_equal(back.tensors[name], array)


@pytest.mark.parametrize(("classes", "nodes"), [(4, 2), (10, 2), (16, 3), (10, 8), (16, 64)])
def test_a_film_of_32_by_60_by_1000_stays_below_8_mb_and_opens(classes, nodes):
    raw = film_bytes(made(32, 60, 1_000, classes, nodes))
    assert len(raw) <= 8_000_000
    assert open_film(raw).tensors["codes"].shape[:3] == (32, 60, 1_000)


def test_saving_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.film.safetensors"
    assert save_film(made(), path) == path.stat().st_size
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        save_film(made(seed=1), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


RAW = film_bytes(made())


@given(st.data())
@settings(max_examples=60)
def test_a_film_cut_short_or_edited_is_refused(data):
    if data.draw(st.booleans()):
        bad = RAW[: data.draw(st.integers(0, len(RAW) - 1))]
    else:
        at = data.draw(st.integers(0, len(RAW) - 1))
        bad = RAW[:at] + bytes([RAW[at] ^ data.draw(st.integers(1, 255))]) + RAW[at + 1:]
    with pytest.raises(FilmError, match="expected"):
        open_film(bad)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_film_are_refused(raw):
    with pytest.raises(FilmError, match="expected"):
        open_film(raw)


def forged(change, tensors=None):
    """A film whose info was changed by ``change`` and whose checksum is right."""
    arrays = safetensors.numpy.load(RAW)
    header = json.loads(RAW[8: 8 + int.from_bytes(RAW[:8], "little")])
    info = json.loads(header["__metadata__"]["info"])
    change(info)
    if tensors:
        tensors(arrays)
    text = json.dumps(info)
    blank = safetensors.numpy.save(arrays, metadata={"kind": "film", "info": text, "crc32": "0" * 8})
    return blank.replace(b'"crc32":"00000000"', f'"crc32":"{zlib.crc32(blank):08x}"'.encode(), 1)


def nothing(info):
    pass


@pytest.mark.parametrize(("change", "tensors", "message"), [
    (lambda i: i.update(format=99), None, "expected a film in format 1 or 2, got"),
    (lambda i: i.update(nodes=4), None, "expected codes|expected the tensors|expected hist"),
    (lambda i: i.update(nodes="2"), None, "expected info.nodes of type int, got str"),
    (lambda i: i.update(class_names=["a"]), None, "expected"),
    (lambda i: i.update(class_names=["a" * 300] * 4), None, "at most 200 printable letters"),
    (lambda i: i.update(metrics=["a", "b", "c", "d"]), None, "expected the metrics"),
    *[(lambda i, w=w: i.update(words=w), None, "expected words of at most 1,000 letters for each metric")
      for w in (None, {}, [], dict.fromkeys(METRICS, "a title"), {name: {} for name in [*METRICS, "more"]},
                *({name: {"title": title} for name in METRICS} for title in (3, "x" * 1_001)))],
    (lambda i: i.update(theory_note="x" * 1_001), None, "expected a theory_note of at most 1,000 letters, got 1,001"),
    (lambda i: i.update(diverged=[[3, 5]]), None, "expected runs below 3 in info.diverged"),
    (lambda i: i["config"].update(steps=-1), None, "steps: expected a whole number"),
    (lambda i: i["config"].update(evil=1), None, "evil"),
    (lambda i: i.update(config={"hidden": {}}), None, "expected a film of a run this version knows"),
    (nothing, lambda a: a.pop("codes"), "a difference in codes"),
    (nothing, lambda a: a.update(more=np.zeros(1)), "a difference in more"),
    (nothing, lambda a: a.update(codes=a["codes"].astype(np.int16)), "expected codes int8"),
    (nothing, lambda a: a.update(codes=a["codes"][:, :, :5]), "expected codes int8"),
    (nothing, lambda a: a["codes"].fill(-128), "expected codes from -127"),
    (nothing, lambda a: a["labels"].fill(9), "expected labels below 4, got 9"),
    (nothing, lambda a: a["predictions"].fill(4 << 4), "expected predictions below 4, got 4"),
    (nothing, lambda a: a["gammas"].fill(1), "expected each value once"),
    (nothing, lambda a: a["gammas"].__setitem__(0, math.nan), "expected numbers above 0"),
    (nothing, lambda a: a["steps"].fill(0), "expected"),
    (nothing, lambda a: a["steps"].__setitem__(-1, 10**6), "expected growing steps from 0 to 6000"),
    (nothing, lambda a: a["reach"].__setitem__((0, 0, 0), math.nan), "expected finite reach"),
    (nothing, lambda a: a["means"].__setitem__((0, 0, 0), math.inf), "expected finite means"),
    (nothing, lambda a: a.update(labels=np.zeros(0, np.uint8)), "expected"),
])
def test_a_film_that_lies_is_refused_even_with_a_right_checksum(change, tensors, message):
    with pytest.raises(FilmError, match=message):
        open_film(forged(change, tensors))


def test_other_safetensors_files_and_missing_files_are_refused(tmp_path):
    with pytest.raises(FilmError, match="expected a film, got 'frame'"):
        open_film(safetensors.numpy.save({"a": np.zeros(3)}, metadata={"kind": "frame"}))
    with pytest.raises(FilmError, match=r"expected a film at none.safetensors, got No such file"):
        open_film(tmp_path / "none.safetensors")
    bomb = (2**62).to_bytes(8, "little") + b"{}"
    with pytest.raises(FilmError, match="expected a whole film, got 10 bytes"):
        open_film(bomb)
    with pytest.raises(FilmError, match="expected a whole film, got 8 bytes"):
        open_film(RAW[:8])


# ---- marks ---------------------------------------------------------------------------------------------------------


def test_marks_say_where_collapse_sets_in_and_where_it_is_total():
    film = with_metrics([0.5, 0.2, 0.09, 0.05, 0.2, 0.02], [1, 1, 1, 0.99, 0.25, 0.25])
    assert collapse_onset(film) == 100  # the lost ones do not count, however small they are
    assert total_collapse(film) == 10_000
    assert film.phases[:, 0].tolist() == [Phase.CLOUDS, Phase.FALLING, Phase.COLLAPSED, Phase.COLLAPSED, Phase.TOTAL,
                                           Phase.TOTAL]


def test_a_worse_accuracy_is_no_total_collapse():
    """The γ from which every run is lost; four clouds of which 80 % are told right are not."""
    assert total_collapse(with_metrics([0.5] * 4, [1, 0.2, 1, 0.2])) == 1_000
    assert math.isnan(total_collapse(with_metrics([0.5] * 4, [1, 1, 1, 0.797])))
    assert math.isnan(total_collapse(with_metrics([0.5] * 4, [1, 1, 1, 0.25], [0.1, 0.1, 0.1, 0.3])))
    assert math.isnan(collapse_onset(with_metrics([0.5] * 4, [1, 1, 1, 1])))


def test_a_film_that_did_not_measure_it_has_no_marks():
    film = with_metrics([0.01] * 3, [1, 1, 0.25])
    film.info["metrics"] = ["within_class_spread", "train_accuracy", "old", "norm_mean", "predicted_radius"]
    assert not film.phases.any()
    assert math.isnan(total_collapse(film))
    assert math.isnan(collapse_onset(film))


def test_a_film_with_the_names_of_format_1_opens_as_any_other():
    older = {now: old for old, now in OLD_NAMES.items()}

    def rename(arrays):
        for now, old in older.items():
            arrays[old] = arrays.pop(now)

    film, new = open_film(forged(lambda info: info.update(format=1), rename)), open_film(RAW)
    assert film_bytes(film) == film_bytes(new) == RAW
    assert set(safetensors.numpy.load(RAW)) >= set(older)
    with pytest.raises(FilmError, match="got a difference in points"):
        open_film(forged(nothing, lambda arrays: arrays.update(points=arrays["collapse_points"])))


def test_an_older_film_without_phases_opens_and_is_written_with_them():
    film = with_metrics([0.01] * 3, [1, 1, 0.25])
    new = film_bytes(film)
    assert safetensors.numpy.load(new)["phase"][:, 0].tolist() == [Phase.COLLAPSED, Phase.COLLAPSED, Phase.TOTAL]
    older = open_film(forged(nothing, lambda arrays: arrays.pop("phase")))
    assert "phase" in safetensors.numpy.load(film_bytes(older))


def test_phases_are_worked_out_once_for_all_marks_of_a_file(monkeypatch):
    film, asked = made(g=4, t=30), []
    monkeypatch.setattr("lpc_core.film._film.phases_of", lambda *metrics: asked.append(1) or phases_of(*metrics))
    film_bytes(film)
    assert len(asked) == 1


def test_marks_before_anything_is_learnt_are_unknown():
    film = with_metrics([0.9, 0.9, 0.9], [0.25, 0.3, 0.2])
    assert math.isnan(total_collapse(film))
    film = with_metrics([0.9, math.nan, 0.01], [math.nan, math.nan, math.nan])
    assert math.isnan(total_collapse(film))


# ---- the command ---------------------------------------------------------------------------------------------------


def lpc(*arguments, cwd, program="lpc_core"):
    root = str(Path(__file__).parents[2])
    return subprocess.run([sys.executable, "-m", program, "film", *arguments], cwd=cwd, capture_output=True,
                          text=True, timeout=600, env={"PYTHONPATH": root, "PATH": ""}, check=False)


def test_the_command_writes_a_film_and_its_page(tmp_path):
    done = lpc("samples=400", "test_samples=100", "steps=40", "--gammas", "0.1,10", "--frames", "4", "--points", "40",
               "--json", "--out", "a.film", "--html", "a.html", cwd=tmp_path, program="app.cli")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["share"] == 1
    assert open_film(tmp_path / "a.film").steps[-1] == 40
    assert b"film-data" in (tmp_path / "a.html").read_bytes()


def test_the_library_alone_writes_no_page_and_says_so_before_any_work(tmp_path):
    refused = lpc("--html", "a.html", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith("lpc: html: expected the lab beside the library, which writes pages, got")
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_in_one_line_and_leaves_nothing(tmp_path):
    refused = lpc("--gammas", "1,1", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == "lpc: gammas: expected each value once, got 1 twice; leave one out\n"
    assert list(tmp_path.iterdir()) == []
