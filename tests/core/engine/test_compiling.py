"""A compiled backbone gives the same steps; where torch cannot compile, the run goes on and says so."""

from functools import partial

import pytest
import torch

from lpc_core.config import unflatten
from lpc_core.engine.compiling import pays
from lpc_core.engine.trainer import Trainer
from lpc_core.models import build

RUN = {"dataset": "digits", "samples": 40, "test_samples": 20, "model": "fastnet", "hidden": (4,), "batch_size": 8,
       "steps": 4}
RESNET = {"model": "resnet18"}


def fails(graph, inputs):
    raise OSError("no compiler here\nand more")


def test_compiled_steps_are_the_plain_ones(monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager", fullgraph=True))
    plain, run = (Trainer(unflatten(RUN), "cpu") for _ in range(2))
    assert run.engine.compile().note == "compiled"
    for each in (plain, run):
        each.advance(2)
        each.snapshot()
        each.advance(1)
    for one, other in zip(plain.model.state_dict().values(), run.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_a_residual_block_is_one_graph():
    with torch.device("meta"):
        block = build(unflatten(RESNET).model, (3, 8, 8), 10, 0).backbone.layer2[0]
        compiled = torch.compile(block, backend="eager", fullgraph=True)
        assert compiled(torch.zeros(2, 64, 8, 8)).shape == (2, 128, 4, 4)


def test_what_cannot_be_compiled_goes_on_as_it_is(monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=fails))
    plain, run = (Trainer(unflatten(RUN), "cpu") for _ in range(2))
    compiled = run.engine.compile()
    for each in (plain, run):
        each.advance(2)
    assert compiled.note == "not compiled, because of OSError (no compiler here)"
    for one, other in zip(plain.model.state_dict().values(), run.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("change", "expected"), [(RESNET, False), (RESNET | {"steps": 10**6}, True),
                                                  ({"steps": 10**6}, False)])
def test_it_pays_for_long_runs_of_residual_networks(change, expected):
    assert pays(unflatten(RUN | change), (1, 8, 8)) is expected


def test_a_cpu_compiles_nothing(monkeypatch):
    monkeypatch.setattr("lpc_core.engine.trainer.pays", lambda config, shape: True)
    run = Trainer(unflatten(RUN | {"model": "convnet", "width": 4}), "cpu", patient=True)
    assert run.engine_note == "autograd, because the fused engine trains MLPs only, and this model is a convnet"
