"""Heads picked from unknown tensors, and what a head alone says, against the theory's own functions."""

import math

import numpy as np
import pytest
import torch

from lpc_core.inspection import head_candidates, head_view, pick_head
from lpc_core.inspection.heads import head_axes, solved
from lpc_core.theory import collapse_points, critical_gamma

TENSORS = {
    "embed.weight": torch.ones(500, 32), "block.attn.weight": torch.ones(32, 32), "block.attn.bias": torch.ones(32),
    "block.norm.weight": torch.ones(32), "classifier.weight": torch.randn(7, 32), "classifier.bias": torch.randn(7),
    "conv.weight": torch.ones(32, 3, 3, 3), "steps": torch.tensor(3), "index.weight": torch.ones(4, 4).long(),
}


def test_the_classifier_comes_first():
    heads = head_candidates(TENSORS)
    assert [head.weight for head in heads] == ["classifier.weight", "block.attn.weight", "embed.weight"]
    first = heads[0]
    assert (first.bias, first.classes, first.latent_dim) == ("classifier.bias", 7, 32)
    assert first.why == ("its name, a bias of 7, no layer reads its 7 outputs, fewer classes than the 32 nodes it "
                         "reads, the last matrix of the file")


def test_a_picked_head():
    weight, bias = pick_head(TENSORS, "classifier.weight")
    assert np.array_equal(weight, TENSORS["classifier.weight"].numpy())
    assert np.array_equal(bias, TENSORS["classifier.bias"].numpy())
    assert not pick_head(TENSORS, "embed.weight")[1].any()
    half = {"fc.weight": torch.randn(3, 2).bfloat16()}
    assert np.array_equal(pick_head(half, "fc.weight")[0], half["fc.weight"].float().numpy())


@pytest.mark.parametrize(("names", "message"), [
    (("fc.weight",), "head weight: expected a tensor of the file, such as classifier.weight, .*, got 'fc.weight'"),
    (("conv.weight",), r"head weight: expected numbers \(K, d\) with K >= 2, got conv.weight of shape \(32, 3, 3, 3\)"),
    (("index.weight",), "head weight: expected numbers"),
    (("classifier.weight", "none.bias"), "head bias: expected 7 numbers in 'none.bias', got no such tensor"),
    (("classifier.weight", "block.attn.bias"), r"head bias: expected 7 numbers in .*, got shape \(32,\)"),
])
def test_picks_that_do_not_fit(names, message):
    with pytest.raises(ValueError, match=message):
        pick_head(TENSORS, *names)


@pytest.mark.parametrize(("classes", "nodes"), [(4, 2), (10, 8), (3, 20)])
def test_the_view_is_the_theory(classes, nodes):
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(classes, nodes)), rng.normal(size=classes) / 10
    view = head_view(weight, bias, 0.3)
    np.testing.assert_allclose(view.collapse_points, collapse_points(weight, bias, 0.3), atol=1e-9)
    assert view.predicted_radius == pytest.approx(np.linalg.norm(view.collapse_points, axis=1).mean())
    assert view.critical_gamma == pytest.approx(critical_gamma(weight, bias), nan_ok=True)
    np.testing.assert_allclose(view.weight_abs_cv, np.abs(weight).std(axis=0) / np.abs(weight).mean(axis=0))
    axes = head_axes(weight)
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-12)


def test_the_authors_convention_is_divided_by_the_nodes_and_a_warm_start_changes_nothing():
    weight = np.random.default_rng(1).normal(size=(5, 8))
    first = head_view(weight, None, 8.0, convention="mean")
    again = solved(weight, np.zeros(5), 1.0, first.collapse_points * 1.1)
    assert first.gamma == 1.0
    np.testing.assert_allclose(first.collapse_points, again, atol=1e-8)


def test_wide_heads_are_drawn_in_their_main_directions():
    weight = np.zeros((4, 10))
    weight[:, 3], weight[:, 7] = [3, -3, 3, -3], [1, 1, -1, -1]
    axes = head_axes(weight)
    assert axes.shape == (10, 2)
    assert abs(axes[3, 0]) == pytest.approx(1)
    assert abs(axes[7, 1]) == pytest.approx(1)


def test_a_large_head_says_what_it_leaves_out():
    weight = np.random.default_rng(0).normal(size=(120, 2))
    view = head_view(weight, None, 1.0)
    assert math.isnan(view.critical_gamma)
    assert view.notes == ("the critical γ is not searched for more than 100 classes",)


@pytest.mark.parametrize(("arguments", "message"), [
    ((np.ones(3), None, 1.0), r"expected a head weight \(K, d\), got \(3,\); choose another tensor"),
    ((np.eye(3), None, 0.0), "gamma: expected a finite number above 0, got 0.0; without the penalty"),
    ((np.eye(3), None, math.nan), "gamma: expected a finite number above 0, got nan"),
    ((np.eye(3) * np.nan, None, 1.0), "expected finite weight, got NaN or infinity"),
    ((np.ones((1000, 512)), None, 1.0), "expected a head of at most about 300 classes, .*, got 1,000 of 512; choose"),
])
def test_bad_numbers(arguments, message):
    with pytest.raises(ValueError, match=message):
        head_view(*arguments)


def test_an_unknown_convention():
    with pytest.raises(ValueError, match="convention: expected sum or mean, got 'median'"):
        head_view(np.eye(3), None, 1.0, convention="median")


@pytest.mark.parametrize(("name", "bias"), [
    ("Dense_1.kernel", "Dense_1.bias"), ("params/Dense_1/kernel", "params/Dense_1/bias"),
    ("dense_1/kernel:0", "dense_1/bias:0"), ("linear.w", "linear.b"), ("c_proj.weight", "c_proj.bias")])
def test_weights_of_other_libraries_are_turned(name, bias):
    kernel = torch.randn(8, 3)
    tensors = {name: kernel, bias: torch.ones(3)}
    [head] = head_candidates(tensors)
    assert (head.bias, head.classes, head.latent_dim) == (bias, 3, 8)
    assert head.why.endswith("stored turned")
    assert np.array_equal(pick_head(tensors, name)[0], kernel.T.numpy())
    assert pick_head(tensors, name)[1].tolist() == [1, 1, 1]
