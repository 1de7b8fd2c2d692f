"""The accumulator of collapse metrics equals `measure` of all samples together, and keeps none of them."""

import copy
import math
import pickle
import re
import textwrap
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lpc_core
from lpc_core.metrics import names, readings
from lpc_core.metrics.accumulator import EXACT, NEEDS_SAMPLES, CollapseMetrics

K, D, N = 5, 4, 400


def sample(spread=0.3, scale=1.0, dtype=np.float32):
    rng = np.random.default_rng(0)
    labels = np.concatenate([np.arange(K), rng.choice(K, N - K, p=rng.dirichlet(np.ones(K)))])
    latents = (rng.normal(size=(K, D))[labels] + spread * rng.normal(size=(N, D))) * scale
    return latents.astype(dtype), labels, rng.normal(size=(K, D))


def same(got, wanted):
    """Equal values to 1e-10, equal floors, equal words."""
    assert got.keys() == wanted.keys()
    for name, reading in wanted.items():
        assert got[name].value == pytest.approx(reading.value, rel=1e-10, nan_ok=True), name
        assert (got[name].floor or 0) == pytest.approx(reading.floor or 0, rel=1e-10), name
        assert got[name].reason == reading.reason, name


def gather(latents, labels, logits, sizes, **options):
    metrics = CollapseMetrics(K, latents.shape[1], **options)
    start = 0
    for size in (*sizes, len(latents)):
        part = slice(start, start + size)
        metrics.update(latents[part], labels[part], logits=logits[part])
        start += size
    return metrics


def test_every_metric_is_either_exact_or_says_why_it_cannot_be():
    assert set(EXACT) | NEEDS_SAMPLES.keys() == set(names())
    assert not set(EXACT) & NEEDS_SAMPLES.keys()


@pytest.mark.parametrize(("spread", "scale"), [(1.0, 1.0), (1e-3, 1.0), (1e-7, 1.0), (1e-7, 1e-6), (0.3, 1e15)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_batches_give_what_measure_gives_of_all(spread, scale, dtype):
    """Down to classes that collapsed to the last bits of their format."""
    if dtype == np.float16 and not 1e-3 <= scale <= 1:
        scale = 1.0
    latents, labels, weight = sample(spread, scale, dtype=dtype)
    logits = latents.astype(np.float64) @ weight.T
    metrics = gather(latents, labels, logits, [1, 7, 100, 2])
    same(metrics.readings(weight), readings(latents, labels, None, logits, weight, only=EXACT))
    assert metrics.compute(weight).keys() == set(EXACT)
    assert metrics.count == N


@settings(max_examples=30)
@given(st.lists(st.integers(0, 90), max_size=6), st.randoms(use_true_random=False))
def test_neither_the_cut_nor_the_order_nor_the_way_of_merging_matters(sizes, random):
    latents, labels, weight = sample()
    order = np.array(random.sample(range(N), N))
    latents, labels = latents[order], labels[order]
    logits = latents @ weight.T
    whole = gather(latents, labels, logits, [N]).readings(weight)
    same(gather(latents, labels, logits, sizes).readings(weight), whole)
    cut = sum(sizes) % N
    one, other = (gather(latents[part], labels[part], logits[part], sizes) for part in (slice(cut), slice(cut, N)))
    before = other.readings(weight)
    one.merge(other)
    same(one.readings(weight), whole)
    same(other.readings(weight), before)


def test_a_mean_far_from_the_origin_costs_no_digits():
    """Against fractions: the scatter of numbers that one-pass float64 formulas get wrong."""
    steps = np.arange(6.0)[:, None] * 2.0**-20
    metrics = CollapseMetrics(1, 1)
    for step in steps:
        metrics.update(2.0**30 + step[None], [0])
    assert metrics.compute()["sigma_w_trace"] == pytest.approx(35 / 12 * 2.0**-40, rel=1e-12)


def test_without_head_or_predictions_their_metrics_are_left_out_or_nan():
    latents, labels, weight = sample()
    metrics = CollapseMetrics(K, D)
    metrics.update(latents, labels)
    assert metrics.compute().keys() == set(EXACT) - {"accuracy", "nc3_self_duality", "weight_norm", "weight_abs_cv"}
    asked = CollapseMetrics(K, D, only=["accuracy", "nc3_self_duality", "norm_mean"])
    asked.update(latents, labels)
    found = asked.readings()
    assert list(found) == ["accuracy", "nc3_self_duality", "norm_mean"]
    assert math.isnan(found["accuracy"].value)
    assert found["accuracy"].reason == "needs predictions or logits"
    assert found["nc3_self_duality"].reason == "needs the head's weight"
    assert asked.compute(weight)["nc3_self_duality"] == pytest.approx(
        readings(latents, labels, weight=weight)["nc3_self_duality"].value)


def test_only_what_needs_matrices_keeps_them():
    latents, labels, weight = sample()
    small = CollapseMetrics(K, D, only=[name for name in EXACT if not name.startswith("nc1_pinv")])
    small.update(latents, labels, logits=latents @ weight.T)
    assert max(array.size for array in vars(small._moments).values() if array is not None) == K * D
    same(small.readings(weight), readings(latents, labels, None, latents @ weight.T, weight, only=small.only))
    with pytest.raises(ValueError, match=r"expected scatter matrices of at most 1\.1 GB, got 2\.1 for 1000"):
        CollapseMetrics(1_000, 512)
    CollapseMetrics(1_000, 512, only="nc1_cdnv")


def test_it_keeps_no_sample_and_no_graph():
    def held(metrics):
        return len(pickle.dumps(vars(metrics)))

    latents = torch.randn(64, D, requires_grad=True)
    metrics = CollapseMetrics(K, D)
    metrics.update(latents * 1, torch.arange(64) % K)
    before = held(metrics)
    for _ in range(20):
        metrics.update(latents * 1, torch.arange(64) % K)
    assert held(metrics) < before + 100
    assert not [value for value in vars(metrics).values() if isinstance(value, torch.Tensor)]


def test_reset_forgets_and_compute_may_come_between_updates():
    latents, labels, _ = sample()
    metrics = CollapseMetrics(K, D)
    metrics.update(latents[:200], labels[:200], predictions=labels[:200])
    half = copy.deepcopy(metrics.readings())
    metrics.update(latents[200:], labels[200:], predictions=labels[200:])
    assert metrics.compute()["norm_mean"] != half["norm_mean"].value
    metrics.reset()
    assert metrics.count == 0
    with pytest.raises(RuntimeError, match="expected at least one sample, got none since the last reset; call update"):
        metrics.compute()
    metrics.update(latents[:200], labels[:200])  # now without predictions: nothing is left of those before
    again = metrics.readings()
    half.pop("accuracy")
    same(again, half)


def test_tensors_of_any_kind_and_empty_batches():
    latents, labels, weight = sample()
    wide = torch.from_numpy(latents).T.contiguous().T  # not contiguous
    assert not wide.is_contiguous()
    metrics = CollapseMetrics(K, D)
    metrics.update(wide, torch.from_numpy(labels), logits=wide.bfloat16() @ torch.from_numpy(weight.T).bfloat16())
    metrics.update(torch.empty(0, D), torch.empty(0, dtype=torch.int64), logits=torch.empty(0, K))
    expected = readings(latents, labels, only=["nc1_pinv", "norm_cv"])
    same({name: metrics.readings()[name] for name in expected}, expected)
    half = CollapseMetrics(K, D)
    half.update(wide.bfloat16(), torch.from_numpy(labels))
    same(half.readings(), {name: readings(wide.bfloat16(), labels)[name] for name in half.readings()})


def test_the_coarsest_format_sets_the_floors():
    latents, labels, _ = sample()
    metrics = CollapseMetrics(K, D)
    metrics.update(latents[:200].astype(np.float64), labels[:200])
    fine = metrics.readings()["norm_cv"].floor
    metrics.update(latents[200:], labels[200:])
    assert metrics.readings()["norm_cv"].floor == pytest.approx(readings(latents, labels)["norm_cv"].floor)
    assert fine < 1e-14


def test_classes_may_have_names():
    latents, labels, weight = sample()
    animals = np.array(["cat", "dog", "eel", "fox", "ant"])
    metrics = CollapseMetrics(animals.tolist(), D)
    metrics.update(latents, animals[labels], predictions=animals[(latents @ weight.T).argmax(1)])
    numbers = CollapseMetrics(K, D)
    numbers.update(latents, labels, predictions=(latents @ weight.T).argmax(1))
    same(metrics.readings(weight), numbers.readings(weight))
    with pytest.raises(ValueError, match=r"expected labels among the 5 classes \(classes\), got 'cow'; pass classes="):
        metrics.update(latents[:1], ["cow"])


def test_the_example_in_the_docstring_runs():
    code = textwrap.dedent(re.search(r"code-block:: python\n\n(.*?)\n\n    \S", CollapseMetrics.__doc__, re.DOTALL)[1])
    torch.manual_seed(0)
    model = torch.nn.Sequential(OrderedDict(penultimate=torch.nn.Linear(3, 8), head=torch.nn.Linear(8, 10)))
    inputs, labels = torch.randn(100, 3), torch.arange(100) % 10
    said = []
    loader = [(inputs[:60], labels[:60]), (inputs[60:], labels[60:])]
    exec(code, {"lpc_core": lpc_core, "model": model, "loader": loader, "print": said.append,
                "penalty": lpc_core.LatentPenalty(model, gamma=1.0)})
    latents = model[0](inputs)
    wanted = readings(latents, labels, None, model[1](latents), model.head.weight, only=EXACT)
    assert said[0].keys() == set(EXACT)
    for name, reading in wanted.items():
        assert said[0][name] == pytest.approx(reading.value, rel=1e-5), name  # batches of 60 and 100 round differently


@pytest.mark.parametrize(("k", "d", "labels"), [
    (3, 1, [0, 1, 2, 0, 1, 2]), (5, 2, [0, 0, 1, 2, 3, 4]), (4, 2, [1, 1, 1, 3, 3, 3]), (2, 3, [0, 0, 0]),
    (1, 2, [0, 0]), (2, 2, [0, 1])])
def test_classes_of_one_sample_or_none_and_codes_that_do_not_fit(k, d, labels):
    rng = np.random.default_rng(1)
    latents = rng.normal(size=(len(labels), d)).astype(np.float32)
    metrics = CollapseMetrics(k, d)
    for z, y in zip(latents, labels, strict=True):
        metrics.update(z[None], [y])
    got = metrics.readings()
    wanted = readings(latents, labels, only=tuple(got))
    for name, reading in wanted.items():  # words may differ: `measure` does not hear of classes without samples
        assert got[name].value == pytest.approx(reading.value, rel=1e-10, nan_ok=True), name


BATCH = np.ones((3, D), np.float32)


@pytest.mark.parametrize(("arguments", "message"), [
    ((BATCH[:, :2], [0, 1, 2]), r"expected latents \(n, 4\), got \(n, 2\); make CollapseMetrics with their latent_dim"),
    ((BATCH[0], [0]), r"expected latents \(n, d\), got shape \(4,\); pass one row per sample"),
    ((BATCH, [0, 1]), r"expected labels \(3,\), one per latent, got shape \(2,\)"),
    ((BATCH, [0, 1, 5]), r"expected labels among the 5 classes \(0 to 4\), got 5; pass classes="),
    ((BATCH, [0, 1, -1]), r"got -1; pass classes="), ((BATCH, ["a", "b", "c"]), "got 'a'; pass classes="),
    ((BATCH, [0.0, 1.0, 2.0]), "expected labels that are whole numbers or texts, got dtype float64"),
    ((np.where(np.arange(3)[:, None] == 1, np.nan, BATCH), [0, 1, 2]), "expected finite latents, got NaN"),
    ((BATCH, [0, 1, 2], [0, 1, 9]), r"expected predictions among the 5 classes \(0 to 4\), got 9"),
    ((BATCH, [0, 1, 2], None, np.ones((3, 4))), r"expected logits \(n, 5\), got \(n, 4\); pass one per class"),
    ((BATCH, [0, 1, 2], None, np.ones((2, 5))), "expected logits of 3 samples, one row per latent, got 2"),
    ((BATCH, [0, 1, 2], [0, 1, 2]), "expected predictions with no batch, as with those before, got some; reset"),
    ((np.empty((0, D)), [0]), r"expected latents of at least one sample and one node, got shape \(0, 4\)"),
])
def test_bad_batches_are_refused_and_change_nothing(arguments, message):
    metrics = CollapseMetrics(K, D)
    metrics.update(BATCH, [0, 1, 2])
    before = metrics.readings()
    with pytest.raises(ValueError, match=message):
        metrics.update(*arguments)
    same(metrics.readings(), before)


@pytest.mark.parametrize(("arguments", "message"), [
    ((0, 2), "expected classes of at least 1, or distinct label values, got 0"),
    ((["a", "a"], 2), "or distinct label values"),
    ((True, 2), "expected classes"), ((2, 0), "expected latent_dim of at least 1, got 0; pass the width"),
    ((2, 2.5), "expected latent_dim"), ((2.0, 2), "or distinct label values, got 2.0"),
    ((2, 2, ["nc5"]), "some of accuracy, .*; got 'nc5'; correct"),
    ((2, 2, "separation_ratio"), "got 'separation_ratio', which needs each sample's distance to the final cent"),
])
def test_metrics_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        CollapseMetrics(*arguments)


def test_only_equal_metrics_merge_and_heads_must_fit():
    latents, labels, weight = sample()
    metrics = lpc_core.CollapseMetrics(K, D)
    metrics.update(latents, labels)
    for other in (CollapseMetrics(K + 1, D), CollapseMetrics(K, D + 1), CollapseMetrics(K, D, ["norm_cv"])):
        with pytest.raises(ValueError, match=r"expected metrics of the same classes, nodes and only, got .*; make"):
            metrics.merge(other)
    judged = CollapseMetrics(K, D)
    judged.update(latents, labels, predictions=labels)
    with pytest.raises(ValueError, match="expected predictions with no batch, as with those before, got some"):
        metrics.merge(judged)
    metrics.merge(CollapseMetrics(K, D))  # of nothing: nothing happens
    assert metrics.count == N
    fresh = CollapseMetrics(K, D)
    fresh.merge(judged)
    assert fresh.compute()["accuracy"] == 1.0
    with pytest.raises(ValueError, match=r"expected weight \(5, 4\), got \(4, 4\); pass the head with one"):
        metrics.compute(weight[:4])
