"""A trainer without torch: points that walk to their class's corner. Data that can fail, wait, or end the process."""

from __future__ import annotations

import json
import math
import os
import signal
import time

import numpy as np

from app.training.worker import Engine
from lpc_core.config import DataConfig, RunConfig
from lpc_core.data import DataError, Dataset
from lpc_core.snapshot import Snapshot

N = 200
GATE = "LPC_TEST_GATE"  # names a file: while it is not there, what is "gated" waits
# Data sets that mean something here: "broken", "slow", "pictures", "deadly" (kills the process), "faulty" (raises),
# "gated" (its second step waits), "gated-build" (building waits).


class FakeTrainer:
    theory_note = ""

    def __init__(self, config: RunConfig, device: str, dataset: Dataset) -> None:
        self.config, self.dataset = config, dataset
        self.step, self.limit, self.reason = 0, config.steps, ""
        self.gamma, self.target, self.mode, self.lr = config.gamma.gamma_start, config.gamma.gamma_start, "auto", 0.01
        self.step_s = 2e-4
        self._d, self._k = config.model.latent_dim, dataset.classes
        if dataset.name == "gated-build":
            wait_for_gate()
        if config.model.latent_dim == 13:
            raise RuntimeError("out of memory")
        rng = np.random.default_rng(config.seed)
        self.probe_labels = np.arange(N) % self._k
        self.probe_images = rng.integers(0, 255, (N, 4, 4, 1)).astype(np.uint8) if dataset.name == "pictures" else None
        self.probe_inputs = rng.normal(size=(N, 2)).astype(np.float32) if self.probe_images is None else None
        self._noise = rng.normal(size=(N, self._d)).astype(np.float32)
        self.weight = np.sign(rng.normal(size=(self._k, self._d))) + 0.1 * rng.normal(size=(self._k, self._d))

    @property
    def finished(self) -> bool:
        return self.step >= self.limit

    @property
    def diverged(self) -> bool:
        return bool(self.reason)

    def advance(self, steps: int, deadline: float | None = None) -> int:
        done = 0
        while done < steps and not self.finished:
            time.sleep(self.step_s)
            if self.dataset.name == "gated" and self.step >= 1:
                wait_for_gate()
            self.step, done = self.step + 1, done + 1
            self.gamma = self.target
            if self.dataset.name == "deadly" and self.step >= 20:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.dataset.name == "faulty" and self.step >= 20:
                raise ZeroDivisionError("a fault")
            if deadline is not None and time.perf_counter() >= deadline:
                break
        return done

    def snapshot(self, metrics: bool = True) -> Snapshot:
        points = self.weight / (1 + self.gamma)
        latents = (points[self.probe_labels] + self._noise / (1 + 0.05 * self.step)).astype(np.float32)
        numbers = {"train_accuracy": 1.0, "within_class_spread": 1 / (1 + 0.01 * self.step), "point_error": math.nan}
        return Snapshot(
            step=self.step, gamma=self.gamma, gamma_sum=self.gamma, gamma_target=self.target, gamma_mode=self.mode,
            lr=self.lr, head_lr=0.01, latents=latents, labels=self.probe_labels, predictions=self.probe_labels,
            weight=self.weight, bias=np.zeros(self._k), means=points, collapse_points=points,
            forces=np.zeros((3, self._k, self._d)), metrics=numbers if metrics else {},
            node_peak_distance=np.ones(self._d) if metrics else None, reason=self.reason)

    def decide(self, inputs: np.ndarray) -> np.ndarray:
        return (inputs[:, 0] > 0).astype(np.int64)

    def set_gamma(self, value: float) -> None:
        self.target, self.mode = value, "hand"

    def set_auto(self) -> None:
        self.mode = "auto"

    def set_lr(self, value: float) -> None:
        if value > 1:
            raise ValueError("lr: expected at most 1")
        self.lr = value

    def extend(self) -> None:
        self.limit = self.step + self.config.steps

    def state_bytes(self) -> bytes:
        return json.dumps([self.step, self.limit, self.gamma, self.target, self.mode]).encode()

    def load_state_bytes(self, raw: bytes) -> None:
        self.step, self.limit, self.gamma, self.target, self.mode = json.loads(raw)


def wait_for_gate() -> None:
    while not os.path.exists(os.environ[GATE]):
        time.sleep(0.02)


def load(config: DataConfig, seed: int, progress: object) -> Dataset:
    if config.dataset == "broken":
        raise DataError("expected broken.bin in the data folder, got none; put it there")
    if config.dataset == "slow":
        for i in range(5):
            progress(i / 5, "fetching")
            time.sleep(0.25)
    x, y = np.zeros((4, 2), np.float32), np.zeros(4, np.int64)
    names = tuple(f"class {i}" for i in range(config.classes))
    return Dataset(config.dataset, x, y, x, y, names)


def engine() -> Engine:
    return Engine(FakeTrainer, load)


def broken_engine() -> Engine:
    raise RuntimeError("no engine")


def mendable_engine() -> Engine:
    if not os.path.exists(os.environ[GATE]):
        raise RuntimeError("no engine yet")
    return engine()
