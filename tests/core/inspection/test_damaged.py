"""Damaged state dicts: names dropped, tensors reshaped, networks mixed; run, refused with words, or left alone."""

import numpy as np
import pytest
import torch

from lpc_core.checkpoint import Checkpoint
from lpc_core.config import flatten, unflatten
from lpc_core.inspection import head_candidates, recognise
from lpc_core.models import build
from tests.core.inspection.networks import Names, authors_resnet, torchvision_resnet

ROUNDS = 60


def lab(**settings):
    run = unflatten(settings)
    shape = (3, 12, 12) if run.model.model == "convnet" else (6,)
    return build(run.model, shape, 4, 0).state_dict(), {"run": flatten(run), "gamma": {"value": 3.0}}


def authors_mlp():
    state = Names()
    state.dense("head.0", 5, 6)
    state.norm("head.2", 5)
    state.dense("penultimate_layer", 2, 5)
    state.dense("output_layer", 3, 2)
    return state


WHOLE = {
    "lab": lab(hidden=(7,), latent_dim=3),
    "lab convnet": lab(model="convnet", width=4, latent_dim=3),
    "torchvision": (torchvision_resnet((1, 1), "basic", first=4, classes=3), {}),
    "bottleneck": (torchvision_resnet((1, 1), "bottleneck", first=4, classes=3), {}),
    "authors": (authors_resnet("basic", first=4), {"gamma": 2.0}),
    "authors, wide": (authors_resnet("pre-activated", (1, 1, 1), first=4), {}),
    "authors' MLP": (authors_mlp(), {}),
}


def damage(state, rng, others):
    """Two changes of the kinds that happen to files."""
    state = dict(state)
    for _ in range(2):
        name = list(state)[rng.integers(len(state))]
        tensor = state[name]
        match rng.integers(7):
            case 0:
                del state[name]
            case 1:
                state[name] = tensor.reshape(-1)
            case 2:
                state[name] = torch.zeros(tuple(tensor.shape)[::-1])
            case 3:
                state[name] = tensor[..., None]
            case 4:
                state[f"{name}.more"] = state.pop(name)
            case 5:
                state[name] = torch.zeros(0)
            case 6:
                extra = list(others)[rng.integers(len(others))]
                state[extra] = others[extra]
        if not state:
            break
    return state


@pytest.mark.parametrize("name", WHOLE)
def test_no_damage_raises_anything_but_an_obstacle(name):
    state, metadata = WHOLE[name]
    rng = np.random.default_rng(len(name))
    seen = {"none": 0, "obstacle": 0, "runs": 0}
    for _ in range(ROUNDS):
        others = WHOLE[list(WHOLE)[rng.integers(len(WHOLE))]][0]
        damaged = damage(state, rng, others)
        network = recognise(Checkpoint("torch", damaged, metadata=metadata))
        head_candidates(damaged)
        if network is None:
            seen["none"] += 1
        elif network.obstacle:
            seen["obstacle"] += 1
            with pytest.raises(ValueError, match=r"^expected .+, got .+; .+"):
                network.build()
        else:
            seen["runs"] += 1
            network.build()
    assert seen["none"] + seen["obstacle"] > ROUNDS / 3


@pytest.mark.parametrize("metadata", [
    {"run": 3}, {"run": {"hidden": "many"}}, {"run": {"hidden": [[1]], "seed": None}}, {"info": "{"},
    {"info": "[" * 10_000}, {"run": {}, "gamma": 7}, {"gamma": {"value": True}}, {"gamma": {"value": "nan"}},
    {"gamma": None}, {"run": {"seed": 2**70}},
])
def test_metadata_of_any_kind(metadata):
    state, _ = WHOLE["lab"]
    network = recognise(Checkpoint("safetensors", state, metadata=metadata))
    assert network.name == "LPC Lab MLP 6-7-3-4"
    assert network.gamma is None


@pytest.mark.parametrize("metadata", [
    {}, {"nodes": []}, {"nodes": [["Gemm", ["x"], ["y"]]], "outputs": ["y"], "inputs": {"x": [1, 6]}},
    {"nodes": [["Gemm", [], []]], "outputs": ["y"]},
    {"nodes": [["Identity", ["y"], ["y"]]], "outputs": ["y"], "inputs": {"x": [1, 6]}},
    {"nodes": [["Identity", ["b"], ["a"]], ["Identity", ["a"], ["b"]]], "outputs": ["a"], "inputs": {}},
    {"nodes": [["Gemm", ["x", "w"], ["y"]]], "outputs": ["y"], "inputs": {}},
    {"nodes": [["Gemm", ["y", "w"], ["y"]]], "outputs": ["y"], "inputs": {"x": [1, 6]}},
])
@pytest.mark.parametrize("kind", ["onnx", "torch.export"])
def test_graphs_of_any_kind(metadata, kind):
    network = recognise(Checkpoint(kind, {"w": torch.ones(6, 3)}, metadata=metadata))
    if network is not None and not network.obstacle:
        with pytest.raises(ValueError, match="expected"):
            network.build()(torch.zeros(2, 6))
