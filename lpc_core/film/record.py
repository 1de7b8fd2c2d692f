"""Recorder of films: one configuration trained at many γ from one seed, MLPs all at once on the fused engine.

Each run of a film is the very run that `Trainer` makes of the same configuration with ``gamma_end`` set to its γ
(and ``gamma_start`` lowered to it where it would lie above): the same data, weights, batches and schedule. So runs
ramp up to their γ and then hold it; with ``gamma_schedule=constant`` they start there. A gentle ramp lets the head
keep up; where it does not, the film shows total collapse, which is thus a property of the ramp as much as of γ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator

import numpy as np
import torch

from lpc_core.config import RunConfig
from lpc_core.data import Dataset, load, sources
from lpc_core.data.inputs import input_shape
from lpc_core.engine.devices import pick_device
from lpc_core.engine.fused import FusedEngine, supports
from lpc_core.engine.graphs import Blocks, recorder_for, steps_per_replay
from lpc_core.engine.observe import Look, Observer, Outputs
from lpc_core.engine.probe import make_probe
from lpc_core.engine.trainer import Trainer
from lpc_core.film._asking import check_gammas, check_memory, check_size, film_memory, frame_steps, run_of
from lpc_core.film._film import (
    BINS,
    MAX_DRAWN_RAW,
    MAX_FORCE_CLASSES,
    MAX_HIST_NODES,
    Film,
    FilmError,
    layout,
    pack_classes,
    quantise,
)
from lpc_core.metrics import METRICS
from lpc_core.models import build
from lpc_core.progress import Progress, silent
from lpc_core.schedules import GammaDriver, lr_at
from lpc_core.snapshot import PLACED, in_view, placed

MAX_CONVNET_STEPS = 200_000  # of all runs together: they are trained one after the other
MOST_RECORDED = 8  # steps per replay: few, because the first moments lie close together
FILLED = ("gamma", "codes", "reach", "predictions", "hist_range", "hist", "node_peak_distance")  # moment by moment
ENGINE_BUFFERS = 8  # parameters, gradients, optimiser slots and scratch, in multiples of the parameters


def record(config: RunConfig, gammas: Collection[float], frames: int = 60, points: int = 1_000, *, device: str = "auto",
           progress: Progress = silent, dataset: Dataset | None = None) -> Film:
    """Train one run per γ and return their film. `FilmError` for what cannot be recorded, before any training."""
    values = check_gammas(gammas)
    check_size(frames, points, config.steps)
    target = pick_device(device)
    classes = config.data.classes
    check_memory(film_memory(len(values), frames, min(points, config.data.samples), config.model.latent_dim, classes))
    progress(0.0, "loading data")
    dataset = dataset or load(config.data, config.seed)
    obstacle = supports(config, input_shape(dataset))
    if obstacle and len(values) * config.steps > MAX_CONVNET_STEPS:
        raise FilmError(f"steps: expected at most {MAX_CONVNET_STEPS // len(values):,} for {len(values)} runs, because "
                        f"{obstacle} and is trained one γ after the other, got {config.steps:,}; choose fewer")
    first = Trainer(run_of(config, values[0]), str(target), dataset, block=0)  # for its data, its weights and its shape
    first.probe = make_probe(dataset, first.batches.normalise, points, config.seed, target)
    check_memory(_needed(first, values, frames, config))
    reel = _Reel(config, values, frame_steps(config.steps, frames), first)
    done = 0
    for runs, frame, look, gamma, good in (_one_by_one if obstacle else _together)(config, values, first, reel.steps):
        reel.put(runs, frame, look, gamma, good)
        done += len(gamma)
        what = f"γ {runs.stop} of {len(values)}" if obstacle else f"step {reel.steps[frame]:,}"
        progress(done / (len(values) * frames), what)
    return reel.film()


def _needed(first: Trainer, values: np.ndarray, frames: int, config: RunConfig) -> int:
    """Bytes of the film and of the engine's buffers for all replicas."""
    replicas = 1 if supports(config, input_shape(first.dataset)) else len(values)
    parameters = sum(p.numel() for p in first.model.parameters())
    width = sum(m.out_features + m.in_features for m in first.model.modules() if isinstance(m, torch.nn.Linear))
    nodes = first.model.head.in_features
    film = film_memory(len(values), frames, len(first.probe_labels), nodes, first.dataset.classes)
    return film + 4 * replicas * (ENGINE_BUFFERS * parameters + 3 * first.batches.size * width)


Frames = Iterator[tuple[slice, int, Look, np.ndarray, np.ndarray]]  # runs, frame, what they look like, γ, whether good


def _together(config: RunConfig, values: np.ndarray, first: Trainer, steps: np.ndarray) -> Frames:
    """All runs at once: one batch, R replicas, one γ each. Those that diverged stay so."""
    shape, runs = input_shape(first.dataset), slice(0, len(values))
    models = [first.model, *(build(config.model, shape, first.dataset.classes, config.seed).to(first.device)
                             for _ in values[1:])]
    gammas = [GammaDriver.start(run_of(config, gamma).gamma) for gamma in values]
    engine = FusedEngine(config, models, first.batches.size)
    observer, good = Observer(config.loss, not first.theory_note), np.ones(len(models), bool)
    size = min(MOST_RECORDED, steps_per_replay(first.device, engine))
    blocks = Blocks(engine, size, *first.batches.peek(), recorder_for(first.device))
    step = itertools.count()

    def knobs() -> tuple[torch.Tensor, float]:
        gamma = torch.tensor([driver.advance() for driver in gammas])
        return gamma, lr_at(config.optim, config.optim.lr, next(step), config.steps)

    done = 0
    for frame, wanted in enumerate(steps.tolist()):
        while done < wanted:
            done += blocks.take(first.batches, knobs, wanted - done)
        outputs = Outputs.of(*engine.look(first.probe.everything), *engine.heads())
        good &= outputs.finite & engine.finite().cpu().numpy()
        now = np.array([driver.value for driver in gammas])
        yield runs, frame, observer.look(first.probe, outputs, now, metrics=True), now, good.copy()


def _one_by_one(config: RunConfig, values: np.ndarray, first: Trainer, steps: np.ndarray) -> Frames:
    """Models the fused engine cannot train: each run after the other, by the ordinary trainer."""
    for index, gamma in enumerate(values):
        run = Trainer(run_of(config, gamma), str(first.device), first.dataset)
        run.probe = first.probe
        for frame, wanted in enumerate(steps):
            run.advance(int(wanted) - run.step)
            look, _ = run.look()
            yield slice(index, index + 1), frame, look, np.array([run.gamma.value]), np.array([not run.diverged])


class _Reel:
    """The film's tensors while they are being filled."""

    def __init__(self, config: RunConfig, gammas: np.ndarray, steps: np.ndarray, first: Trainer) -> None:
        self.config, self.gammas, self.steps, self.first = config, gammas, steps, first
        self.labels = first.probe_labels.astype(np.uint8)
        self.d, self.classes = first.model.head.in_features, first.dataset.classes
        self.names: list[str] = []
        self.diverged: dict[int, int] = {}
        shape, n, classes = (len(gammas), len(steps)), len(self.labels), self.classes
        self.latents = np.zeros((*shape, n, self.d), np.float32) if self.d > MAX_DRAWN_RAW else None
        self.tensors = {name: np.zeros(size, dtype)
                        for name, (dtype, size) in layout(classes, self.d, 0, (*shape, n)).items() if name in FILLED}
        self.wide = {name: np.full((*shape, *rest, classes, self.d), np.nan, np.float32)
                     for name, rest in zip(PLACED, ((), (), (3,)), strict=True)
                     if name != "forces" or classes <= MAX_FORCE_CLASSES}
        self.metrics = np.zeros((0, *shape), np.float32)

    def put(self, runs: slice, frame: int, look: Look, gamma: np.ndarray, good: np.ndarray) -> None:
        """Keep one moment of some runs; those that are not ``good`` show their last good one, without numbers."""
        if not self.names:
            self.names = list(look.metrics)
            self.metrics = np.full((len(self.names), *self.tensors["gamma"].shape), np.nan, np.float32)
        chosen = np.flatnonzero(good)
        at = (chosen + runs.start, frame)
        if len(chosen):
            self._count(at, look, gamma, chosen)
            self._draw(at, look.latents[chosen], look.means[chosen])
        for run in np.flatnonzero(~good) + runs.start:
            self._hold(int(run), frame)

    def _count(self, at: tuple[np.ndarray, int], look: Look, gamma: np.ndarray, chosen: np.ndarray) -> None:
        """The numbers of the runs and of this frame that ``at`` names."""
        self.metrics[(slice(None), *at)] = [look.metrics[name][chosen] for name in self.names]
        self.tensors["gamma"][at] = gamma[chosen]
        self.tensors["predictions"][at] = pack_classes(look.predictions[chosen], self.classes)
        assert look.node_peak_distance is not None, "the looks are with metrics"
        self.tensors["node_peak_distance"][at] = look.node_peak_distance[chosen, :MAX_HIST_NODES]
        for name, value in placed(look).items():
            if name in self.wide:
                self.wide[name][at] = value[chosen]

    def _draw(self, at: tuple[np.ndarray, int], latents: np.ndarray, means: np.ndarray) -> None:
        """Where the points (G, n, d) of those runs lie."""
        reaches = self.tensors["hist_range"][at] = np.array([span(each) for each in latents], np.float32)
        if self.latents is not None:
            self.latents[at] = latents
            self.tensors["hist"][at] = [histogram(each[:, :MAX_HIST_NODES], reach)
                                        for each, reach in zip(latents, reaches, strict=True)]
        else:
            self.tensors["codes"][at], self.tensors["reach"][at] = quantise(latents, means, self.labels)

    def _hold(self, run: int, frame: int) -> None:
        if frame == 0:
            raise FilmError("expected finite latents before the first step, got others; choose another seed or network")
        self.diverged.setdefault(run, int(self.steps[frame]))
        stores = [*self.tensors.values(), *self.wide.values(), *([] if self.latents is None else [self.latents])]
        for array in stores:
            array[run, frame] = array[run, frame - 1]

    def film(self) -> Film:
        """The finished film; wide latents are projected onto one plane for all runs and frames."""
        dataset = self.first.dataset
        if self.latents is None:
            self.tensors |= self.wide
        else:
            self._project(self.latents)
        source = sources().get(self.config.data.dataset)
        info = {"title": source.title if source else dataset.name,
                "class_names": list(dataset.class_names), "nodes": self.d,
                "axes": "nodes" if self.latents is None else "pca", "metrics": self.names,
                "words": {name: METRICS[name].words() for name in self.names},
                "theory_note": self.first.theory_note,
                "diverged": [[run, step] for run, step in self.diverged.items()]}
        return Film(self.config, info, self.gammas, self.steps, self.labels, {**self.tensors, "metrics": self.metrics})

    def _project(self, latents: np.ndarray) -> None:
        basis = common_plane(latents)
        self.tensors |= in_view(self.wide, basis)
        for at in np.ndindex(self.tensors["gamma"].shape):
            positions = latents[at] @ basis
            codes, reach = quantise(positions, self.tensors["means"][at], self.labels)
            self.tensors["codes"][at], self.tensors["reach"][at] = codes, reach


def common_plane(latents: np.ndarray) -> np.ndarray:
    """The two principal directions (d, 2) of all latents (G, T, n, d), every frame scaled to one size.

    One plane for the whole film: scrubbing can neither flip nor turn it.
    """
    d = latents.shape[-1]
    scatter = np.zeros((d, d))
    for at in np.ndindex(latents.shape[:2]):
        frame = latents[at].astype(np.float64)
        frame = frame - frame.mean(axis=0)
        size = float((frame * frame).sum())
        if size > 0 and math.isfinite(size):
            scatter += frame.T @ frame / size
    axes = np.linalg.eigh(scatter)[1][:, ::-1][:, :2]
    basis: np.ndarray = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(2)])
    return basis


def span(latents: np.ndarray) -> float:
    """The histograms' half-width: the largest |z|, rounded up to a power of √2."""
    top = float(np.abs(latents).max(initial=0.0))
    return 2.0 ** (math.ceil(2 * math.log2(top)) / 2) if top > 1e-30 else 1.0


def histogram(latents: np.ndarray, reach: float) -> np.ndarray:
    """How the values of every node (n, m) are spread over −reach…+reach, tallest bin 255: (m, BINS) uint8."""
    place = np.clip(np.floor((latents / reach + 1) * (BINS / 2)), 0, BINS - 1).astype(np.int64)
    m = latents.shape[1]
    counts = np.bincount((place + BINS * np.arange(m)).ravel(), minlength=m * BINS).reshape(m, BINS)
    heights: np.ndarray = np.ceil(255 * counts / counts.max(axis=1, keepdims=True))
    return heights.astype(np.uint8)
