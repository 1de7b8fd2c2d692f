"""A compiled backbone gives the same steps; where torch cannot compile, the run goes on and says so."""

from functools import partial

import pytest
import torch

from lpc_core.config import unflatten
from lpc_core.engine.compiling import pays
from lpc_core.engine.trainer import Trainer

RUN = {"dataset": "digits", "samples": 40, "test_samples": 20, "model": "resnet18", "batch_size": 8, "steps": 4}


def fails(graph, inputs):
    raise OSError("no compiler here\nand more")


def test_compiled_steps_are_the_plain_ones_in_one_graph(monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager", fullgraph=True))
    plain, run = (Trainer(unflatten(RUN), "cpu") for _ in range(2))
    assert run.engine.compile().note == "compiled"
    for each in (plain, run):
        each.advance(2)
        each.snapshot()
        each.advance(1)
    for one, other in zip(plain.model.state_dict().values(), run.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_what_cannot_be_compiled_goes_on_as_it_is(monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=fails))
    plain, run = (Trainer(unflatten(RUN | {"model": "fastnet", "hidden": (4,)}), "cpu") for _ in range(2))
    compiled = run.engine.compile()
    for each in (plain, run):
        each.advance(2)
    assert compiled.note == "not compiled, because of OSError (no compiler here)"
    for one, other in zip(plain.model.state_dict().values(), run.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("change", "expected"), [({}, False), ({"steps": 10**6}, True), ({"model": "fastnet"}, False),
                                                  ({"steps": 10**6, "model": "mlp"}, False)])
def test_it_pays_for_long_runs_of_residual_networks(change, expected):
    assert pays(unflatten(RUN | change), (1, 8, 8)) is expected


def test_a_cpu_compiles_nothing(monkeypatch):
    monkeypatch.setattr("lpc_core.engine.trainer.pays", lambda config, shape: True)
    run = Trainer(unflatten(RUN | {"model": "convnet", "width": 4}), "cpu", patient=True)
    assert run.engine_note == "autograd, because the fused engine trains MLPs only, and this model is a convnet"
