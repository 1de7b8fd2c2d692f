"""The order of layers where the file keeps none, heads beside their backbone, and what is said of doubts."""

import collections

import numpy as np
import pytest
import torch
from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection import recognise
from lpc_core.inspection.matching import head_names, matched
from tests.core.inspection.networks import Names, run_torchvision, torchvision_resnet


def found(state, **choices):
    return recognise(Checkpoint("safetensors", dict(state)), **choices)


def by_name(**sizes):
    """A state dict as a writer that sorts leaves it: {layer: (outside, inside)}, or a width for a batch norm."""
    state = Names()
    for name, size in sizes.items():
        name = name.replace("__", ".")  # noqa: PLW2901
        state.dense(name, *size) if isinstance(size, tuple) else state.norm(name, size)
    return dict(sorted(state.items()))


@pytest.mark.parametrize(("state", "name"), [
    (by_name(fc1=(64, 64), fc2=(64, 64), pen=(8, 64), head=(10, 8)), "MLP 64-64-64-8-10"),
    (by_name(zeta=(7, 5), alpha=(3, 7), mid=(9, 3)), "MLP 5-7-3-9"),
    (by_name(**{f"net__{i}": (6, 6) for i in (0, 2, 4, 6, 8, 10)}, out=(3, 6)), "MLP 6-6-6-6-6-6-6-3"),
    (by_name(bn1=16, bn2=16, fc1=(16, 16), fc2=(16, 16), head=(4, 16)), "MLP 16-16-16-4"),
    (by_name(layers__0=(16, 8), layers__1=16, layers__10=(16, 16), layers__2=(16, 16), out=(3, 16)),
     "MLP 8-16-16-16-3"),
])
def test_layers_come_as_shapes_and_numbers_allow(state, name):
    network = found(state)
    assert (network.name, network.obstacle, network.orders) == (name, "", ())
    logits, _ = network.build()(torch.randn(2, network.input_shape[0]))
    assert logits.shape == (2, network.classes)


def test_the_numbers_of_a_sorted_file_give_what_the_network_gave():
    torch.manual_seed(0)
    net = nn.Sequential(collections.OrderedDict(
        (f"fc{i}", nn.Linear(6, 6)) for i in range(1, 13)), )
    net.add_module("out", nn.Linear(6, 3))
    network = found(sorted(net.state_dict().items()), activation="identity")
    inputs = torch.randn(4, 6)
    torch.testing.assert_close(network.build()(inputs)[0], net(inputs).detach())


TWO = by_name(alpha=(16, 16), beta=(16, 16), first=(16, 8), out=(3, 16))


def test_two_orders_that_fit_are_asked_for_by_their_names():
    network = found(TWO)
    assert network.orders == (("first", "alpha", "beta", "out"), ("first", "beta", "alpha", "out"))
    assert network.obstacle == (
        "expected layers in an order that names or shapes tell, got 2 that fit, first,alpha,beta,out and "
        "first,beta,alpha,out; choose one of them (--order first,alpha,beta,out)")
    with pytest.raises(ValueError, match="got 2 that fit, first,alpha,beta,out and"):
        network.build()
    inputs = torch.randn(4, 8)
    values = []
    for order in network.orders:
        chosen = found(TWO, order=order, activation="identity")
        assert (chosen.obstacle, chosen.orders) == ("", ())
        x = inputs
        for name in order:
            x = x @ TWO[f"{name}.weight"].T + TWO[f"{name}.bias"]
        values.append(chosen.build()(inputs)[0])
        torch.testing.assert_close(values[-1], x)
    assert not torch.allclose(*values)


@pytest.mark.parametrize("order", [("first", "alpha", "out"), ("alpha", "first", "beta", "out"), ("x",)])
def test_an_order_that_cannot_be_is_refused(order):
    with pytest.raises(ValueError, match=r"^order: expected alpha, beta, first, out in an order in which each"):
        found(TWO, order=order)


def test_the_order_of_a_file_that_keeps_one_counts():
    state = Names()
    for name, size in (("first", (16, 8)), ("beta", (16, 16)), ("alpha", (16, 16)), ("out", (3, 16))):
        state.dense(name, *size)  # weight before bias: no writer that sorts wrote this
    network = found(state)
    assert (network.orders, network.obstacle) == ((), "")
    assert [name for name, module in network.build().named_modules() if isinstance(module, nn.Linear)] == [
        "first", "beta", "alpha", "out"]


# ---- backbone and head under two names -------------------------------------------------------------------------------


@pytest.mark.parametrize(("backbone", "head"), [
    ("resnet.", "classifier."), ("encoder.", "fc."), ("backbone.", "head."), ("features.", "linear."),
    ("net.body.", "")])
def test_a_resnet_whose_head_lies_beside_its_backbone(backbone, head):
    plain = torchvision_resnet((1, 2, 1), "basic", kernel=3, first=8, classes=5)
    state = {(head or "net.top.") + name[3:] if name.startswith("fc.") else backbone + name: value
             for name, value in plain.items()}
    network = recognise(Checkpoint("torch", state))
    assert (network.missing, network.unexpected, network.obstacle) == ((), (), "")
    assert network.head_weight == f"{head or 'net.top.'}weight"
    pictures = torch.randn(3, 3, 16, 16)
    torch.testing.assert_close(network.build()(pictures)[0], run_torchvision(plain, pictures)[0], rtol=1e-4, atol=1e-5)


def test_a_head_with_layers_before_it_beside_the_backbone():
    plain = torchvision_resnet((1, 1), "basic", kernel=3, first=8, classes=5)
    state = {f"backbone.{name}": value for name, value in plain.items() if not name.startswith("fc.")}
    state |= {"penultimate.weight": torch.randn(3, 16), "penultimate.bias": torch.zeros(3),
              "head.weight": torch.randn(5, 3), "head.bias": torch.zeros(5)}
    network = recognise(Checkpoint("torch", state))
    assert (network.latent_dim, network.theory_note, network.obstacle) == (3, "", "")


@pytest.mark.parametrize(("tensor", "kind"), [
    (torch.ones(4, 4, dtype=torch.complex64), "complex"), (torch.ones(4, 4, dtype=torch.int8), "int8")])
def test_numbers_that_no_network_has_are_refused_by_name(tensor, kind, recwarn):
    with pytest.raises(ValueError, match=rf"^expected weights of real numbers, got .*fc\.weight.*{kind}|complex ones"):
        recognise(Checkpoint("torch", {"fc.weight": tensor, "out.weight": torch.ones(2, 4)}))
    assert not recwarn.list


# ---- doubts ----------------------------------------------------------------------------------------------------------


def test_norms_that_never_saw_a_sample_are_a_doubt():
    state = by_name(bn1=5, fc1=(5, 4), out=(3, 5))
    assert found(state).warnings == ()
    state |= {"bn1.running_mean": torch.zeros(5), "bn1.running_var": torch.ones(5)}
    (warning,) = found(state).warnings
    assert warning.startswith("the statistics of 1 of 1 batch norms are still 0 and 1 (bn1), as before any training")


def test_layers_left_over_are_an_obstacle_or_a_doubt():
    chain = by_name(a=(5, 4), b=(3, 5))
    for name, value in (("gate", torch.ones(5, 5)), ("a.scale", torch.ones(5)), ("act.weight", torch.ones(1))):
        assert f"got {name} too" in found({**chain, name: value}).obstacle
    beside = found({**chain, "criterion.weight": torch.ones(3), "steps": torch.tensor(3)})
    assert (beside.obstacle, beside.warnings) == ("", ())
    assert beside.unexpected == ("criterion.weight", "steps")


# ---- classes ---------------------------------------------------------------------------------------------------------

NAMES = ("cat", "dog", "great  ape", "Sea-Lion")


@pytest.mark.parametrize("metadata", [
    {"class_names": ["a", "b"]}, {"classes": ("a", "b")}, {"class_to_idx": {"b": 1, "a": 0}},
    {"meta": {"categories": ["a", "b"]}}, {"config": {"id2label": {"0": "a", "1": "b"}}}, {"class_names": '["a", "b"]'},
    {"idx_to_class": '{"1": "b", "0": "a"}'}])
def test_names_of_the_network_s_classes(metadata):
    assert head_names(metadata, 2) == ("a", "b")
    assert head_names(metadata, 3) == ()


@pytest.mark.parametrize("metadata", [{}, {"classes": 2}, {"classes": ["a", "a"]}, {"class_names": "[1"},
                                      {"id2label": {"0": "a", "2": "b"}}, {"names": [1, 2]}])
def test_what_names_no_classes(metadata):
    assert head_names(metadata, 2) == ()


def test_classes_match_by_number_with_a_warning_where_head_and_data_differ():
    match = matched(("a", "b"), 5, ())
    assert (match.rows, match.class_names) == ((0, 1), ("a", "b", "2", "3", "4"))
    assert "the network has 5 classes and the data 2: class k of the data was taken for row k" in match.warnings[0]
    assert matched(("a", "b"), 2, ()).warnings == ()
    assert "have other names" in matched(("b", "a"), 2, ("a", "b")).warnings[0]
    assert matched(("A", "b"), 2, ("a", "B")).warnings == ()
    assert matched(("a", "b", "c"), 2, ("a", "b")).rows == (0, 1, 2)  # `check_fit` refuses the labels of the third


def test_classes_match_by_name_and_as_given():
    match = matched(("Great ape", "cat"), 4, NAMES, "name")
    assert (match.rows, match.class_names, match.warnings) == ((2, 0), ("cat", "dog", "Great ape", "Sea-Lion"), ())
    assert matched(("x", "y"), 4, (), "3, 1").rows == (3, 1)
    np.testing.assert_array_equal(np.asarray(match.rows)[[0, 1, 1]], [2, 0, 0])


@pytest.mark.parametrize(("wish", "known", "match"), [
    ("name", NAMES, "^classes: expected every class of the data among the network's .*, got 'fish'"),
    ("name", (), "^classes: expected names of the network's classes in the file, got none"),
    ("1", (), "^classes: expected number, name, or 2 different rows from 0 to 3"), ("1,1", (), "2 different rows"),
    ("1,4", (), "2 different rows"), ("1,-1", (), "2 different rows"), ("best", (), "got 'best'; correct it")])
def test_matches_that_cannot_be(wish, known, match):
    with pytest.raises(ValueError, match=match):
        matched(("cat", "fish"), 4, known, wish)
