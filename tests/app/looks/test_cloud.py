"""The files of a point cloud: what the browser gets of an inspection, and what its head foretells over γ."""

import dataclasses
import json
import math
import re
import stat
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy

from app.looks import cloud, cloud_theory
from app.looks.cloud_theory import predict, predict_for
from lpc_core.checkpoint import Embeddings
from lpc_core.inspection.inspecting import class_centres
from lpc_core.theory import collapse_points
from tests.app._inspections import made


def read(path):
    """Info and arrays of a file, as the browser reads them."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    metadata = json.loads(raw[8 : 8 + length])["__metadata__"]
    return json.loads(metadata["info"]), safetensors.numpy.load(raw)


def column(path, begin, node, shape):
    """One node of a file's array by its bytes alone, as a range request gets it."""
    size = 4 * int(np.prod(shape))
    return np.frombuffer(path.read_bytes()[begin + node * size : begin + (node + 1) * size], "<f4").reshape(shape)


def written(inspection, folder, limit=cloud.MAX_DRAWN):
    sight = cloud.look(inspection, limit)
    paths, info = cloud.write_samples(folder, inspection, sight)
    cloud.write_nodes(paths["nodes"], inspection, sight)
    return sight, paths, info


def test_samples_come_whole_with_nodes_by_range_and_pictures_by_place(tmp_path):
    inspection = made(n=60, d=6, classes=5, images=True, texts=True)
    found = inspection.embeddings
    _, paths, info = written(inspection, tmp_path)
    said, arrays = read(paths["cloud"])
    assert (said["n"], said["total"], said["d"], said["K"]) == (60, 60, 6, 5)
    assert "rows" not in arrays
    assert np.array_equal(arrays["labels"], found.labels)
    assert np.array_equal(arrays["predictions"], found.predictions)
    assert np.array_equal(arrays["pca"].T, inspection.coordinates["pca"])
    for node in (0, 3, 5):
        assert np.array_equal(column(paths["nodes"], said["at"]["nodes"], node, 60), found.latents[:, node])
        assert np.allclose(column(paths["nodes"], said["at"]["head"], node, 5), found.weight[:, node])
    size = int(np.prod(said["image"]))
    begin = info["images_at"] + 7 * size
    assert paths["images"].read_bytes()[begin : begin + size] == found.images[7].tobytes()
    ends = arrays["text_ends"]
    assert bytes(arrays["text_bytes"][ends[9] : ends[10]]).decode() == "sample 10"
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths.values()} == {0o600}


def test_of_many_samples_every_class_is_drawn_in_proportion(tmp_path):
    inspection = made(n=4_000, d=2, classes=4)
    sight, paths, _ = written(inspection, tmp_path, limit=401)
    said, arrays = read(paths["cloud"])
    assert (said["n"], said["total"]) == (401, 4_000)
    assert np.array_equal(arrays["rows"], sight.rows)
    assert (np.diff(sight.rows) > 0).all()
    assert np.array_equal(arrays["labels"], inspection.embeddings.labels[sight.rows])
    counts = np.bincount(arrays["labels"])
    assert counts.max() - counts.min() <= 1


def test_a_class_of_one_sample_is_drawn_among_thousands():
    inspection = made(n=4_001, d=2, classes=3)
    labels = np.repeat([0, 1, 2], [2_000, 1, 2_000])
    rare = dataclasses.replace(inspection, embeddings=dataclasses.replace(inspection.embeddings, labels=labels))
    assert 2_000 in cloud.look(rare, 100).rows


def test_class_means_are_those_of_a_plain_loop_and_nan_without_samples():
    rng = np.random.default_rng(0)
    latents, labels = rng.normal(size=(50, 3)).astype(np.float32), rng.integers(0, 3, 50)
    embeddings = Embeddings(latents, labels, tuple("abcde"))
    means = cloud.look(replace(made(n=50, d=3, classes=5), embeddings=embeddings)).means
    for c in range(3):
        assert np.allclose(means[c], np.mean([row for row, y in zip(latents, labels, strict=True) if y == c], axis=0))
    assert np.isnan(means[3:]).all()


def test_everything_lies_on_the_same_axes_as_the_samples(tmp_path):
    inspection = made(n=500, d=8, classes=4, spread=1e-3)
    sight, paths, _ = written(inspection, tmp_path)
    foretold = predict_for(inspection, sight.means)
    paths |= cloud.write_theory(tmp_path, foretold, sight)
    said, arrays = read(paths["theory"])
    _, samples = read(paths["cloud"])
    means = np.stack([samples["pca"][:, inspection.embeddings.labels == c].mean(axis=1) for c in range(4)], axis=1)
    assert np.allclose(samples["pca_means"], means, atol=1e-5)
    best = arrays["pca_collapse_points"][:, said["best"]]
    assert np.allclose(best, means, atol=0.02 * np.abs(means).max())
    nearest = column(paths["points"], said["at"], 2, (len(said["gammas"]), 4))
    assert np.allclose(nearest, foretold.collapse_points[:, :, 2], equal_nan=True)


def test_captions_and_large_pictures_are_cut(tmp_path):
    inspection = made(n=5, d=2, texts=True)
    found = inspection.embeddings
    wide = np.zeros((5, 130, 70, 1), np.uint8)
    wide[:, ::3, ::3] = 7
    found = replace(found, texts=("ü" * 500, "", "a", "b", "c"), images=wide)
    _, paths, info = written(replace(inspection, embeddings=found), tmp_path)
    _, arrays = read(paths["cloud"])
    assert arrays["text_ends"].tolist() == [400, 400, 401, 402, 403]
    assert info["image"] == [44, 24, 1]
    assert (read(paths["images"])[1]["images"] == 7).all()


# ---- theory --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.003, 0.5, 40.0])
def test_the_best_fit_finds_the_gamma_that_made_the_points(gamma):
    found = made(n=40, d=4, classes=5, gamma=gamma, spread=0).embeddings
    foretold = predict(found.weight, found.bias, class_centres(found))
    assert foretold.gammas[foretold.best] == pytest.approx(gamma, rel=0.06)
    assert foretold.errors[foretold.best] < 0.03
    index = 20
    expected = collapse_points(found.weight, found.bias, foretold.gammas[index])
    assert np.allclose(foretold.collapse_points[index], expected, atol=1e-5 * np.abs(expected).max())


def test_the_gamma_of_training_is_among_them_and_what_the_layout_says_is_said():
    inspection = made(n=40, gamma=2.0, spread=0)
    layout = {"gamma": 2.0, "theory_note": "The layer is not linear."}
    trained = replace(inspection, layout=layout)
    foretold = predict_for(trained, cloud.look(trained).means)
    (at,) = np.flatnonzero(foretold.gammas == 2.0)
    assert foretold.errors[at] < 1e-5
    assert foretold.best == at
    assert (foretold.known, foretold.note) == (2.0, "The layer is not linear.")


@pytest.mark.parametrize(("weight", "note"), [
    (None, "The file has no head"), (np.ones((1, 2)), "at least two classes, got 1"),
    (np.array([[1.0, np.nan], [0, 1]]), "not finite"), (np.ones((1_000, 64)), r"too large \(1,000 × 64\)")])
def test_heads_that_foretell_nothing_say_why(weight, note):
    foretold = predict(weight, None, np.zeros((2, 2)) if weight is None else np.zeros(weight.shape))
    assert len(foretold.gammas) == 0
    assert foretold.best is None
    assert re.search(note, foretold.note)


def test_a_point_the_solver_gives_up_on_is_nan_and_counted(monkeypatch):
    found = made(n=40).embeddings

    def stubborn(weight, bias, gamma, start=None):
        if gamma < 1e-5:
            raise RuntimeError("expected a gradient norm of at most 1e-10, got 1")
        return collapse_points(weight, bias, gamma, start)

    monkeypatch.setattr(cloud_theory, "collapse_points", stubborn)
    foretold = predict(found.weight, found.bias, class_centres(found))
    lost = np.isnan(foretold.collapse_points).any(axis=(1, 2))
    assert np.array_equal(lost, foretold.gammas < 1e-5)
    assert f"No points for {lost.sum()} of {len(foretold.gammas)} values of γ" in foretold.note
    assert math.isnan(foretold.errors[0])
    assert foretold.best is not None
