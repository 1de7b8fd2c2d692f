"""Presets: all are valid, and what the named ones promise holds on a seed they were not chosen on."""

import dataclasses

import numpy as np
import pytest
import torch

from benchmarks.recipes import gmm_peak_distance, look
from lpc_core.config import RunConfig, unflatten
from lpc_core.data import sources
from lpc_core.engine.trainer import Trainer
from lpc_core.parsing import parse_run, to_texts
from lpc_core.presets import _ON_CUDA, Preset, default_run, device_note, named_presets

SEED = 5  # recipes were chosen on seeds 0 to 2


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def after(run):
    """The network of ``run`` under `SEED`, at its end."""
    trainer = Trainer(dataclasses.replace(run, seed=SEED), "cpu")
    trainer.advance(run.steps)
    return look(trainer)


def test_there_is_a_binary_preset_and_every_fast_one_is_of_a_data_set():
    fast = {name.removeprefix("fast-"): preset for name, preset in named_presets().items() if name != "binary"}
    assert "binary" in named_presets()
    assert "hypercube" in fast
    assert {name: preset.run.data.dataset for name, preset in fast.items()} == {name: name for name in fast}
    assert set(fast) <= set(sources())


@pytest.mark.parametrize("name", sorted(named_presets()))
def test_a_named_preset_is_a_valid_run_that_a_link_carries(name):
    preset = named_presets()[name]
    assert isinstance(preset, Preset)
    assert preset.name == name
    assert preset.title
    assert preset.run.seed == 0
    assert "benchmarks.recipes" in preset.provenance
    assert parse_run(to_texts(preset.run)) == preset.run == parse_run({"preset": name})
    assert preset.run.gamma.ramp_steps <= preset.run.steps


@pytest.mark.parametrize("dataset", sorted(sources()))
def test_a_starting_run_ends_its_ramp_before_it_ends(dataset):
    run = default_run(dataset)
    assert run.data.dataset == dataset
    assert run.gamma.ramp_steps < run.steps
    assert run.optim.head_lr > 0


def test_a_data_set_without_an_entry_gets_the_defaults():
    assert default_run("something-new").optim == RunConfig().optim


def test_titles_are_told_apart():
    assert len({preset.title for preset in named_presets().values()}) == len(named_presets())


def test_the_binary_preset_gives_two_sharp_peaks_in_every_node():
    seen = after(named_presets()["binary"].run)
    peaks = gmm_peak_distance(seen.latents)  # (8,)
    assert peaks.mean() >= 15
    assert peaks.min() >= 10
    assert seen.weight_cv.max() <= 0.08
    assert seen.spread <= 0.03
    assert seen.accuracy == 1.0
    assert seen.test_accuracy >= 0.97


@pytest.mark.parametrize("name", ["hypercube", "digits", "circles"])
def test_a_fast_preset_collapses(name):
    preset = named_presets()[f"fast-{name}"].run
    assert preset.gamma.gamma_end == 100
    assert preset.loss.convention == "sum"
    assert after(preset).collapsed


def test_peak_distance_of_a_mixture_is_what_it_was_drawn_with():
    rng = np.random.default_rng(0)
    sides = rng.choice([-1.0, 1.0], (4_000, 2))
    latents = sides * [1.0, 6.0] + rng.standard_normal((4_000, 2)) * [0.1, 0.5]
    np.testing.assert_allclose(gmm_peak_distance(latents), [20, 24], rtol=0.05)


@pytest.mark.parametrize("coloured", ["svhn", "cifar10", "cifar100"])
def test_runs_on_colour_pictures_follow_the_device(coloured, monkeypatch):
    monkeypatch.setattr("lpc_core.presets.has_cuda", lambda device: device != "cpu")
    here, there = default_run(coloured, "cpu"), default_run(coloured, "cuda:1")
    assert (here.model.model, here.optim.optimizer, there.model.model, there.optim.optimizer) == (
        "auto", "adamw", "fastnet", "muon")
    assert there.data.samples >= 10 * here.data.samples
    assert there.steps == 60 * there.data.samples // there.batch_size
    assert parse_run({"preset": f"fast-{coloured}"}, "cuda") == there == parse_run({"dataset": coloured}, "cuda")
    assert named_presets("cpu")[f"fast-{coloured}"].run.model.model == "auto"
    assert named_presets("cuda")[f"fast-{coloured}"].title.endswith("(all pictures, on the GPU)")
    assert "On a GPU it is a fastnet" in device_note(here, "cpu")
    assert "all training pictures and a fastnet" in device_note(there, "cuda")
    assert device_note(default_run("digits"), "cuda") == ""
    assert parse_run(to_texts(there), "cpu") == there  # a link carries the run, wherever it is opened


def test_the_device_is_the_server_s_where_none_is_named(monkeypatch):
    monkeypatch.setattr("lpc_core.machine.DRIVERS", ("/",))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LPC_DEVICE", "cpu")
    assert default_run("cifar10").model.model == "auto"
    assert default_run("cifar10", "auto").model.model == "fastnet"
    monkeypatch.delenv("LPC_DEVICE")
    assert default_run("cifar10").model.model == "fastnet"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert default_run("cifar10").model.model == "auto"


def test_the_gpu_s_recipe_learns_on_few_pictures_and_steps():
    settings = {"dataset": "digits", "samples": 500, "test_samples": 60, "hidden": (8, 16), "latent_dim": 8,
                "batch_size": 100, "steps": 80, "ramp_steps": 56, "gamma_end": 1e-2}  # γ must not outrun so short a run
    run = Trainer(unflatten({**_ON_CUDA["cifar10"], **settings}), "cpu")
    run.advance(80)
    assert look(run).accuracy > 0.7
