"""The fused engine against its oracles: the autograd loop, numerical differences, and itself one replica at a time."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from lpc_core.config import ConfigError, unflatten
from lpc_core.engine import _fused_tape
from lpc_core.engine.autograd import AutogradEngine, make_optimizer
from lpc_core.engine.fused import FusedEngine, supports
from lpc_core.engine.state import pack, unpack
from lpc_core.engine.trainer import Trainer
from lpc_core.losses import latent_l2
from lpc_core.models import build

DIM, CLASSES, BATCH = 7, 5, 16
BASE = {"hidden": (9, 6), "latent_dim": 3, "lr": 2e-3, "head_lr": 4e-3, "batch_size": BATCH}
TABLE = [
    {},
    *({"activation": name} for name in ("relu", "gelu", "tanh")),
    *({"optimizer": name, "weight_decay": decay} for name in ("adamw", "adam", "sgd") for decay in (0.0, 0.05)),
    {"optimizer": "sgd", "momentum": 0.0},
    {"optimizer": "muon", "weight_decay": 0.05},
    {"optimizer": "muon", "hidden": (9,), "penultimate": "none", "muon_steps": 3},
    *({"penultimate": name, "activation": "tanh"} for name in ("nonlinear", "none")),
    {"penultimate": "nonlinear", "activation": "relu"},
    {"convention": "mean", "latent_dim": 4},
    {"convention": "mean", "penultimate": "none"},
    {"label_smoothing": 0.2},
    {"hidden": ()},
    {"hidden": (), "penultimate": "none"},
    {"hidden": (5,)},
    {"hidden": (8, 7, 6, 5)},
    {"latent_dim": 1, "momentum": 0.0, "beta2": 0.0},
    {"dropout": 0.4},
    {"dropout": 0.4, "hidden": (), "penultimate": "none"},
    {"dropout": 0.4, "penultimate": "none"},
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Networks this small only get slower with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=[{"cuda"}, {"cpu"}], ids=["as on a CPU", "as on a GPU"])
def either_way(request, monkeypatch):
    monkeypatch.setattr(_fused_tape, "ADDS_AT_ONCE", request.param)


def setting(settings):
    return unflatten(BASE | settings)


def model_of(config, seed=0, dtype=torch.float64):
    return build(config.model, (DIM,), CLASSES, seed).to(dtype)


def stream(seed=0, dtype=torch.float64, batch=BATCH):
    """Endless (inputs, labels, γ, lr); γ and lr move."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(CLASSES, DIM, generator=generator, dtype=torch.float64)
    for step in itertools.count():
        labels = torch.randint(0, CLASSES, (batch,), generator=generator)
        noise = torch.randn(batch, DIM, generator=generator, dtype=torch.float64)
        yield (centres[labels] + 0.5 * noise).to(dtype), labels, 1e-3 * 1.03**step, 2e-3 * 0.995**step


def loss_of(model, config, inputs, labels, gamma):
    logits, latents = model(inputs)
    entropy = F.cross_entropy(logits, labels, label_smoothing=config.loss.label_smoothing)
    return entropy + gamma * latent_l2(latents, config.loss.convention)


def autograd_step(model, optimizer, config, step):
    inputs, labels, gamma, lr = step
    optimizer.param_groups[0]["lr"] = lr
    loss = loss_of(model, config, inputs, labels, gamma)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.detach()


def agree(first, second, tolerance):
    for (name, a), b in zip(first.named_parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a.detach(), b.detach(), rtol=tolerance, atol=tolerance * 1e-2,
                                   msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("settings", TABLE, ids=str)
def test_two_hundred_steps_agree_with_autograd(settings):
    config = setting(settings)
    oracle, model = model_of(config), model_of(config)
    optimizer, engine = make_optimizer(oracle, config.optim), FusedEngine(config, model, BATCH)
    for step in itertools.islice(stream(), 200):
        expected = autograd_step(oracle, optimizer, config, step)
        engine.step(*step)
    agree(oracle, model, 1e-5)
    torch.testing.assert_close(engine.loss(), expected, rtol=1e-6, atol=1e-9)


def test_in_single_precision_the_first_steps_agree_too():
    config = setting({})
    oracle, model = (model_of(config, dtype=torch.float32) for _ in range(2))
    optimizer, engine = make_optimizer(oracle, config.optim), FusedEngine(config, model, BATCH)
    for step in itertools.islice(stream(dtype=torch.float32), 20):
        autograd_step(oracle, optimizer, config, step)
        engine.step(*step)
    agree(oracle, model, 1e-3)


@pytest.mark.parametrize("settings", [s for s in TABLE if "dropout" not in s and "optimizer" not in s], ids=str)
@pytest.mark.usefixtures("either_way")
def test_gradients_are_the_numerical_differences_of_the_loss(settings):
    config = setting(settings)
    model = model_of(config)
    engine = FusedEngine(config, model, BATCH)
    inputs, labels, _, _ = next(stream(3))
    before = engine.values.clone()
    engine.step(inputs, labels, 0.3, 0.0)  # the head moves, so put the weights back
    engine.values.copy_(before)
    chosen, width, slopes = range(0, len(engine.values), 3), 1e-6, []
    with torch.no_grad():
        for i in chosen:
            engine.values[i] = before[i] + width
            above = loss_of(model, config, inputs, labels, 0.3)
            engine.values[i] = before[i] - width
            slopes.append((above - loss_of(model, config, inputs, labels, 0.3)) / (2 * width))
            engine.values[i] = before[i]
    torch.testing.assert_close(engine.gradients[chosen], torch.stack(slopes), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("settings", [{}, {"optimizer": "sgd"}, {"optimizer": "muon"}, {"dropout": 0.4},
                                      {"hidden": (), "penultimate": "none"}], ids=str)
@pytest.mark.usefixtures("either_way")
def test_replicas_equal_runs_of_one(settings):
    config, gammas = setting(settings), torch.tensor([0.0, 0.1, 20.0])
    together, alone = ([model_of(config) for _ in gammas] for _ in range(2))
    engine = FusedEngine(config, together, BATCH)
    singles = [FusedEngine(config, model, BATCH) for model in alone]
    for inputs, labels, _, _ in itertools.islice(stream(), 50):
        engine.step(inputs, labels, gammas, 1e-3)
        for single, gamma in zip(singles, gammas.tolist(), strict=True):
            single.step(inputs, labels, gamma, 1e-3)
    for first, second in zip(together, alone, strict=True):
        agree(first, second, 1e-6)
    torch.testing.assert_close(engine.loss(), torch.stack([single.loss() for single in singles]), rtol=1e-5, atol=1e-8)


def test_the_models_parameters_are_views_and_follow_every_step():
    config = setting({})
    models = [model_of(config, seed) for seed in (0, 1)]
    kept = [{name: p.detach().clone() for name, p in model.named_parameters()} for model in models]
    engine = FusedEngine(config, models, BATCH)
    start, end = engine.values.data_ptr(), engine.values.data_ptr() + 8 * len(engine.values)
    for model, before in zip(models, kept, strict=True):
        for name, parameter in model.named_parameters():
            assert start <= parameter.data_ptr() < end
            assert parameter.is_contiguous()
            torch.testing.assert_close(parameter.detach(), before[name], rtol=0, atol=0)
    engine.step(*next(stream()))
    assert not torch.equal(models[1].head.weight, kept[1]["head.weight"])
    models[1].load_state_dict(kept[1])
    torch.testing.assert_close(engine.layout["head.weight"].of(engine.values)[1], kept[1]["head.weight"])


@pytest.mark.parametrize("settings", [{}, {"optimizer": "adam"}, {"optimizer": "sgd"},
                                      {"optimizer": "sgd", "momentum": 0.0}], ids=str)
@pytest.mark.parametrize("steps", [0, 30])
def test_a_state_goes_from_one_engine_to_the_other_and_back(settings, steps):
    config = setting(settings)
    whole, first, second, third = (model_of(config) for _ in range(4))
    optimizer, engine = make_optimizer(whole, config.optim), FusedEngine(config, first, BATCH)
    batches = list(itertools.islice(stream(), steps + 60))
    for step in batches:
        autograd_step(whole, optimizer, config, step)
    for step in batches[:steps]:
        engine.step(*step)
    second.load_state_dict(first.state_dict())
    other = AutogradEngine(config, second)
    other.restore_optimizer(unpack(pack(engine.optimizer_tensors(), {}))[0])
    for step in batches[steps : steps + 30]:
        autograd_step(second, other.optimizer, config, step)
    last = FusedEngine(config, third, BATCH)
    third.load_state_dict(second.state_dict())
    last.restore_optimizer(unpack(pack(other.optimizer_tensors(), {}))[0])
    for step in batches[steps + 30 :]:
        last.step(*step)
    agree(whole, third, 1e-5)


def test_one_replica_of_many_can_be_saved_and_goes_on_alone():
    config = setting({})
    models = [model_of(config, seed) for seed in (0, 1)]
    engine, alone = FusedEngine(config, models, BATCH), model_of(config)
    batches = list(itertools.islice(stream(), 20))
    for step in batches[:10]:
        engine.step(*step)
    single = FusedEngine(config, alone, BATCH)
    alone.load_state_dict(models[1].state_dict())
    single.restore_optimizer(engine.optimizer_tensors(1))
    for step in batches[10:]:
        engine.step(*step)
        single.step(*step)
    agree(models[1], alone, 1e-9)


def test_pictures_are_flattened():
    config = setting({"model": "mlp"})
    oracle, model = (build(config.model, (3, 4, 5), CLASSES, 0).double() for _ in range(2))
    inputs, labels = torch.randn(BATCH, 3, 4, 5, dtype=torch.float64), torch.arange(BATCH) % CLASSES
    engine = FusedEngine(config, model, BATCH)
    engine.step(inputs, labels, 0.1, 1e-3)
    autograd_step(oracle, make_optimizer(oracle, config.optim), config, (inputs, labels, 0.1, 1e-3))
    agree(oracle, model, 1e-9)


def test_what_it_cannot_run_it_says():
    assert supports(setting({}), (20,)) == ""
    assert supports(setting({"model": "mlp"}), (3, 32, 32)) == ""
    assert supports(setting({}), (3, 32, 32)) == "the fused engine trains MLPs only, and this model is a convnet"


SMALL = {"samples": 400, "test_samples": 100, "steps": 60, "batch_size": 32, "ramp_steps": 60}


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, {"dataset": "digits", "latent_dim": 8}], ids=str)
def test_the_trainer_runs_either_engine_and_a_run_may_change_it_half_way(settings):
    config = unflatten(SMALL | settings)
    fused, plain, resumed = Trainer(config), Trainer(config, engine="autograd"), Trainer(config, engine="autograd")
    assert fused.engine_note.startswith("fused")
    assert plain.engine_note == "autograd, because it was asked for"
    for run in (fused, plain):
        run.advance(20)
    agree(plain.model, fused.model, 1e-3)
    resumed.load_state_bytes(fused.state_bytes())
    for run in (fused, resumed):
        run.advance(10)
    agree(resumed.model, fused.model, 1e-3)


def test_the_trainer_says_why_it_does_not_use_the_fused_engine():
    config = unflatten(SMALL | {"dataset": "digits", "model": "convnet"})
    run = Trainer(config)
    assert run.engine_note == "autograd, because the fused engine trains MLPs only, and this model is a convnet"
    with pytest.raises(ConfigError, match=r"engine: expected auto or autograd, because .* a convnet, got 'fused'"):
        Trainer(config, engine="fused")
    with pytest.raises(ConfigError, match="engine: expected one of auto, fused, autograd, got 'fast'"):
        Trainer(config, engine="fast")
