"""From a file to an inspection: embeddings, films, runs, other people's checkpoints, and what is only described."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from lpc_core.checkpoint import FileRefused
from lpc_core.config import unflatten
from lpc_core.engine.trainer import Trainer
from lpc_core.film import save_film
from lpc_core.film.record import record
from lpc_core.inspection import Inspection, film_embeddings
from lpc_core.inspection.films import nearest_run
from lpc_core.inspection.from_file import Description, Wishes, inspect_file
from lpc_core.theory import collapse_points
from tests.core.inspection.networks import torchvision_resnet

RUN = unflatten({"dataset": "digits", "samples": 300, "test_samples": 60, "hidden": (16,), "latent_dim": 3, "steps": 40,
                 "ramp_steps": 30, "batch_size": 32, "seed": 4})


@pytest.fixture(scope="module")
def trained():
    run = Trainer(RUN, "cpu")
    run.advance(40)
    return run


@pytest.fixture(scope="module")
def files(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "run.safetensors").write_bytes(trained.state_bytes())
    torch.save({"state_dict": trained.model.state_dict(), "epoch": 3}, folder / "plain.pth")
    torch.save({f"module.{k}": v for k, v in torchvision_resnet((1, 1), "basic", first=8, classes=4).items()},
               folder / "resnet.pth")
    torch.save({"encoder.weight": torch.randn(4, 4, 2), "verdict.fc.weight": torch.randn(5, 4),
                "verdict.fc.bias": torch.randn(5)}, folder / "unknown.pth")
    rng = np.random.default_rng(0)
    np.savez(folder / "data.npz", inputs=rng.integers(0, 256, (20, 24, 24, 3), np.uint8), labels=np.arange(20) % 4)
    np.savez(folder / "embeddings.npz", feats=rng.normal(size=(60, 6)), y=np.arange(60) % 3)
    return folder


def test_a_run_of_this_lab_needs_no_words(files, trained):
    found = inspect_file(files / "run.safetensors", command="lpc inspect run")
    assert isinstance(found, Inspection)
    with torch.no_grad():
        logits, latents = trained.model(trained.batches.normalise(torch.from_numpy(trained.dataset.train_inputs)))
    np.testing.assert_allclose(found.embeddings.latents, latents, rtol=1e-4, atol=1e-6)
    accuracy = float((logits.argmax(1).numpy() == trained.dataset.train_labels).mean())
    assert found.readings["accuracy"].value == pytest.approx(accuracy)
    assert found.source["normalisation"]["name"] == "lab"
    assert found.source["data"]["name"] == "digits, training samples"
    assert found.source["command"] == "lpc inspect run"
    assert len(found.source["sha256"]) == 64
    assert found.layout["gamma"] == pytest.approx(trained.snapshot().gamma_sum)
    json.dumps({"source": found.source, "layout": found.layout}, allow_nan=False)


def test_held_out_samples_and_another_layer(files, trained):
    found = inspect_file(files / "run.safetensors", Wishes(split="test", layer="backbone.1"))
    assert len(found.embeddings.labels) == 60
    assert found.embeddings.latents.shape == (60, 16)
    assert found.layout["theory_note"] == "No predicted points: the head does not read backbone.1."


def test_a_bare_state_dict_must_be_told_how_inputs_are_scaled(files):
    with pytest.raises(ValueError, match=r"normalisation: expected one of lab, none, .*, got none; say how"):
        inspect_file(files / "plain.pth", Wishes(data="digits"))
    wishes = Wishes(data="digits", normalisation="lab", activation="relu", samples=100)
    found = inspect_file(files / "plain.pth", wishes)
    assert found.layout["activation"] == "relu"
    assert len(found.embeddings.labels) == 100
    assert "100 of 1,437 samples, stratified, drawn with seed 0" in found.source["data"]["notes"]


def test_somebody_s_resnet_on_somebody_s_data(files):
    found = inspect_file(files / "resnet.pth", Wishes(data=str(files / "data.npz"), normalisation="imagenet"))
    assert found.layout["name"] == "ResNet-6 (torchvision's names)"
    assert found.embeddings.latents.shape == (20, 16)
    assert found.embeddings.images.shape == (20, 24, 24, 3)
    assert found.source["stripped"]
    with pytest.raises(ValueError, match="normalisation lab: expected a built-in data set, got data of your own"):
        inspect_file(files / "resnet.pth", Wishes(data=str(files / "data.npz"), normalisation="lab"))


def test_without_data_a_checkpoint_is_described(files):
    found = inspect_file(files / "resnet.pth", Wishes(gammas=(0.1, 1.0)))
    assert isinstance(found, Description)
    assert found.layout["obstacle"] == ""
    assert found.heads[0].weight == "fc.weight"
    assert [view.gamma for view in found.views] == [0.1, 1.0]
    assert "fc.weight" in {entry.name for entry in found.tree}
    json.dumps(found.plain())


def test_an_unknown_network_and_a_picked_head(files):
    wishes = Wishes(head_weight="verdict.fc.weight", gammas=(2.0,), convention="mean")
    found = inspect_file(files / "unknown.pth", wishes)
    assert found.layout is None
    (view,) = found.views
    assert view.gamma == 0.5
    saved = {name: tensor.double().numpy() for name, tensor in torch.load(files / "unknown.pth").items()}
    known = collapse_points(saved["verdict.fc.weight"], saved["verdict.fc.bias"], 0.5)
    np.testing.assert_allclose(view.collapse_points, known, atol=1e-8)
    with pytest.raises(ValueError, match="expected a network that this lab knows, got other tensors; leave the data"):
        inspect_file(files / "unknown.pth", Wishes(data="digits", normalisation="none"))
    with pytest.raises(ValueError, match=r"head weight: expected a tensor of the file, such as verdict.fc.weight"):
        inspect_file(files / "unknown.pth", Wishes(head_weight="fc"))


@pytest.mark.parametrize(("head", "words"), [
    (torch.ones(1_000, 64), "no predicted points: expected a head of at most about 300 classes"),
    (torch.full((4, 64), torch.nan), "no predicted points: expected finite weight, got NaN or infinity")])
def test_a_head_that_cannot_be_solved_hides_nothing_else(head, words, tmp_path):
    state = {"penultimate_layer.weight": torch.ones(64, 8), "output_layer.weight": head}
    torch.save({"state_dict": state, "gamma": 2.0}, tmp_path / "a.pt")
    found = inspect_file(tmp_path / "a.pt")
    assert (len(found.tree), found.views) == (2, ())
    assert found.source["notes"][-1].startswith(words)
    with pytest.raises(ValueError, match=words.partition(": ")[2]):
        inspect_file(tmp_path / "a.pt", Wishes(gammas=(1.0,)))


def test_embeddings_with_picked_arrays_and_a_further_view(files):
    told = []
    wishes = Wishes(picked={"latents": "feats", "labels": "y"}, project=("pca", "tsne"), seed=2)
    found = inspect_file(files / "embeddings.npz", wishes, progress=lambda share, what: told.append(share))
    assert found.layout is None
    assert set(found.coordinates) == {"pca", "tsne"}
    assert found.source["kind"] == "embeddings"
    assert told == sorted(told)
    assert told[-1] == 1


def test_what_view_leaves_out_is_said(files, monkeypatch):
    monkeypatch.setattr("lpc_core.inspection.projecting.MOST_POINTS", 30)
    found = inspect_file(files / "embeddings.npz", Wishes(project=("tsne",)))
    assert found.notes[-1] == "tsne: 30 of 60 samples, drawn with seed 0"
    assert np.isfinite(found.coordinates["tsne"]).all(axis=1).sum() == 30


def test_a_film_s_moment(tmp_path):
    film = record(dataclasses.replace(RUN, steps=20), [0.1, 1.0, 10.0], 3, 100, device="cpu")
    save_film(film, tmp_path / "a.film.safetensors")
    found = inspect_file(tmp_path / "a.film.safetensors", Wishes(gammas=(1.4,), frame=1))
    np.testing.assert_array_equal(found.embeddings.latents, film.positions(1, 1))
    assert np.array_equal(found.embeddings.predictions, film.predictions(1, 1))
    assert found.embeddings.weight is None
    assert any(note.startswith("positions are quantised") for note in found.notes)
    last = inspect_file(tmp_path / "a.film.safetensors")
    np.testing.assert_array_equal(last.embeddings.latents, film.positions(2, 2))
    assert nearest_run(film, 1e9) == 2
    with pytest.raises(ValueError, match="frame: expected 0 to 2, got 5; choose one of the film's"):
        film_embeddings(film, 0, 5)
    with pytest.raises(ValueError, match="gamma: expected a finite number above 0, got 0"):
        nearest_run(film, 0.0)


@pytest.mark.parametrize(("wishes", "message"), [
    (Wishes(project=("mds",)), "project: expected some of pca, tsne, umap, got 'mds'"),
    (Wishes(dims=4), "dims: expected 2 or 3, got 4"),
])
def test_wishes_that_cannot_be_fulfilled(wishes, message, files):
    with pytest.raises(ValueError, match=message):
        inspect_file(files / "embeddings.npz", wishes)


def test_a_refused_file(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04cos\nsystem\n.")
    with pytest.raises(FileRefused, match="got a pickle"):
        inspect_file(tmp_path / "a.pkl")
