"""The estimate of a run against oracles: torch's own count of parameters, the multiply-adds of its layers, memory."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import torch
from torch import nn

from lpc_core.cli import program
from lpc_core.config import ModelConfig, unflatten
from lpc_core.data import load, sources
from lpc_core.data.inputs import input_shape
from lpc_core.engine import cost
from lpc_core.engine.cost import CostError, check_fits, cost_of, cost_of_group, form_of, network_of
from lpc_core.models import build
from lpc_core.parsing import parse_run
from lpc_core.presets import default_run
from lpc_core.run_group import compare
from tests.forks import ROOT, forking

FORMS = {name: form_of(default_run(name)) for name in sources()}
NETWORKS = [{}, {"hidden": ()}, {"hidden": (8192,)}, {"hidden": (64, 3, 512), "latent_dim": 9},
            {"penultimate": "none"}, {"penultimate": "nonlinear", "latent_dim": 512}, {"model": "mlp", "hidden": (1,)},
            {"model": "convnet"}, {"model": "convnet", "width": 37, "latent_dim": 8}]


def torch_shape(form):
    return form.shape if len(form.shape) == 1 else (form.shape[2], *form.shape[:2])


def products_of(model, shape):
    """Multiply-adds of one sample's forward pass, by hooks on the layers that have weights."""
    found = []

    def count(layer, inputs, output):
        found.append(layer.weight[0].numel() * output[0].numel())

    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.register_forward_hook(count)
    model.eval()(torch.zeros(1, *shape))
    return sum(found)


@pytest.mark.parametrize("settings", NETWORKS, ids=str)
@pytest.mark.parametrize("data", ["hypercube", "digits", "mnist", "cifar100"])
def test_parameters_and_products_are_those_of_the_network_that_is_built(settings, data):
    config, form = ModelConfig(**settings), FORMS[data]
    if config.model == "convnet" and len(form.shape) == 1:
        return
    model = build(config, torch_shape(form), form.classes, 0)
    ours = network_of(config, form)
    assert ours.parameters == sum(p.numel() for p in model.parameters())
    assert ours.products == products_of(model, torch_shape(form))


@pytest.mark.parametrize("name", ["hypercube", "moons", "circles", "spirals", "xor", "digits"])
def test_the_form_of_a_source_is_that_of_its_samples(name):
    config = default_run(name)
    config = unflatten({"dim": 7}, config) if name == "hypercube" else config
    dataset, form = load(config.data, 0), form_of(config)
    assert torch_shape(form) == input_shape(dataset)
    assert form.classes == dataset.classes


def test_the_forms_of_stored_sets(real_mnist, real_cifar10, monkeypatch):
    for folder, name in ((real_mnist, "mnist"), (real_cifar10, "cifar10")):
        monkeypatch.setenv("LPC_DATA", str(folder))
        dataset = load(default_run(name).data, 0)
        assert (FORMS[name].shape, FORMS[name].classes) == (dataset.train_inputs.shape[1:], dataset.classes)


MEASURE = """
import contextlib
import sys
import torch
from lpc_core.engine.trainer import Trainer
from lpc_core.parsing import parse_run
import lpc_core.robustness
with contextlib.suppress(ImportError):
    import pytorch_metric_learning.losses
torch.set_num_threads(1)
def peak():
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024
before = peak()  # of what is imported
run = Trainer(parse_run(dict(item.split("=") for item in sys.argv[1:])), "cpu")
run.advance(2)
run.snapshot()
run.state_bytes()
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("settings", [
    "hidden=2048,2048",  # parameters
    "hidden=512,512 batch_size=16384 samples=20000",  # activations
    "samples=150000 dim=200 hidden=16",  # data
    "loss=supcon batch_size=2500",  # pairs
    "dataset=digits samples=1400 test_samples=300 hidden=1500,1500 latent_dim=512 batch_size=1024",
])
def test_memory_is_within_a_factor_of_three_of_what_is_measured(settings):
    texts = settings.split()
    if "supcon" in settings:
        pytest.importorskip("pytorch_metric_learning")
    with forking(ROOT, ("-c",)):
        measured = int(subprocess.run([sys.executable, "-c", MEASURE, *texts], capture_output=True, text=True,
                                      check=True, timeout=300, cwd=ROOT).stdout)
    estimate = cost_of(parse_run(dict(item.split("=") for item in texts))).memory
    assert measured / 3 < estimate < 3 * measured


def test_it_grows_with_what_it_says_and_needs_no_torch():
    base = unflatten({"hidden": (512, 512), "batch_size": 512})
    one = cost_of(base)
    larger = cost_of(unflatten({"batch_size": 1024}, base))
    assert larger.batch_bytes > 1.4 * one.batch_bytes
    assert larger.step_s > 1.4 * one.step_s
    assert larger.state_bytes == one.state_bytes
    assert cost_of(unflatten({"batch_size": 65_536, "samples": 512}, base)).step_s == pytest.approx(one.step_s)
    film = cost_of(base, 64)
    assert (film.parameters, film.data_bytes) == (64 * one.parameters, one.data_bytes)
    assert film.memory > 40 * (one.memory - one.data_bytes)
    both = cost_of_group(compare(base, [{}, {"optimizer": "sgd"}], ["a", "b"]))
    assert both == dataclasses.replace(both, parameters=2 * one.parameters, data_bytes=one.data_bytes)
    code = ("import sys; from lpc_core.config import RunConfig; from lpc_core.engine.cost import cost_of; "
            "cost_of(RunConfig()); print('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(("settings", "advice"), [
    ({"hidden": (8192,) * 6}, "reduce hidden$"),
    ({"hidden": (8192,), "batch_size": 65_536, "samples": 70_000}, "reduce batch_size$"),
    ({"samples": 1_000_000, "dim": 1_000}, "reduce samples$"),
])
def test_a_run_larger_than_the_machine_is_refused_with_the_estimate_and_what_to_change(settings, advice, monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 2 * 10**9)
    with pytest.raises(CostError, match=r"^memory: expected at most 2,000 MB, what this machine has free, got about "
                                        rf"[\d,]+ MB \([\d,]+ parameters, .* s per step\); {advice}"):
        check_fits(cost_of(unflatten(settings)))
    check_fits(cost_of(unflatten({})))


def test_the_advice_to_a_convnet_names_its_width():
    config = unflatten({"dataset": "cifar10", "width": 256, "batch_size": 16, "samples": 5_000})
    assert cost_of(config).advice == "width or batch_size"


@pytest.mark.parametrize("command", [["train"], ["film"], ["study", "follow"], ["study", "sweep"]])
def test_the_shell_refuses_before_anything_is_loaded_or_built(command, monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 10**6)
    monkeypatch.setattr("lpc_core.data.load", None)  # a call of it would fail otherwise
    with pytest.raises(CostError, match=r"^memory: expected at most 1 MB, what this machine has free, got about"):
        program()(command, standalone_mode=False)
