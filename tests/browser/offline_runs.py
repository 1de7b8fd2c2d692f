"""Runs that a page trains by itself, and what the lab's engine makes of them in float64: for tests in JavaScript."""

import json

import numpy as np
import torch

from app.live import frames
from app.live.messages import View
from app.offline.pack import packed
from app.training.camera import Camera
from app.training.inputs import InputSide
from app.training.narrate import tell
from lpc_core.config import unflatten
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.observe import Observer, Outputs
from lpc_core.engine.trainer import Trainer
from lpc_core.losses import gamma_sum
from lpc_core.run_group import alone, compare
from lpc_core.schedules import GammaDriver, lr_at
from lpc_core.snapshot import Snapshot

STEPS = 200
SMALL = {"samples": 330, "test_samples": 90, "batch_size": 32, "steps": 260, "ramp_steps": 150, "hidden": (9, 7)}
RUNS = {
    "adamw-silu": {"gamma_end": 50.0, "weight_decay": 0.01, "lr_schedule": "constant"},
    "sgd-relu": {"dataset": "moons", "classes": 2, "optimizer": "sgd", "activation": "relu", "lr": 0.05,
                 "gamma_schedule": "two-regime", "gamma_switch": 0.1, "gamma_end": 1.0, "label_smoothing": 0.1},
    "adam-gelu": {"dataset": "digits", "samples": 470, "optimizer": "adam", "activation": "gelu", "latent_dim": 4,
                  "batch_size": 50, "convention": "mean", "lr_schedule": "late-cosine", "gamma_schedule": "linear"},
    "tanh-nonlinear": {"dataset": "circles", "classes": 3, "activation": "tanh", "penultimate": "nonlinear",
                       "gamma_schedule": "cosine", "gamma_end": 1.0},
    "sgd-plain": {"dataset": "xor", "classes": 2, "optimizer": "sgd", "momentum": 0.0, "hidden": (),
                  "penultimate": "none", "gamma_schedule": "constant", "gamma_end": 0.1},
    "muon": {"optimizer": "muon", "muon_lr": 0.01, "weight_decay": 0.01, "gamma_end": 1.0},
    "wide": {"classes": 3, "latent_dim": 6, "hidden": (), "dim": 5, "batch_size": 400, "gamma_end": 5.0},
}
HAND = {"adamw-silu": (60, 0.5, 150)}  # a hand takes γ at a step, to a value, and gives it back at another
PAIR = ("γ = 0", {"gamma_schedule": "constant", "gamma_end": 0.0}), ("γ grows", {"lr": 0.004})
PAIR_HAND = (60, 0.5)
SCENES = [  # what the sentence is made of: step, γ, and some metrics, with those of the measurement before
    (0, 0.1, {}, None), (500, 0.1, {"train_accuracy": 0.25}, 0.25), (500, 0.1, {"train_accuracy": 0.6}, 0.99),
    (500, 0.0, {}, 1.0), (500, 0.0, {"train_accuracy": 0.5}, 0.5), (50, 0.1, {"train_accuracy": 0.2504}, 0.2),
    (500, 0.1, {"train_accuracy": 0.95, "within_class_spread": 0.01}, 0.95),
    (500, 0.1, {"train_accuracy": 0.99876}, 0.99), (500, 0.1, {"within_class_spread": 0.8}, 0.9),
    (500, 0.1, {"within_class_spread": 0.8123}, 1.0), (500, 0.1, {"within_class_spread": 0.0512}, 1.0),
    (500, 9.0, {}, 1.0), (500, 9.0, {"node_peak_distance_min": 3.0}, 1.0), (500, 9.0, {"point_error": np.nan}, 1.0),
    (500, 9.0, {"point_error": 3.14159e-7}, 1.0), (500, 9.0, {"point_error": 12.3456}, 1.0),
    (500, 9.0, {"within_class_spread": np.nan}, 1.0),
    (500, 9.0, {"train_accuracy": 0.25, "nc1_pinv": 3.0}, 1.0), (500, 9.0, {"train_accuracy": 0.25}, 1.0),
    (500, 9.0, {"train_accuracy": 0.25, "nc1_pinv": np.nan}, 0.25), (500, 9.0, {"nc1_pinv": 1.0}, 1.0),
    (500, 9.0, {"within_class_spread": 0.1}, 1.0), (500, 9.0, {"within_class_spread": 0.0999}, 1.0)]


def offline_data():
    """What the tests fetch: a pack of every run, what becomes of it, and scenes with their sentences."""
    found = {"offline.json": json.dumps({"runs": list(RUNS), "steps": STEPS, "hand": HAND}),
             "scenes.json": json.dumps([_told(*scene) for scene in SCENES])}
    for name, settings in RUNS.items():
        config = unflatten(SMALL | settings)
        found |= {f"{name}.run": packed(alone(config)), f"{name}.json": json.dumps(_trained(config, HAND.get(name)))}
    titles, overrides = zip(*PAIR, strict=True)
    pair = compare(unflatten({**SMALL, "gamma_end": 5.0}), overrides, titles)
    whole = [_trained(run, (*PAIR_HAND, STEPS) if follows else None)
             for run, follows in zip(pair.runs, pair.follows, strict=True)]
    members = [{name: each[name] for name in ("values", "gamma")} for each in whole]
    return found | {"pair.run": packed(pair),
                    "pair.json": json.dumps({"steps": STEPS, "hand": PAIR_HAND, "members": members})}


def _trained(config, hand):
    """`STEPS` steps of the fused engine in float64, from the same weights and in the same order."""
    run, driver = Trainer(config, "cpu"), GammaDriver.start(config.gamma)
    engine, batches = FusedEngine(config, run.model.to(torch.float64), run.batches.size), run.batches
    for step in range(STEPS):
        if hand and step == hand[0]:
            driver.hold(hand[1])
        if hand and step == hand[2]:
            driver.release()
        lr = lr_at(config.optim, config.optim.lr, step, config.steps)
        engine.step(*batches.next(), driver.advance(), lr)
    return _seen(config, run, engine, driver, lr)


def _seen(config, run, engine, driver, lr):
    answers = [part.numpy() for part in engine.look(run.probe.everything.double())]
    outputs = Outputs(*answers, *(part.numpy().copy() for part in engine.heads()))
    look = Observer(config.loss, not run.theory_note).look(run.probe, outputs, np.array([driver.value]), True)
    points, forces = (None if part is None else part[0] for part in (look.collapse_points, look.forces))
    snapshot = Snapshot(
        step=STEPS, gamma=driver.value,
        gamma_sum=gamma_sum(driver.value, config.loss.convention, look.latents.shape[2]), gamma_target=driver.target,
        gamma_mode=driver.mode, lr=lr, head_lr=config.optim.head_lr,
        latents=look.latents[0], labels=run.probe.labels, predictions=look.predictions[0], weight=outputs.weight[0],
        bias=outputs.bias[0], means=look.means[0], collapse_points=points, forces=forces,
        metrics={name: float(value[0]) for name, value in look.metrics.items()},
        node_peak_distance=look.node_peak_distance[0], reason="")
    view = View(type="view", nodes=[1, 0]) if look.latents.shape[2] == 2 else View(type="view", projection="pca")
    own, arrays = frames.moment(snapshot, Camera(look.latents.shape[2]).look(view, snapshot.latents), bins=True)
    side = InputSide(_Doubled(run, engine))
    if (regions := side.regions()) is not None:
        arrays["regions"] = regions
    return {"values": engine.values.tolist(), "gamma": driver.value, "lr": lr, "view": view.model_dump(),
            "inputs": side.words(),
            "metrics": {name: None if np.isnan(value) else value for name, value in snapshot.metrics.items()},
            "points": None if points is None else points.ravel().tolist(),
            "forces": None if forces is None else forces.ravel().tolist(), "sentence": tell(snapshot), "own": own,
            "arrays": {name: [list(array.shape), array.ravel().tolist()] for name, array in arrays.items()}}


class _Doubled:
    """A trainer whose network answers in float64."""

    def __init__(self, run, engine):
        self.probe_inputs, self._engine = run.probe_inputs, engine

    def decide(self, inputs):
        return self._engine.look(torch.from_numpy(inputs).double())[0][0].argmax(dim=0).numpy()


def _told(step, gamma, metrics, before):
    """A scene, and the sentence that the lab says of it."""
    usual = {"train_accuracy": 1.0, "within_class_spread": 0.01, "node_peak_distance_min": 9.0, "abs_cv": 0.1,
             "point_error": 0.0333, "nc1_pinv": 0.01}
    now = _moment(step, gamma, usual | metrics)
    learnt = before is not None and before > 0.5
    told = tell(now, None if before is None else _moment(step, gamma, {"train_accuracy": before}), learnt=learnt)
    return {"step": step, "gamma": gamma, "before": before, "learnt": learnt, "sentence": told,
            "metrics": {name: None if np.isnan(value) else value for name, value in now.metrics.items()}}


def _moment(step, gamma, metrics):
    nothing = np.zeros((4, 2))
    return Snapshot(step=step, gamma=gamma, gamma_sum=gamma, gamma_target=gamma, gamma_mode="auto", lr=0.1, head_lr=0.1,
                    latents=nothing, labels=np.zeros(4, np.int64), predictions=np.zeros(4, np.int64), weight=nothing,
                    bias=np.zeros(4), means=nothing, collapse_points=nothing, forces=None, metrics=metrics,
                    node_peak_distance=None, reason="")

