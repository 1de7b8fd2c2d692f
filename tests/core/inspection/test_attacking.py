"""A checkpoint of another make under attack: recognised, normalised and bounded as in training; refusals."""

import json
import zipfile
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lpc_core.checkpoint import Limits
from lpc_core.inspection.attacking import target
from lpc_core.inspection.from_file import Wishes
from lpc_core.robustness import report


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A plain torch MLP fitted to four dark and bright corners of 2 × 2 pictures, and those pictures."""
    folder, rng = tmp_path_factory.mktemp("foreign"), np.random.default_rng(0)
    labels = np.arange(80) % 4
    pictures = rng.integers(0, 60, (80, 2, 2, 1)).astype(np.uint8)
    pictures[np.arange(80), labels // 2, labels % 2, 0] += 180
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Linear(3, 4))
    inputs = (torch.from_numpy(pictures).float() / 255 - 0.25) / 0.5
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs.flatten(1)), torch.from_numpy(labels)).backward()
        optimizer.step()
    torch.save(model.state_dict(), folder / "net.pt")
    np.savez(folder / "pictures.npz", inputs=pictures, labels=labels)
    return folder, model, inputs.flatten(1), labels


def wishes(folder, **more):
    return Wishes(**{"data": str(folder / "pictures.npz"), "normalisation": "0.25/0.5", "activation": "relu",
                                                         "penultimate": "linear", **more})


def test_it_is_the_network_and_the_inputs_of_training(files):
    folder, model, inputs, labels = files
    found = target(folder / "net.pt", wishes(folder))
    torch.testing.assert_close(found.inputs.flatten(1), inputs)
    np.testing.assert_array_equal(found.labels, labels)
    torch.testing.assert_close(found.model(found.inputs), model(inputs))
    low, high = found.bounds
    assert (low.shape, float(low), float(high)) == ((1, 1, 1), -0.5, 1.5)


def test_attacks_stay_inside_the_range_of_pixels_and_find_the_boundary(files):
    folder, model, _, _ = files
    found = target(folder / "net.pt", wishes(folder, samples=16))
    report_ = report(found.model, found.inputs, found.labels, attacks=("ddn",), bounds=found.bounds)
    assert report_.accuracy == 1
    result = report_.results["ddn"]
    assert result.success.all()
    assert found.bounds[0].item() <= result.perturbed.min().item() <= result.perturbed.max().item() <= 1.5 + 1e-5
    with torch.no_grad():
        changed = model(result.perturbed.flatten(1)).argmax(1).numpy()
    assert (changed != found.labels).all()


@pytest.fixture
def lpc(shell):
    return partial(shell, "attack")


def test_the_command_attacks_it(files, lpc):
    folder = files[0]
    code, out, _ = lpc(folder / "net.pt", "--data", folder / "pictures.npz", "--normalisation", "0.25/0.5",
                       "--activation", "relu", "--penultimate", "linear", "--attacks", "deepfool,ddn", "--samples",
                       "12", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["samples"], found["accuracy"], found["bounded"]) == (12, 1.0, True)
    assert "pictures.npz" in found["dataset"]


@pytest.mark.parametrize(("more", "words"), [
    (["--normalisation", "0.25/0.5"], "lpc: data: expected samples to attack, got none; name them with --data"),
    (["--data", "DATA"], "lpc: normalisation: expected one of lab, none, 0..1"),
    ([], "; a checkpoint of another make needs --data and --normalisation"),
    (["--data", "nowhere", "--normalisation", "none"], "lpc: data: expected one of")])
def test_what_is_missing_is_asked_for(files, lpc, more, words):
    folder = files[0]
    code, _, errors = lpc(folder / "net.pt", *(folder / "pictures.npz" if word == "DATA" else word for word in more))
    assert code == 2
    assert words in errors
    assert len(errors.strip().splitlines()) == 1


def test_a_missing_package_is_named_in_one_line(files, lpc, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("a/1.png", b"")
    code, _, errors = lpc(files[0] / "net.pt", "--data", tmp_path / "pictures.zip", "--normalisation", "none")
    assert (code, errors.startswith("lpc: Pictures need the package Pillow"), errors.count("\n")) == (2, True, 1)


def test_embeddings_are_no_network(files, tmp_path):
    np.savez(tmp_path / "e.npz", latents=np.zeros((6, 2)), labels=np.arange(6) % 2)
    with pytest.raises(ValueError, match="expected a checkpoint of a network, got embeddings or a film"):
        target(tmp_path / "e.npz", wishes(files[0]))


def test_the_samples_are_read_within_the_same_limits(files, tmp_path):
    np.savez(tmp_path / "many.npz", inputs=np.zeros((400, 2, 2, 1), np.uint8), labels=np.arange(400) % 4)
    many = wishes(files[0], data=str(tmp_path / "many.npz"))
    with pytest.raises(ValueError, match="expected arrays of at most 2,000 bytes together, got a claim of"):
        target(files[0] / "net.pt", many, limits=Limits(tensor_bytes=2_000))
