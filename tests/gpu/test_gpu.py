"""On a CUDA device: what is recorded gives what single steps give, nothing waits, and a saved run goes on."""

import warnings

import numpy as np
import pytest
import torch

from lpc_core.config import unflatten
from lpc_core.engine.graphs import WARM_UP, CudaRecorder
from lpc_core.engine.state import unpack
from lpc_core.engine.trainer import Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use (CUDA)")

MLP = {"samples": 2_000, "test_samples": 200, "steps": 400, "ramp_steps": 300}
PICTURES = {"dataset": "digits", "samples": 1_000, "test_samples": 200, "latent_dim": 8, "steps": 200,
            "ramp_steps": 150, "batch_size": 64}
CONVNET = PICTURES | {"model": "convnet", "width": 16}
FASTNET = PICTURES | {"model": "fastnet", "hidden": (16, 32), "optimizer": "muon", "muon_lr": 0.1,
                      "augment": "alternate-flip"}
CASES = [MLP, MLP | {"dropout": 0.3}, MLP | {"optimizer": "sgd", "lr": 1e-2}, MLP | {"optimizer": "muon"},
         PICTURES | {"augment": "flip-crop"}]


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.model.parameters()]).double().cpu().numpy()


def made(settings, **keywords):
    return Trainer(unflatten(settings), "cuda", **keywords)


def recorded(run):
    assert "because the steps could not be recorded" not in run.engine_note
    assert "steps at a time" in run.engine_note
    return run._blocks._recorded


def waiting_is(mode):
    """Whether what makes the host wait for the device is an "error", or as by "default"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns at the first call, of either kind, that this is a prototype
        torch.cuda.set_sync_debug_mode(mode)


@pytest.fixture(autouse=True)
def _waiting_is_allowed():
    """A test that fails while waiting is an error must not make the others fail."""
    yield
    waiting_is("default")


@pytest.fixture(autouse=True)
def _same_kernels():
    """Both ways of running choose the same convolutions, none of which adds up in changing order."""
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = True
    yield
    torch.backends.cudnn.deterministic = before


@pytest.mark.parametrize("engine", ["auto", "autograd"])
@pytest.mark.parametrize("settings", CASES, ids=str)
def test_recorded_steps_are_the_single_steps(settings, engine):
    single, block = made(settings, engine=engine, block=0), made(settings, engine=engine)
    for run in (single, block):
        run.advance(40)
        run.set_gamma(0.1)
        run.advance(41)
    assert recorded(block)
    np.testing.assert_allclose(weights(block), weights(single), rtol=1e-2, atol=1e-4)
    assert single.gamma == block.gamma
    assert single.batches.position == block.batches.position


@pytest.mark.parametrize("settings", [MLP, CONVNET], ids=str)
def test_the_first_steps_agree_with_the_cpu(settings):
    here, there = Trainer(unflatten(settings), "cpu", engine="autograd"), made(settings)
    for run in (here, there):
        run.advance(WARM_UP)
    a, b = weights(here), weights(there)
    assert np.linalg.norm(a - b) < (1e-4 if settings is MLP else 5e-2) * np.linalg.norm(a)


@pytest.mark.parametrize("settings", [*CASES, CONVNET | {"dropout": 0.2, "augment": "flip-crop"},
                                      FASTNET], ids=str)
def test_a_saved_run_goes_on(settings):
    """Streams, batches and state exactly. Later steps in bfloat16 part: other kernels round in another way."""
    whole, rest = made(settings), made(settings)
    whole.advance(60)
    rest.advance(20)
    rest.load_state_bytes(whole.state_bytes())
    (given, facts), (taken, same) = (unpack(run.state_bytes()) for run in (whole, rest))
    assert facts == same
    assert given.keys() == taken.keys()
    for name in given:
        assert torch.equal(given[name], taken[name]), name
    for run in (whole, rest):
        run._blocks.size = 0  # the first steps of both one by one
        run.advance(WARM_UP)
    gap = np.linalg.norm(weights(whole) - weights(rest)) / np.linalg.norm(weights(whole))
    assert gap < (1e-5 if "model" not in settings else 5e-3)
    for _ in range(3):
        for one, other in zip(whole.batches.next(), rest.batches.next(), strict=True):
            assert torch.equal(one, other)
    if whole.model.dropout.stream is not None:
        assert torch.equal(whole.model.dropout.stream.get_state(), rest.model.dropout.stream.get_state())


def test_a_loaded_run_is_recorded_again():
    run, state = made(CONVNET), made(CONVNET).state_bytes()
    run.advance(60)
    run.load_state_bytes(state)
    run.advance(60)
    assert recorded(run)
    assert np.isfinite(run.snapshot().latents).all()


@pytest.mark.parametrize("settings", [MLP, CONVNET | {"augment": "flip-crop"}, FASTNET], ids=str)
def test_nothing_in_a_slice_waits_for_the_device(settings):
    run = made(settings)
    run.advance(70)  # warmed up and recorded
    assert recorded(run)
    waiting_is("error")
    assert run.advance(70) == 70
    waiting_is("default")
    assert np.isfinite(run.snapshot().latents).all()


def test_a_convnet_computes_its_backbone_in_bf16_channels_last():
    run = made(CONVNET)
    seen = {}
    for name in ("backbone", "penultimate", "head"):
        getattr(run.model, name).register_forward_hook(lambda *a, name=name: seen.update({name: a[2].dtype}))
    run.advance(1)
    assert seen == {"backbone": torch.bfloat16, "penultimate": torch.float32, "head": torch.float32}
    assert run.batches.next()[0].is_contiguous(memory_format=torch.channels_last)
    assert all(p.dtype == torch.float32 for p in run.model.parameters())


@pytest.mark.filterwarnings("ignore")  # of the compiler's advice
def test_a_long_run_of_a_resnet_is_compiled_and_recorded():
    settings = PICTURES | {"model": "resnet18", "steps": 100_000, "lr": 1e-3}
    plain, run = made(settings), made(settings, patient=True)
    for each in (plain, run):
        each.advance(WARM_UP)
    assert "; compiled; " in run.engine_note
    assert np.linalg.norm(weights(plain) - weights(run)) < 5e-2 * np.linalg.norm(weights(plain))
    run.advance(40)
    assert recorded(run)
    assert np.isfinite(run.snapshot().latents).all()


def test_a_convnet_learns_and_collapses():
    run = made(CONVNET | {"steps": 1_000, "ramp_steps": 800, "gamma_end": 1e2})
    run.advance(1_000)
    assert recorded(run)
    snapshot = run.snapshot()
    assert not run.diverged
    assert snapshot.metrics["train_accuracy"] >= 0.99


def test_a_capture_that_fails_leaves_the_run_usable(monkeypatch):
    record = CudaRecorder.record

    def failing(self, work, streams):
        def waits():
            work()
            torch.ones((), device="cuda").item()
        record(self, waits, streams)

    monkeypatch.setattr(CudaRecorder, "record", failing)
    run, single = made(MLP | {"dropout": 0.3}), made(MLP | {"dropout": 0.3}, block=0)
    for each in (run, single):
        each.advance(100)
    assert "one by one, because the steps could not be recorded (" in run.engine_note
    np.testing.assert_allclose(weights(run), weights(single), rtol=1e-2, atol=1e-4)
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
