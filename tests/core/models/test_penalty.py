"""The penalty for loops of one's own: its value and gradient, finding the layer, and leaving the model alone."""

import copy
import gc
import math
import pickle
import re
import textwrap
import weakref
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import lpc_core
from lpc_core.config import DataConfig
from lpc_core.data import load
from lpc_core.losses import latent_l2
from lpc_core.metrics import measure
from lpc_core.penalty import LatentPenalty, find_layer


class Net(nn.Module):
    """Inputs (N, 4) → latents (N, 2) → logits (N, 3); ``change`` is done to the latents inside their layer."""

    def __init__(self, change=lambda z: z):
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Sequential(nn.Linear(4, 8), nn.SiLU())
        self.penultimate = Layer(change)
        self.head = nn.Linear(2, 3)

    def forward(self, inputs):
        self.penultimate(self.backbone(inputs))
        return self.head(self.penultimate.last)


class Layer(nn.Linear):
    def __init__(self, change):
        super().__init__(8, 2)
        self.change = change

    def forward(self, features):
        self.last = super().forward(features)
        return self.change(self.last)


def plain():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.SiLU(), nn.Linear(8, 2), nn.Linear(2, 3))


class Both(nn.Module):
    """A model that keeps its penalty, as a training framework's modules do."""

    def __init__(self):
        super().__init__()
        self.net = plain()
        self.penalty = LatentPenalty(self.net, "2", gamma=3.0)


INPUTS = torch.linspace(-1, 1, 20).reshape(5, 4)


# ---- value and gradient ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("convention", "factor"), [("sum", 1.0), ("mean", 0.5)])
def test_value_and_gradient_are_those_of_the_equation(convention, factor):
    model = plain()
    penalty = LatentPenalty(model, "2", gamma=3.0, convention=convention)
    model(INPUTS)
    term = penalty()
    assert term.shape == ()
    term.backward()
    latents = (model[1](model[0](INPUTS)) @ model[2].weight.T + model[2].bias)
    loss = factor * 3.0 * sum((z * z).sum() for z in latents) / 5
    expected = torch.autograd.grad(loss, model[2].weight)[0]
    assert term.item() == pytest.approx(loss.item(), rel=1e-6)
    torch.testing.assert_close(model[2].weight.grad, expected)
    assert model[3].weight.grad is None


FOUND = re.search(r"code-block:: python\n\n(.*?)\n\n    \w", LatentPenalty.__doc__, re.DOTALL)
EXAMPLE = textwrap.dedent(FOUND.group(1))


def batches_of(inputs, labels, optimizer, steps=1_000, lr=0.02):
    """Shuffled batches of 256 with a learning rate that falls along a cosine: the rest of an ordinary loop."""
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * (1 + math.cos(math.pi * step / steps)) / 2
        rows = torch.randperm(len(labels))[:256]
        yield inputs[rows], labels[rows]


def run_example(code):
    """Train a digits MLP by ``code`` as it stands: (train accuracy, spread within a class, penalty)."""
    data = load(DataConfig("digits", samples=1_437, test_samples=360), 5)
    inputs, labels = torch.from_numpy(data.train_inputs).flatten(1).float(), torch.from_numpy(data.train_labels)
    inputs = (inputs - inputs.mean()) / inputs.std()
    torch.manual_seed(5)
    model = nn.Sequential(OrderedDict(one=nn.Linear(64, 64), act=nn.SiLU(), two=nn.Linear(64, 64), act2=nn.SiLU(),
                                      penultimate=nn.Linear(64, 8), head=nn.Linear(8, 10)))
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98))
    scope = {"lpc_core": lpc_core, "F": F, "model": model, "optimizer": optimizer,
             "batches": batches_of(inputs, labels, optimizer)}
    exec(code, scope)
    with torch.no_grad():
        accuracy = (model(inputs).argmax(1) == labels).float().mean().item()
    latents = scope["penalty"].latents.numpy()
    spread = measure(latents, data.train_labels, only="within_class_spread")["within_class_spread"]
    return accuracy, spread, scope["penalty"]


def test_the_example_in_the_docstring_collapses_digits():
    """The three lines of the README in a plain loop; the same loop without the term leaves clouds."""
    accuracy, spread, penalty = run_example(EXAMPLE)
    assert penalty.gamma == 100.0
    assert accuracy > 0.99
    assert spread < 0.1
    assert EXAMPLE.count(" + penalty()") == 1
    accuracy, spread, _ = run_example(EXAMPLE.replace(" + penalty()", ""))
    assert accuracy > 0.99
    assert spread > 0.2


def test_under_autocast_it_is_computed_in_float32():
    model = plain()
    penalty = LatentPenalty(model, "2", gamma=1e4)
    with torch.autocast("cpu", torch.bfloat16):
        model(INPUTS)
        term = penalty()
    assert penalty.latents.dtype == torch.bfloat16
    assert term.dtype == torch.float32
    assert term.item() == pytest.approx(1e4 * penalty.latents.double().square().sum(1).mean().item(), rel=1e-6)
    assert 1e4 * penalty.latents.square().sum(1).mean().item() != pytest.approx(term.item(), rel=1e-6)  # bfloat16 can't
    term.backward()
    assert model[2].weight.grad.dtype == torch.float32


def test_float16_latents_do_not_overflow_and_float64_ones_keep_their_digits():
    layer = nn.Identity()
    penalty = LatentPenalty(nn.Sequential(layer), "0", gamma=1.0)
    layer(torch.full((2, 2), 300.0, dtype=torch.float16, requires_grad=True))
    assert penalty().item() == 180_000.0
    layer(torch.full((1, 1), 1 + 1e-12, dtype=torch.float64, requires_grad=True))
    assert penalty().item() == (1 + 1e-12) ** 2


def test_gradients_accumulate_as_those_of_one_large_batch():
    whole, parts = plain(), plain()
    loss = LatentPenalty(whole, "2", gamma=2.0)
    (F.cross_entropy(whole(INPUTS[:4]), torch.tensor([0, 1, 2, 0])) + loss()).backward()
    penalty = LatentPenalty(parts, "2", gamma=2.0)
    for rows, labels in ((slice(0, 2), [0, 1]), (slice(2, 4), [2, 0])):
        ((F.cross_entropy(parts(INPUTS[rows]), torch.tensor(labels)) + penalty()) / 2).backward()
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_several_calls_of_the_layer_count_as_the_last():
    shared = nn.Linear(4, 2)
    penalty = LatentPenalty(nn.Sequential(shared), "0", gamma=1.0)
    shared(INPUTS)
    last = shared(2 * INPUTS)
    assert penalty().item() == pytest.approx(last.detach().square().sum(1).mean().item())


def test_pooled_outputs_are_flattened_and_others_refused():
    def term(*shape):
        layer = nn.Identity()
        penalty = LatentPenalty(nn.Sequential(layer), "0", gamma=1.0)
        layer(torch.ones(*shape, requires_grad=True))
        return penalty(), penalty.latents

    value, latents = term(3, 2, 1, 1)
    assert value.item() == 2.0
    assert latents.shape == (3, 2)
    for shape in ((3,), (3, 4, 2), (3, 2, 2, 1)):
        with pytest.raises(ValueError, match=rf"expected latents \(N, d\) from 0, got {re.escape(str(shape))}; name"):
            term(*shape)
    for shape in ((0, 2), (3, 0)):
        with pytest.raises(ValueError, match="expected at least one sample and one node from 0"):
            term(*shape)


@pytest.mark.parametrize(("change", "select"), [
    (lambda z: (None, z), 1), (lambda z: {"latents": z, "aux": 1}, "latents"), (lambda z: [z, z], lambda out: out[0]),
    (lambda z: z[:, None].expand(-1, 3, -1), lambda out: out[:, 0])])
def test_select_picks_the_latents_out_of_an_output(change, select):
    model = Net(change)
    penalty = LatentPenalty(model, gamma=2.0, select=select)
    model(INPUTS)
    last = model.penultimate.last.detach()
    assert penalty().item() == pytest.approx(2 * last.square().sum(1).mean().item())


@pytest.mark.parametrize(("change", "select", "message"), [
    (lambda z: (z, z), None, r"expected a tensor from penultimate, got a tuple of 2 \(Tensor, Tensor\); pass select="),
    (lambda z: {"a": z, "b": 1}, None, "expected a tensor from penultimate, got a dict with the keys a, b; pass"),
    (lambda z: (z, z), 2, r"select: expected an index or a key of the output of penultimate, got 2; its output is "),
    (lambda z: {"a": z}, "z", "got 'z'; its output is a dict with the keys a"),
    (lambda z: (z,), "z", "got 'z'; its output is a tuple of 1"),
    (lambda z: z, lambda out: out.argmax(1), "expected floating-point latents from penultimate, got torch.int64; name"),
    (lambda z: z, lambda out: None, "expected a tensor from penultimate, got a NoneType"),
])
def test_outputs_that_are_no_latents_are_refused(change, select, message):
    model = Net(change)
    penalty = LatentPenalty(model, gamma=1.0, select=select)
    model(INPUTS)
    with pytest.raises(ValueError, match=message):
        penalty()


# ---- when it may be taken ----------------------------------------------------------------------------------------


def test_before_a_forward_pass_and_twice_after_one_there_is_nothing():
    model = plain()
    penalty = LatentPenalty(model, "2", gamma=1.0)
    for take in (penalty, lambda: penalty.latents):
        with pytest.raises(RuntimeError, match="expected a forward pass through 2 before each penalty, got none since"):
            take()
    model(INPUTS)
    penalty()
    with pytest.raises(RuntimeError, match="expected a forward pass through 2 before each penalty"):
        penalty()


def test_a_pass_that_skips_the_layer_does_not_count_the_one_before():
    class Skips(nn.Module):
        def __init__(self):
            super().__init__()
            self.penultimate = nn.Linear(4, 2)

        def forward(self, inputs, skip):
            return inputs if skip else self.penultimate(inputs)

    model = Skips()
    penalty = LatentPenalty(model, gamma=1.0)
    model(INPUTS, skip=False)
    model(INPUTS, skip=True)
    with pytest.raises(RuntimeError, match="expected a forward pass through penultimate"):
        penalty()


def test_without_gradients_it_measures_and_never_passes_for_a_loss():
    model = plain()
    penalty = LatentPenalty(model, "2", gamma=1.0)
    with torch.no_grad():
        model(INPUTS)
        value = penalty()
    assert not value.requires_grad
    for forward in (torch.no_grad, torch.inference_mode):
        with forward():
            model(INPUTS)
        with pytest.raises(RuntimeError, match="expected latents of 2 with a gradient, got some without; call the"):
            penalty()
    assert penalty.latents.shape == (5, 2)


def test_a_reentrant_checkpoint_is_refused_and_the_other_kind_works():
    model = plain()
    penalty = LatentPenalty(model, "2", gamma=1.0)
    inputs = INPUTS.clone().requires_grad_()
    checkpoint(model, inputs, use_reentrant=True)
    with pytest.raises(RuntimeError, match="no reentrant checkpoint"):
        penalty()
    checkpoint(model, inputs, use_reentrant=False)
    penalty().backward()
    expected = plain()
    latents = expected[:3](INPUTS)
    latent_l2(latents).backward()
    torch.testing.assert_close(model[0].weight.grad, expected[0].weight.grad)


# ---- finding the layer -------------------------------------------------------------------------------------------


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({"penultimate_layer": nn.Linear(4, 2), "norm": nn.LayerNorm(2)})
        self.output_layer = nn.Linear(2, 3)
        self.alias = self.output_layer

    def forward(self, inputs):
        return self.output_layer(self.encoder["norm"](self.encoder["penultimate_layer"](inputs)))


def wrap(kind, model):
    outer = nn.Module()
    outer.add_module(kind, model)
    return outer


@pytest.mark.parametrize("wrappers", [(), ("module",), ("_orig_mod",), ("_orig_mod", "module")])
@pytest.mark.parametrize("name", ["encoder.norm", "module.encoder.norm", "_orig_mod.module.encoder.norm"])
def test_the_parts_that_wrappers_add_to_a_name_do_not_matter(wrappers, name):
    inner = Deep()
    model = inner
    for kind in wrappers:
        model = wrap(kind, model)
    full, found = find_layer(model, name)
    assert found is inner.encoder["norm"]
    assert dict(model.named_modules())[full] is found


def test_dataparallel_and_compiled_models_are_watched():
    inner = plain()
    for model in (nn.DataParallel(inner), torch.compile(inner, backend="eager")):
        with LatentPenalty(model, "2", gamma=1.0) as penalty:
            for _ in range(2):
                model(INPUTS)
                term = penalty()
                assert term.item() == pytest.approx(inner[:3](INPUTS).detach().square().sum(1).mean().item())
                assert term.requires_grad


def test_a_model_compiled_around_a_watched_one_is_watched_too():
    inner = plain()
    penalty = LatentPenalty(inner, "2", gamma=1.0)
    compiled = torch.compile(inner, backend="aot_eager")
    for rows in (5, 3):
        compiled(INPUTS[:rows])
        inner.zero_grad()
        penalty().backward()
        expected = plain()
        latent_l2(expected[:3](INPUTS[:rows])).backward()
        torch.testing.assert_close(inner[0].weight.grad, expected[0].weight.grad)


def test_replicas_of_one_pass_are_put_together():
    """What DataParallel does on several devices: each replica runs a share of the batch through a copy of the layer."""
    model = nn.DataParallel(plain())
    penalty = LatentPenalty(model, "module.2", gamma=1.0)
    layer, features = model.module[2], torch.randn(5, 8)
    for share in (features[:3], features[3:]):
        replica = layer._replicate_for_data_parallel()
        replica.weight, replica.bias = layer.weight * 1, layer.bias * 1
        replica(share)
    assert penalty().item() == pytest.approx(layer(features).detach().square().sum(1).mean().item())
    inside = plain()
    LatentPenalty(inside, "2", gamma=1.0)
    kept = LatentPenalty(inside, "2", gamma=1.0)
    with pytest.raises(RuntimeError, match="expected LatentPenalty to be made of the DataParallel model itself"):
        inside._replicate_for_data_parallel()(INPUTS)
    kept.remove()


@pytest.mark.parametrize(("name", "hint"), [
    ("penultimat_layer", r"did you mean encoder.penultimate_layer\? \(model.named_modules\(\) has all 5\)"),
    ("norm", r"did you mean encoder.norm\?"),
    ("output_lay", r"did you mean output_layer\?"),
    ("encoder.penultimate", r"did you mean encoder.penultimate_layer\?"),
    ("zzz", "choose one of its 5: encoder, encoder.penultimate_layer, encoder.norm, output_layer, alias"),
    ("", "choose one of its 5"),
    (3, "choose one of its 5"),
])
def test_a_layer_that_is_not_there_is_answered_with_those_that_are(name, hint):
    with pytest.raises(ValueError, match=rf"layer: expected the name of a layer of this model, got {name!r}; ({hint})"):
        LatentPenalty(Deep(), name, gamma=1.0)


def test_an_ambiguous_name_and_a_model_without_layers():
    model = nn.Module()
    model.a, model.module = nn.Linear(1, 1), wrap("a", nn.Linear(1, 1))
    assert find_layer(model, "a")[1] is model.a
    both = nn.Module()
    both.module, both._orig_mod = wrap("a", nn.Linear(1, 1)), wrap("a", nn.Linear(1, 1))
    with pytest.raises(ValueError, match=r"expected the name of one layer, got 'a', which fits module\.a, _orig"):
        find_layer(both, "a")
    with pytest.raises(ValueError, match="it has no layers with a name; wrap it"):
        LatentPenalty(nn.Linear(1, 1), gamma=1.0)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"gamma": -1.0}, r"gamma: expected a finite number of at least 0, got -1.0; pass a float"),
    ({"gamma": math.inf}, "gamma: expected a finite number"), ({"gamma": math.nan}, "gamma: expected a finite number"),
    ({"gamma": "1"}, "gamma: expected a finite number"), ({"gamma": True}, "gamma: expected a finite number"),
    ({"gamma": 10**400}, "gamma: expected a finite number"),
    ({"gamma": 1.0, "convention": "code"}, "convention: expected sum or mean, got 'code'; sum is the paper's"),
])
def test_bad_arguments_are_refused(arguments, message):
    model = plain()
    with pytest.raises(ValueError, match=message):
        LatentPenalty(model, "2", **arguments)
    assert not model._forward_pre_hooks


def test_gamma_may_be_moved_but_not_to_nonsense():
    penalty = LatentPenalty(plain(), "2", gamma=1)
    penalty.gamma = 5
    assert penalty.gamma == 5.0
    with pytest.raises(ValueError, match="gamma: expected a finite number of at least 0, got nan"):
        penalty.gamma = math.nan
    assert penalty.gamma == 5.0


# ---- leaving the model alone -------------------------------------------------------------------------------------


def test_the_model_is_the_same_again_when_the_penalty_goes():
    model = plain()

    def hooks():
        return [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]

    bare = hooks()
    with LatentPenalty(model, "2", gamma=1.0) as penalty:
        assert sum(hooks()) == 2
    assert hooks() == bare
    penalty.remove()
    model(INPUTS)
    for take in (penalty, lambda: penalty.latents):
        with pytest.raises(RuntimeError, match="expected a penalty that is still on its model, got one that was"):
            take()
    dropped = LatentPenalty(model, "2", gamma=1.0)
    del dropped
    gc.collect()
    assert hooks() == bare


def test_state_dict_copies_and_pickles_of_the_model_know_nothing_of_it():
    model = plain()
    names = list(model.state_dict())
    penalty = LatentPenalty(model, "2", gamma=1.0)
    model(INPUTS)  # the hook holds a tensor with a graph, which neither deepcopy nor pickle could take
    assert list(model.state_dict()) == names
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other(INPUTS * 100)
        torch.testing.assert_close(other(INPUTS), model(INPUTS))
        watches = [hook for m in other.modules() for hook in m._forward_hooks.values()]
        assert [watch.outputs for watch in watches] == [{}]
    assert penalty().item() == pytest.approx(model[:3](INPUTS).detach().square().sum(1).mean().item())


def test_a_copy_of_model_and_penalty_together_is_a_working_pair():
    first = Both()
    first.net(INPUTS)
    first.penalty()
    for second in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        second.net(2 * INPUTS)
        with pytest.raises(RuntimeError, match="expected a forward pass"):
            first.penalty()
        expected = second.net[:3](2 * INPUTS).detach().square().sum(1).mean().item()
        assert second.penalty().item() == pytest.approx(3 * expected)
        second.penalty.remove()
        assert not second.net[2]._forward_hooks
        assert first.net[2]._forward_hooks


def test_the_graph_is_let_go_of():
    model = plain()
    penalty = LatentPenalty(model, "2", gamma=1.0)
    model(INPUTS)
    output = weakref.ref(next(iter(penalty._watch.outputs.values())))
    term = penalty()
    assert output() is not None  # the term itself still needs it
    term.backward()
    del term
    gc.collect()
    assert output() is None
    model(INPUTS)
    output = weakref.ref(next(iter(penalty._watch.outputs.values())))
    model(INPUTS)  # a pass nobody took the penalty of
    gc.collect()
    assert output() is None


def test_latents_have_no_graph_and_are_those_of_the_last_pass():
    model = plain()
    penalty = LatentPenalty(model, "2", gamma=1.0)
    model(INPUTS)
    before = penalty.latents
    penalty()
    for latents in (before, penalty.latents):
        assert not latents.requires_grad
        np.testing.assert_array_equal(latents.numpy(), model[:3](INPUTS).detach().numpy())
    assert repr(penalty) == "LatentPenalty('2', gamma=1, convention='sum')"


def test_the_front_door_opens_every_room():
    for name in lpc_core.__all__:
        assert getattr(lpc_core, name) is not None
    assert lpc_core.LatentPenalty is LatentPenalty
    with pytest.raises(AttributeError, match="module 'lpc_core' has no attribute 'LatentPenality'"):
        _ = lpc_core.LatentPenality


def test_an_output_that_was_changed_in_place_is_refused():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    penalty = lpc_core.LatentPenalty(model, layer="0", gamma=1.0)
    model(torch.ones(5, 3))
    with pytest.raises(RuntimeError, match=r"changed in place afterwards; make what follows it work on a copy"):
        penalty()
    model[1].inplace = False
    model(torch.ones(5, 3))
    torch.testing.assert_close(penalty(), latent_l2(model[0](torch.ones(5, 3))))


def test_only_a_module_has_layers():
    with pytest.raises(ValueError, match=r"expected a torch.nn.Module, got a function; pass the model"):
        lpc_core.LatentPenalty(lambda x: x, gamma=1.0)
