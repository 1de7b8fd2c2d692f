from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.live.frames import BINS, FrameError, decode, encode, encode_notice, encode_thumbs, moment
from app.live.messages import View
from app.training.camera import Camera, RangeKeeper
from lpc_core.config import unflatten
from lpc_core.engine.trainer import Trainer
from lpc_core.snapshot import Snapshot
from tests.app.live._page import as_one

INFO = {"run": 1, "frame": 7, "steps": 100, "gamma_seq": 3, "state": "running", "steps_per_s": 1.5, "sentence": "s"}


def snapshot(latents: np.ndarray, classes: int = 3, theory: bool = True, **changes: object) -> Snapshot:
    n, d = latents.shape
    labels = np.arange(n) % classes
    means = np.full((classes, d), np.nan)
    for c in range(min(n, classes)):
        means[c] = latents[labels == c].mean(axis=0)
    parts = {"step": 5, "gamma": 0.5, "gamma_sum": 0.25, "gamma_target": 1.0, "gamma_mode": "hand", "lr": 0.1,
             "head_lr": 0.2, "latents": latents.astype(np.float32), "labels": labels, "predictions": labels,
             "weight": np.ones((classes, d)), "bias": np.zeros(classes), "means": means,
             "collapse_points": np.ones((classes, d)) if theory else None,
             "forces": np.ones((3, classes, d)) if theory else None, "metrics": {"ce": 0.5, "nc1_pinv": math.nan}}
    return Snapshot(**parts | changes)


def frame(view: View, shown: Snapshot) -> tuple[dict, dict[str, np.ndarray]]:
    projection = Camera(shown.latents.shape[1]).look(view, shown.latents)
    kind, info, arrays = decode(encode("frame", INFO, [moment(shown, projection)]))
    assert kind == "frame"
    return as_one(info), {name.removeprefix("0."): array for name, array in arrays.items()}


@settings(max_examples=60)
@given(n=st.integers(1, 60), d=st.integers(1, 9), classes=st.integers(2, 20), dims=st.sampled_from([2, 3]),
       nodes=st.lists(st.integers(0, 511), min_size=1, max_size=3), large=st.lists(st.integers(0, 511), max_size=8),
       scale=st.floats(1e-6, 1e6), seed=st.integers(0, 1000))
def test_a_frame_comes_back_as_it_was(*, n, d, classes, dims, nodes, large, scale, seed):
    latents = np.random.default_rng(seed).normal(size=(n, d)) * scale
    shown = snapshot(latents, classes)
    info, arrays = frame(View(type="view", nodes=nodes, dims=dims, large=large), shown)
    used = info["nodes"]
    assert len(used) == min(d, dims) == len(set(used))
    assert used[: len([x for x in dict.fromkeys(nodes) if x < d])] == [x for x in dict.fromkeys(nodes) if x < d][:dims]
    drawn = arrays["xy"] * info["scale"]
    assert drawn.shape == (n, dims)
    np.testing.assert_allclose(drawn[:, : len(used)], shown.latents[:, used], atol=info["scale"] * 0.501)
    assert not drawn[:, len(used):].any()
    np.testing.assert_allclose(arrays["means"][:, : len(used)], shown.means[:, used], rtol=1e-5)
    assert arrays["hist"].shape == (d, BINS)
    assert (arrays["hist"].sum(axis=1) == n).all()
    assert arrays["hist_class"].shape == (len(info["large"]), classes if classes <= 12 else 1, BINS)
    for row, node in enumerate(info["large"]):
        np.testing.assert_array_equal(arrays["hist_class"][row].sum(axis=0), arrays["hist"][node])
    assert np.abs(shown.latents).max() <= info["hist_range"] * (1 + 1e-6)
    assert info["metrics"] == {"ce": 0.5, "nc1_pinv": None}


def test_histograms_agree_with_numpys():
    latents = np.random.default_rng(0).normal(size=(500, 3))
    shown = snapshot(latents)
    info, arrays = frame(View(type="view", large=[1]), shown)
    edges = np.linspace(-info["hist_range"], info["hist_range"], BINS + 1)
    for node in range(3):
        np.testing.assert_array_equal(arrays["hist"][node], np.histogram(shown.latents[:, node], edges)[0])
    of_class = shown.latents[shown.labels == 2, 1]
    np.testing.assert_array_equal(arrays["hist_class"][0, 2], np.histogram(of_class, edges)[0])


def test_without_theory_there_are_no_points_and_no_forces():
    info, arrays = frame(View(type="view"), snapshot(np.eye(3), theory=False))
    assert not {"collapse_points", "forces"} & arrays.keys()
    assert info["predicted_radius"] is None


def test_a_diverged_run_is_still_a_valid_frame():
    latents = np.array([[np.nan, 1.0], [np.inf, -2.0], [1e30, 0.0]])
    raw_info, arrays = frame(View(type="view"), snapshot(latents, means=np.full((3, 2), np.inf)))
    assert raw_info["scale"] > 0
    assert arrays["xy"][0, 0] == 0


def test_absent_classes_stay_nan_in_buffers_and_are_null_in_json():
    raw = encode_notice("info", "x", progress=math.nan)
    assert b"NaN" not in raw
    assert decode(raw)[1]["progress"] is None
    _, arrays = frame(View(type="view"), snapshot(np.ones((2, 2)), classes=3))
    assert np.isnan(arrays["means"][2]).all()


def test_the_other_kinds():
    labels = np.array([0, 1, 99])
    part = {"history": {"ce": [1.0, math.inf]}}, {"labels": labels.astype(np.uint8)}
    kind, info, arrays = decode(encode("setup", {"run": 2}, [part]))
    assert (kind, info["panels"][0]["history"]["ce"]) == ("setup", [1.0, None])
    np.testing.assert_array_equal(arrays["0.labels"], labels.astype(np.uint8))
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1)[:, ::-1]  # not contiguous
    np.testing.assert_array_equal(decode(encode_thumbs(2, pixels))[2]["pixels"], pixels)


def test_the_header_is_what_a_browser_reads():
    raw = encode("frame", INFO, [moment(snapshot(np.eye(3)), Camera(3).look(View(type="view"), np.eye(3)))])
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    for name, tensor in header.items():
        if name != "__metadata__":
            width = {"I16": 2, "U16": 2, "U8": 1, "F32": 4}[tensor["dtype"]]
            assert (8 + length + tensor["data_offsets"][0]) % width == 0  # typed arrays can be laid over it


@pytest.mark.parametrize("raw", [b"", b"x" * 7, b"\0" * 8, b"\xff" * 40, encode_notice("info", "x")[:-1] + b"\0\0"])
def test_what_is_not_a_frame_is_refused(raw):
    with pytest.raises(FrameError, match="expected a frame"):
        decode(raw)


def test_pca_and_nodes_agree_on_distances():
    latents = np.random.default_rng(1).normal(size=(80, 2))
    plane, nodes = (frame(View(type="view", projection=p), snapshot(latents)) for p in ("pca", "nodes"))
    length = [np.linalg.norm(arrays["xy"] * info["scale"], axis=1) for info, arrays in (plane, nodes)]
    np.testing.assert_allclose(*length, atol=1e-3)
    assert plane[0]["nodes"] == []
    one, _ = frame(View(type="view", projection="pca", dims=3), snapshot(latents[:, :1]))
    assert one["dims"] == 3


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=50))
def test_the_histogram_range_holds_everything_and_is_never_far_too_wide(tops):
    keeper = RangeKeeper()
    for top in tops:
        drawn = keeper.update(top)
        assert top <= drawn * (1 + 1e-12)
        assert drawn <= top * 2**0.75 * (1 + 1e-9) * 2**0.5


def test_the_histogram_range_does_not_flicker():
    keeper = RangeKeeper()
    assert len({keeper.update(1 + 0.1 * math.sin(i)) for i in range(100)} - {keeper.update(1.1)}) <= 1


def test_parts_of_several_runs_travel_in_one_message():
    parts = [({"step": 3, "gamma": math.nan}, {"xy": np.full((2, 2), i, np.int16)}) for i in range(3)]
    kind, info, arrays = decode(encode("frame", {"run": 1, "step": 3}, parts))
    assert kind == "frame"
    assert info == {"run": 1, "step": 3, "panels": [{"step": 3, "gamma": None}] * 3}
    assert {name: int(array.max()) for name, array in arrays.items()} == {"0.xy": 0, "1.xy": 1, "2.xy": 2}


def test_a_frames_radius_is_the_metric_and_is_the_same_where_nothing_was_measured():
    run = Trainer(unflatten({"samples": 200, "test_samples": 20, "latent_dim": 3}), "cpu")
    measured, drawn = run.snapshot(), run.snapshot(metrics=False)
    view = View(type="view")
    assert frame(view, measured)[0]["norm_mean"] == measured.metrics["norm_mean"]
    assert frame(view, drawn)[0]["norm_mean"] == pytest.approx(measured.metrics["norm_mean"], rel=1e-12)
    assert frame(view, measured)[0]["predicted_radius"] == pytest.approx(measured.metrics["predicted_radius"])
