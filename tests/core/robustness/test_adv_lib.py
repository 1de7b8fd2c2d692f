"""adv-lib's attacks through the adapter: with a stand-in for the package always, with itself where it is installed."""

import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
import torch

from lpc_core.robustness import attacks, report
from lpc_core.robustness._adv_lib import OTHERS, others
from lpc_core.robustness._known import attack_named
from tests.core.robustness._known import linear_distances

REAL = pytest.mark.skipif(not others(), reason="adv-lib is not installed")


def walk(model, inputs, labels, **settings):
    """Straight along the gradient to the nearest rival's side, in the unit cube, with one random number."""
    assert inputs.min() >= 0
    assert inputs.max() <= 1
    torch.rand(1)
    leaf = inputs.clone().requires_grad_(True)
    logits = model(leaf)
    rival = logits.scatter(1, labels[:, None], -torch.inf).argmax(1)
    gap = (logits.gather(1, labels[:, None]) - logits.gather(1, rival[:, None])).flatten()
    slope = torch.autograd.grad(gap.sum(), leaf)[0]
    step = (gap / slope.flatten(1).square().sum(1)).detach() * 1.001
    return (inputs - step.view(-1, *[1] * (inputs.ndim - 1)) * slope).clamp(0, 1)


@pytest.fixture
def stand_in(monkeypatch):
    package = types.ModuleType("adv_lib")
    package.__spec__ = ModuleSpec("adv_lib", None)
    module = types.ModuleType("adv_lib.attacks")
    for name in ("df", "sdf", "ddn", "fmn", "alma", "fab"):
        setattr(module, name, walk)
    module.auto_pgd = types.SimpleNamespace(minimal_apgd=walk)
    monkeypatch.setitem(sys.modules, "adv_lib", package)
    monkeypatch.setitem(sys.modules, "adv_lib.attacks", module)
    attacks.cache_clear()
    yield module
    attacks.cache_clear()


@pytest.mark.parametrize("name", OTHERS)
def test_each_is_offered_and_measured_in_our_units(stand_in, name, linear, inputs):
    assert attacks()[name].name == name
    before, told = torch.get_rng_state(), []
    found = attack_named(name)(linear, inputs, progress=lambda share, what: told.append(share))
    assert torch.equal(torch.get_rng_state(), before)
    assert found.success.all()
    true = linear_distances(linear, inputs)
    assert (found.norms >= true * (1 - 1e-4)).all()
    assert np.median(found.norms / true) < 1.5  # towards the likeliest rival, which need not be the nearest
    assert (found.forwards == 3).all()  # ours at the start and the end, theirs between
    assert (found.backwards == 1).all()
    assert told[-1] == 1


def test_bounds_per_value_are_kept(stand_in, linear, inputs):
    low, high = inputs.amin(0), inputs.amax(0)
    found = attack_named("adv-fab")(linear, inputs, bounds=(low, high))
    assert ((found.perturbed >= low) & (found.perturbed <= high)).all()
    changed = linear(found.perturbed).argmax(1) != linear(inputs).argmax(1)
    np.testing.assert_array_equal(found.success, changed.numpy())


@pytest.mark.parametrize("bounds", [(0, np.inf), (-np.inf, 9.0), (-np.inf, np.inf)])
def test_bounds_may_be_open_on_a_side(bounds, stand_in, linear, inputs):
    x = inputs.abs()
    found = attack_named("adv-fab")(linear, x, bounds=bounds)
    assert found.success.any()
    assert bounds[0] <= found.perturbed.min()
    assert found.perturbed.max() <= bounds[1]


def test_values_that_are_left_alone_are_not_rounded(stand_in, linear, inputs):
    stand_in.fab = lambda model, units, labels, **_: torch.cat([units[:, :1] * 0, units[:, 1:]], dim=1)
    search = attack_named("adv-fab")(linear, inputs)
    assert torch.equal(search.perturbed[:, 1:], inputs[:, 1:])


def test_they_stand_beside_ours_in_a_report(stand_in, linear, inputs):
    found = report(linear, inputs, linear(inputs).argmax(1), attacks=["deepfool", "adv-fab"])
    assert [each.title for each in found.attacks] == ["DeepFool", "FAB (adv-lib)"]


def test_two_classes_are_refused_where_they_cannot_be(stand_in, sphere, inputs):
    with pytest.raises(ValueError, match="expected a model of 3 classes or more for adv-alma, got 2; choose another"):
        attack_named("adv-alma")(sphere, inputs)


def test_without_the_package_it_is_said(monkeypatch, linear, inputs):
    monkeypatch.setattr("lpc_core.robustness._adv_lib.importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"attack: expected .* the package adv-lib .*'lpc-lab\[attacks\]'.* 'adv-fab'"):
        report(linear, inputs, linear(inputs).argmax(1), attacks=["adv-fab"])


def test_a_package_that_lacks_something_says_what(stand_in, monkeypatch, linear, inputs):
    monkeypatch.setitem(sys.modules, "adv_lib.attacks", None)
    with pytest.raises(ValueError, match=r"expected adv-lib with all that it needs, got import of adv_lib\.attacks"):
        attack_named("adv-fab")(linear, inputs)


@REAL
@pytest.mark.parametrize("name", OTHERS)
def test_adv_lib_itself_finds_the_nearest_boundary(name, linear, inputs):
    found, true = attack_named(name)(linear, inputs), linear_distances(linear, inputs)
    assert found.success.mean() > 0.6  # adv-lib's FMN: 70 %
    ratio = found.norms[found.success] / true[found.success]
    assert ratio.min() > 0.999
    assert np.median(ratio) < 1.3
    assert found.backwards.min() > 1
