"""`measure` and `readings`: names, array kinds, labels of all sorts, noise floors, invariances, memory, bad input."""

import math
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lpc_core.metrics import METRICS, Reading, entropy, measure, names, node_peak_distance, readings
from tests.core.metrics._clouds import dealt

ALWAYS = {"nc1_pinv", "nc1_pinv_per_node", "nc1_cdnv", "nc2_equinorm", "nc2_equiangular", "nc2_maxangle",
          "sigma_w_trace", "sigma_w_entry_mean", "within_class_spread", "norm_mean", "norm_cv", "abs_cv",
          "separation_ratio", "entropy_kl", "gmm_log_likelihood", "gmm_std", "gmm_peak_distance",
          "node_peak_distance_mean", "node_peak_distance_min"}
OF_PREDICTIONS = {"accuracy", "nc4_ncc_agreement"}
OF_THE_HEAD = {"nc3_self_duality", "weight_norm", "weight_abs_cv"}
KNOWN = ALWAYS | OF_PREDICTIONS | OF_THE_HEAD  # to these tests; a metric more has tests of its own
COLLAPSE = ("nc1_pinv", "nc1_pinv_per_node", "nc1_cdnv", "sigma_w_trace", "sigma_w_entry_mean", "within_class_spread")
TURNING = ("nc1_pinv", "nc1_cdnv", "nc2_equinorm", "nc2_equiangular", "nc2_maxangle", "norm_cv", "separation_ratio",
           "within_class_spread")
CHEAP = tuple(sorted(ALWAYS - {"entropy_kl", "gmm_log_likelihood", "gmm_std", "gmm_peak_distance"}))


def test_names_follow_what_is_given():
    latents, labels = dealt()
    weight, bias = np.random.default_rng(1).normal(size=(4, 4)), np.zeros(4)
    assert set(measure(latents, labels)) & KNOWN == ALWAYS
    assert set(measure(latents, labels, predictions=labels)) & KNOWN == ALWAYS | OF_PREDICTIONS
    assert set(measure(latents, labels, logits=latents @ weight)) & KNOWN == ALWAYS | OF_PREDICTIONS
    assert set(measure(latents, labels, weight=weight)) & KNOWN == ALWAYS | OF_THE_HEAD
    assert set(measure(latents, labels, weight=weight, bias=bias)) & KNOWN == ALWAYS | OF_PREDICTIONS | OF_THE_HEAD
    assert set(names()) >= KNOWN


def test_every_name_is_explained():
    for name in names():
        metric = METRICS[name]
        assert metric.name == name
        assert all((metric.title, metric.formula, metric.meaning.endswith("."), metric.source))


def test_only_what_is_asked_for_in_that_order(monkeypatch):
    latents, labels = dealt()
    everything = measure(latents, labels)
    wanted = ("norm_cv", "nc1_cdnv", "abs_cv")
    monkeypatch.setattr(entropy, "_entropy", None)  # the others are not even computed
    found = measure(latents, labels, only=iter(wanted))
    assert tuple(found) == wanted
    assert found == {name: everything[name] for name in wanted}


def test_asked_for_but_not_computable_is_nan_with_the_reason():
    latents, labels = dealt()
    wanted = ["nc3_self_duality", "nc4_ncc_agreement", "accuracy", "norm_mean"]
    found = readings(latents, labels, only=wanted)
    assert found["nc3_self_duality"].reason == "needs the head's weight"
    assert found["accuracy"].reason == "needs predictions, or logits, or weight and bias"
    assert [math.isnan(value) for value in measure(latents, labels, only=wanted).values()] == [True, True, True, False]


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"expected only to name some of .*nc1_pinv.*; got 'nc9'; correct the name"):
        measure(*dealt(), only=["nc1_pinv", "nc9"])


def test_the_separation_ratio_groups_by_prediction_where_there_is_one():
    latents, labels = dealt()
    guesses = np.roll(labels, 7)
    by_guess = readings(latents, labels, guesses, only=["separation_ratio"])["separation_ratio"]
    by_label = readings(latents, labels, only=["separation_ratio"])["separation_ratio"]
    assert by_guess.value == pytest.approx(measure(latents, guesses, only="separation_ratio")["separation_ratio"])
    assert by_guess.value != by_label.value
    assert by_guess.reason == "grouped by prediction (as given)"
    assert by_label.reason == "grouped by true label: no predictions given"
    on_centre = readings([[0.0], [0], [1], [3]], [0, 0, 1, 1], only=["separation_ratio"])["separation_ratio"]
    assert on_centre.value == pytest.approx(np.mean([1 / 1, 3 / 1]))
    assert "2 of 4 samples lie on their centroid and are left out" in on_centre.reason
    assert "only one group" in readings(latents, labels * 0, only=["separation_ratio"])["separation_ratio"].reason


def test_peak_distances_are_those_of_the_live_picture():
    latents = dealt()[0].astype(np.float32)
    latents[:, 1] = 0.5
    found = readings(latents, np.zeros(120, int), only=["node_peak_distance_mean", "node_peak_distance_min"])
    expected = node_peak_distance(latents)
    assert found["node_peak_distance_mean"].value == pytest.approx(np.nanmean(expected))
    assert found["node_peak_distance_min"].value == pytest.approx(np.nanmin(expected))
    assert found["node_peak_distance_min"].reason == "1 of 4 nodes never change and are left out"


# ---- array kinds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [
    lambda z: z, lambda z: z.tolist(), np.asfortranarray, lambda z: np.repeat(z, 2, axis=1)[:, ::2],
    torch.from_numpy, lambda z: torch.from_numpy(z.T.copy()).T, lambda z: torch.from_numpy(z).requires_grad_(),
    lambda z: np.ascontiguousarray(z[::-1])[::-1]])
def test_any_kind_of_array_gives_the_same(kind):
    latents, labels = dealt()
    assert measure(kind(latents), torch.from_numpy(labels)) == pytest.approx(measure(latents, labels), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_short_formats_are_read_exactly_and_know_their_floor(dtype):
    latents, labels = dealt()
    short = torch.from_numpy(latents).to(dtype)
    found, exact = readings(short, labels), readings(short.double(), labels)
    for name, reading in found.items():
        if name not in ("node_peak_distance_mean", "node_peak_distance_min", "entropy_kl"):  # know the format too
            assert reading.value == pytest.approx(exact[name].value, rel=1e-9), name
    ratio = torch.finfo(dtype).eps / torch.finfo(torch.float64).eps
    assert found["norm_cv"].floor == pytest.approx(exact["norm_cv"].floor * ratio)
    assert found["sigma_w_trace"].floor == pytest.approx(exact["sigma_w_trace"].floor * ratio ** 2)
    if dtype == torch.float16:
        assert measure(short.numpy(), labels) == pytest.approx(measure(short, labels))


def test_the_input_is_left_as_it_was():
    latents, labels = dealt()
    before = latents.copy()
    measure(latents, labels, logits=latents, weight=np.eye(4), bias=np.zeros(4))
    np.testing.assert_array_equal(latents, before)


# ---- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rename", [
    lambda y: y + 100, lambda y: -3 * y, lambda y: np.array(["cat", "dog", "eel", "fox"])[y],
    lambda y: y.astype(np.uint8), lambda y: [["p", "q", "r", "s"][c] for c in y],
    lambda y: np.array(["a", "b", "c", "d"], object)[y],
    lambda y: torch.from_numpy(y).to(torch.int32)])
def test_labels_of_any_sort(rename):
    latents, labels = dealt()
    assert measure(latents, rename(labels), rename(labels)) == pytest.approx(measure(latents, labels, labels))


def test_labels_number_the_rows_of_a_head():
    latents, labels = dealt()
    head = np.random.default_rng(0).normal(size=(6, 4))  # rows 4 and 5 have no samples
    direct = measure(latents, labels, weight=head, bias=np.zeros(6))
    assert direct["accuracy"] == ((latents @ head.T).argmax(axis=1) == labels).mean()
    sorted_names = measure(latents, np.array(["a", "b", "c", "d"])[labels], logits=latents @ head[:4].T)
    assert sorted_names["accuracy"] == ((latents @ head[:4].T).argmax(axis=1) == labels).mean()
    with pytest.raises(ValueError, match=r"expected labels that name the head's 6 rows \(0…5, or 6 distinct values\), "
                                         r"got 4 distinct values from 3 to 6; pass row numbers as labels"):
        measure(latents, labels + 3, weight=head)


def test_predictions_of_a_class_without_samples():
    latents, labels = dealt(classes=2)
    found = measure(latents, np.array(["a", "b"])[labels], np.where(labels == 0, "a", "z"))
    assert found["accuracy"] == 0.5


def test_one_sample_per_class_and_one_sample():
    latents, _ = dealt(n=4)
    found = readings(latents, [0, 1, 2, 3])
    assert math.isnan(found["nc1_pinv"].value)
    assert math.isfinite(found["nc2_equinorm"].value)
    single = readings(latents[:1], ["only"])
    assert single["norm_mean"].value == pytest.approx(np.linalg.norm(latents[0]))
    assert {name for name in KNOWN & single.keys() if math.isfinite(single[name].value)} == {"norm_mean", "norm_cv",
                                                                                             "abs_cv"}


@pytest.mark.parametrize(("d", "classes"), [(1, 2), (1, 5), (2, 5)])
def test_few_nodes_and_more_classes_than_vertices(d, classes):
    found = readings(*dealt(n=100, d=d, classes=classes))
    assert all(math.isfinite(reading.value) for name, reading in found.items() if not name.startswith("nc2"))
    assert ("none (K > 2^d)" in found["nc2_equinorm"].reason) == (classes > 2 ** d)


# ---- the noise floor -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-3, 1.0, 300.0])
def test_float32_latents_collapsed_to_1e_7_are_at_the_floor(scale):
    points = np.random.default_rng(0).choice([-1.0, 1], size=(10, 8)) * np.linspace(0.8, 1.2, 8)
    labels = np.arange(2_000) % 10
    noise = np.random.default_rng(1).normal(size=(2_000, 8))
    found = readings((scale * points[labels] * (1 + 1e-7 * noise)).astype(np.float32), labels, weight=points)
    for name in COLLAPSE:
        assert found[name].value > 0, name
        assert found[name].at_floor, name
        assert found[name].reason.startswith("at the noise floor: float32 alone can give "), name
    assert found["separation_ratio"].reason.endswith(
        "samples are nearer to their centroid than float32 can tell: read it as a lower bound")
    assert found["entropy_kl"].value == pytest.approx(found["entropy_kl"].floor, abs=0.5)
    wider = readings((scale * points[labels] * (1 + 1e-5 * noise)).astype(np.float32), labels, only=COLLAPSE)
    assert not any(reading.at_floor for reading in wider.values())
    exact = readings(scale * points[labels] * (1 + 1e-7 * noise), labels, only=COLLAPSE)
    assert not any(reading.at_floor for reading in exact.values())  # float64 can tell


def test_the_floor_is_what_rounding_gives():
    """Equal latents, each off by the error of a float32 network: the value is the floor."""
    points, labels = dealt(n=4_000, d=6, classes=5, spread=0)
    rng = np.random.default_rng(2)
    off = points * (1 + 2 * np.finfo(np.float32).eps * rng.normal(size=points.shape))
    found = readings(off, labels, only=COLLAPSE)
    floors = readings(points.astype(np.float32), labels, only=COLLAPSE)
    for name in COLLAPSE:
        assert found[name].value == pytest.approx(floors[name].floor, rel=0.1), name


def test_float32_arithmetic_is_as_exact_as_the_floor_says():
    """The error that `Rows.error` expects, measured on a linear layer of 64 inputs."""
    torch.manual_seed(0)
    layer, hidden = torch.nn.Linear(64, 16), torch.randn(2_000, 64)
    with torch.no_grad():
        exact = hidden.double() @ layer.weight.double().T + layer.bias.double()
        off = (layer(hidden).double() - exact).norm() / exact.norm()
    assert 0.1 < off / torch.finfo(torch.float32).eps < 4


def test_a_simplex_of_equal_latents_reads_0_at_the_floor():
    labels = np.repeat(np.arange(4), 5)
    found = readings((np.eye(4) - 0.25)[labels], labels, weight=3 * np.eye(4) - 0.75)
    for name in (*COLLAPSE, "nc2_equinorm", "nc2_equiangular", "nc2_maxangle", "nc3_self_duality", "norm_cv"):
        assert found[name].value == pytest.approx(0, abs=1e-14), name
        assert found[name].at_floor, name


def test_latents_of_0_are_at_the_floor_or_undefined():
    found = readings(np.zeros((20, 3), np.float32), np.arange(20) % 2)
    assert found["norm_mean"] == Reading(0.0, found["norm_mean"].floor, found["norm_mean"].reason)
    assert found["norm_mean"].at_floor
    assert all(found[name].reason for name in KNOWN & found.keys())
    assert {name for name in KNOWN & found.keys() if not math.isnan(found[name].value)} == {
        "norm_mean", "sigma_w_trace", "sigma_w_entry_mean"}


# ---- invariances -----------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), d=st.integers(1, 6), classes=st.integers(2, 6), scale=st.floats(1e-6, 1e6))
def test_order_and_scale(seed, d, classes, scale):
    latents, labels = dealt(60, d, classes, seed)
    order = np.random.default_rng(seed).permutation(60)
    before, after = measure(latents, labels, only=CHEAP), measure((scale * latents)[order], labels[order], only=CHEAP)
    powers = {"norm_mean": 1, "sigma_w_trace": 2, "sigma_w_entry_mean": 2}
    expected = {name: value * scale ** powers.get(name, 0) for name, value in before.items()}
    assert after == pytest.approx(expected, rel=1e-7, nan_ok=True)


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), d=st.integers(1, 6), classes=st.integers(2, 6))
def test_turns(seed, d, classes):
    latents, labels = dealt(60, d, classes, seed)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]
    head = np.random.default_rng(seed).normal(size=(classes, d))
    only = (*TURNING, "nc3_self_duality")
    before = measure(latents, labels, weight=head, only=only)
    assert measure(latents @ turn, labels, weight=head @ turn, only=only) == pytest.approx(before, rel=1e-6, abs=1e-9,
                                                                                         nan_ok=True)


# ---- memory ----------------------------------------------------------------------------------------------------------


def test_no_float64_copy_is_made():
    latents = np.random.default_rng(0).normal(size=(150_000, 64)).astype(np.float32)  # 38 MB; in float64 77 MB
    labels = np.arange(150_000) % 10
    only = [name for name in (*CHEAP, "nc3_self_duality", "nc4_ncc_agreement") if not name.startswith("node_peak")]
    tracemalloc.start()
    measure(latents, labels, weight=np.eye(10, 64), bias=np.zeros(10), only=only)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 35e6


# ---- bad input -------------------------------------------------------------------------------------------------------


GOOD = np.random.default_rng(0).normal(size=(6, 2))
BROKEN = np.where(np.arange(12).reshape(6, 2) > 6, np.nan, 1.0)
LABELS = [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(("arguments", "message"), [
    ({"latents": np.zeros(6)}, r"expected latents \(n, d\), got shape \(6,\); pass one row per sample"),
    ({"latents": np.zeros((0, 2))}, r"expected latents of at least one sample and one node, got shape \(0, 2\); pass"),
    ({"latents": BROKEN}, r"expected finite latents, got NaN or infinity in 3 of 6 rows, the first in row 3; leave"),
    ({"latents": torch.full((6, 2), math.inf)}, r"got NaN or infinity in 6 of 6 rows, the first in row 0"),
    ({"latents": 1e308 * GOOD}, r"expected latents of sizes from 1e-140 to 1e140, got up to 1.3e\+308; rescale them"),
    ({"latents": 1e-200 * GOOD}, r"expected latents of sizes from 1e-140 to 1e140, got up to 1.3e-200; rescale them"),
    ({"latents": np.array([["a"] * 2] * 6)}, r"expected latents of real numbers, got dtype <U1; convert"),
    ({"latents": torch.zeros(6, 2, dtype=torch.complex64)}, r"expected latents of real numbers, got torch.complex64"),
    ({"labels": [0, 1]}, r"expected labels \(6,\), one per latent, got shape \(2,\); pass one per row"),
    ({"labels": np.eye(6)}, r"expected labels \(6,\), .* got shape \(6, 6\); pass scores as logits=, or their argmax"),
    ({"labels": np.arange(6.0)}, r"expected labels that are whole numbers or texts, got dtype float64; convert them"),
    ({"labels": np.array([0, "a", 1, 1, 0, 0], object)}, r"expected labels that are all whole .*, got int, str; conv"),
    ({"predictions": [0, 1]}, r"expected predictions \(6,\), one per latent, got shape \(2,\)"),
    ({"predictions": ["a"] * 6}, r"expected labels and predictions of one kind, got dtypes int64 and <U1; write both"),
    ({"logits": np.zeros((5, 2))}, r"expected logits of 6 samples, one row per latent, got 5; pass the same samples"),
    ({"logits": np.full((6, 2), np.nan)}, r"expected finite logits, got NaN or infinity in 6 of 6 rows"),
    ({"weight": np.zeros(2)}, r"expected weight \(K, d\), got shape \(2,\); pass one row per class"),
    ({"weight": np.zeros((2, 3))}, r"expected weight \(K, 2\) for latents of 2 nodes, got \(2, 3\); pass the head"),
    ({"bias": np.zeros(2)}, r"expected a weight beside the bias, got bias of shape \(2,\); pass both of one head"),
    ({"weight": np.eye(2), "bias": np.zeros(3)}, r"expected bias \(2,\), got bias of shape \(3,\); pass both of one"),
    ({"weight": np.eye(2), "bias": [0, np.nan]}, r"expected a finite bias, got NaN or infinity; look"),
    ({"weight": np.eye(2), "logits": np.zeros((6, 3))}, r"expected as many logits as rows of the weight, got 3 and 2"),
])
def test_bad_input_is_refused_with_a_reason(arguments, message):
    with pytest.raises(ValueError, match=message):
        measure(**{"latents": GOOD, "labels": LABELS, **arguments})


