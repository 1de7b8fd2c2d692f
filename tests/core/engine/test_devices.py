"""Devices: refusals in one line, faults in words, workers dealt over the cards. The cards here are pretended."""

import re
import warnings

import pytest
import torch

from lpc_core.commands.train import train
from lpc_core.config import ConfigError, unflatten
from lpc_core.engine import devices
from lpc_core.engine.cost import CostError, cost_of
from lpc_core.engine.faults import DeviceError, DeviceLost
from lpc_core.engine.trainer import Trainer

OLD = "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). Please update it."
RUN = {"samples": 60, "test_samples": 20, "batch_size": 16, "steps": 20}


@pytest.fixture
def machine(monkeypatch):
    """A machine with ``count`` cards; or with none that torch can use, about which it warns."""
    def pretend(count, warning=""):
        def available():
            if warning:
                warnings.warn(warning, stacklevel=2)
            return count > 0

        monkeypatch.setattr(torch.cuda, "is_available", available)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        devices.cards.cache_clear()

    yield pretend
    devices.cards.cache_clear()


def test_a_gpu_that_is_not_there_is_refused_in_one_line(machine):
    machine(0)
    words = (r"^device: expected one of auto, cpu on this machine \(torch finds no GPU here; leave the device out to "
             r"use the CPU\), got 'cuda'$")
    for refused in (lambda: devices.pick_device("cuda"), lambda: train(None, device="cuda"),
                    lambda: Trainer(unflatten(RUN), "cuda")):
        with pytest.raises(ConfigError, match=words):
            refused()


def test_a_driver_too_old_is_the_cpu_and_a_sentence(machine):
    machine(0, OLD)
    assert devices.pick_device("auto") == torch.device("cpu")
    assert devices.device_note("auto") == f"This run is on the CPU: torch cannot use the GPU here ({OLD})."
    assert devices.device_note("cpu") == ""
    with pytest.raises(ConfigError, match=re.escape(OLD)):
        devices.pick_device("cuda:0")


def test_workers_are_dealt_over_the_cards(machine):
    machine(3)
    assert [devices.spread("auto", i) for i in range(4)] == ["cuda:0", "cuda:1", "cuda:2", "cuda:0"]
    assert devices.spread("cuda:1", 2) == "cuda:1"
    assert devices.spread("cpu", 2) == "cpu"
    assert devices.pick_device("cuda:2") == torch.device("cuda:2")
    with pytest.raises(ConfigError, match="auto, cpu, cuda, cuda:0, cuda:1, cuda:2 on this machine, got 'cuda:3'"):
        devices.pick_device("cuda:3")
    machine(1)
    assert devices.spread("auto", 5) == "auto"


def test_a_run_larger_than_the_card_is_refused_before_it_is_built(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10**8, 10**9))
    wide = unflatten(RUN | {"hidden": (4_096, 4_096)})
    words = r"memory: expected at most 100 MB, what cuda:1 has free, got about .*; reduce hidden"
    with pytest.raises(CostError, match=words):
        devices.check_room(wide, torch.device("cuda:1"))
    devices.check_room(unflatten(RUN), torch.device("cuda:1"))
    devices.check_room(wide, torch.device("cpu"))


@pytest.mark.parametrize(("fault", "kind", "words"), [
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), DeviceError,
     r"^memory: expected a run that fits on cpu beside the others, got one that ran out: about .* MB .*; reduce "),
    (torch.AcceleratorError("CUDA error: unspecified launch failure\nmore lines"), DeviceLost,
     r"^device: expected cpu to go on, got a fault of it \(CUDA error: unspecified launch failure\); start the run"),
    (RuntimeError("CUDA error: device-side assert"), DeviceLost, "^device: expected cpu to go on"),
    (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), RuntimeError, "^mat1 and mat2"),
])
def test_faults_of_the_device_are_words(fault, kind, words, monkeypatch):
    run = Trainer(unflatten(RUN), "cpu")

    def fails(*_):
        raise fault

    monkeypatch.setattr(run.engine, "step", fails)
    with pytest.raises(kind, match=words) as caught:
        run.advance(1)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_only_what_convolves_is_taken_to_need_half_of_its_batch_on_a_card(monkeypatch):
    def fits(run, free):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
        devices.check_room(run, torch.device("cuda"))

    wide = unflatten({"hidden": (512,) * 4, "batch_size": 10_000})  # "auto" is an MLP on vectors: float32 throughout
    fits(wide, cost_of(wide).memory)
    with pytest.raises(CostError, match="cuda has free"):
        fits(wide, cost_of(wide).memory - 1)
    pictures = unflatten({"model": "convnet", "dataset": "digits", "samples": 1_000, "batch_size": 1_000})
    fits(pictures, cost_of(pictures).memory - cost_of(pictures).batch_bytes // 2)
