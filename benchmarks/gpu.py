"""What a GPU is for here, each figure beside its peer in the same process, each part by itself.

    python -m benchmarks.gpu [--only steps gammas cifar resnet film room] [--seeds 5 6 7] [--quick]

steps   Figure 1's task: steps per second, and where a step's time goes
gammas  64 γ at once beside one
cifar   CIFAR-10 to collapse by the preset, frames ten times a second; images per second beside a plain loop like
        airbench's on the same card
resnet  a ResNet-18 step at batch 512: recorded, compiled, and a plain eager float32 loop over a DataLoader
film    64 γ × 60 moments × 1,000 points, and how much of it is the host's measuring
room    30 sessions in turns on one device: frames per second of each

Times are the host's, from an idle device to an idle device. A part that fails says why, and the others go on; cifar
alone needs files, CIFAR-10's in $LPC_DATA.
``--quick`` takes a fraction of the time. ``--tiny`` is for the tests: it runs anywhere and measures nothing.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from lpc_core.config import RunConfig, unflatten
from lpc_core.data import Dataset, load
from lpc_core.engine.batches import Batches
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.graphs import STEPS_MLP, WARM_UP, Blocks, recorder_for
from lpc_core.engine.observe import Look, Observer
from lpc_core.engine.trainer import Trainer
from lpc_core.film.record import record
from lpc_core.metrics import measure
from lpc_core.models import build
from lpc_core.models.resnet18 import BACKBONE as RESNET18
from lpc_core.presets import default_run

FRAME_EVERY_S, SLICE_S = 0.1, 0.008  # as on the stage, and as the worker's
TRAIN, TEST, GAMMA = 0.999, 0.91, 1e3  # what counts as collapsed; γ as in the authors' code, mean over nodes
BATCH = 512  # of the ResNet


class Bench:
    """The device, and how much of everything."""

    def __init__(self, device: torch.device, quick: bool, tiny: bool, seeds: list[int]) -> None:
        self.device, self.quick, self.tiny, self.seeds = device, quick or tiny, tiny, seeds

    def of(self, full: int, quick: int, tiny: int) -> int:
        """The number for this run."""
        return tiny if self.tiny else quick if self.quick else full

    def timed(self, work: Callable[[], object]) -> float:
        """Seconds of ``work``, from an idle device to an idle device."""
        self.wait()
        start = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - start

    def wait(self) -> None:
        """Until the device is idle."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def median(self, work: Callable[[], object], turns: int) -> float:
        """Median seconds of ``work`` after one turn that warms up."""
        work()
        return statistics.median(self.timed(work) for _ in range(turns))

    def cifar10(self, samples: int) -> Dataset:
        """The pictures themselves, but noise in a tiny run; `DataError` where they are not to be had."""
        if self.tiny:
            return self.noise(samples)
        return load(unflatten({"dataset": "cifar10", "samples": samples, "test_samples": 10_000}).data, 0)

    def rate(self, run: Trainer, steps: int, turns: int) -> float:
        """Steps per second of ``run``."""
        def work() -> None:
            if run.advance(steps) < steps:
                raise RuntimeError(run.reason)

        return steps / self.median(work, turns)

    def noise(self, samples: int) -> Dataset:
        """Pictures like CIFAR-10's, for what depends on their size alone."""
        rng, labels = np.random.default_rng(0), np.arange(samples) % 10
        images = rng.integers(0, 256, (samples, 32, 32, 3), dtype=np.uint8)
        return Dataset("noise", images, labels, images[:20], labels[:20], tuple("0123456789"))


def against(name: str, value: float, target: float, unit: str = "", *, least: bool = True) -> None:
    """One figure beside its target."""
    good = value >= target if least else value <= target
    print(f"  {name:44s} {value:12,.4g} {unit:9s} target {'≥' if least else '≤'} {target:<9,g} "
          f"{'met' if good else 'NOT MET'}", flush=True)


# ---- (c) steps per second, and where they go -------------------------------------------------------------------------


def steps(bench: Bench) -> None:
    config = unflatten({"steps": 10_000_000})
    dataset = load(config.data, 0)
    count = bench.of(6_400, 3_200, 64)
    best = 0.0
    for engine, block in (("autograd", 0), ("fused", 0), ("autograd", None), ("fused", None)):
        run = Trainer(config, str(bench.device), dataset, engine=engine, block=block)
        some = count if block is None else max(32, count // 20)
        rate = bench.rate(run, some, bench.of(5, 3, 1))
        print(f"  {engine + (', recorded' if block is None else ', one by one'):44s} {rate:12,.0f} /s", flush=True)
        best = max(best, rate)
    against("best, 20-32-32-2-4, batch 256", best, 20_000, "steps/s")
    _breakdown(bench, run)


def _breakdown(bench: Bench, run: Trainer) -> None:
    """Kernels per step, their time, and the gaps between them: what is left is the floor of launches."""
    if bench.device.type != "cuda":
        print("  (no breakdown: it counts a GPU's kernels)")
        return
    from torch.profiler import ProfilerActivity, profile

    some = 320
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as seen:
        run.advance(some)
        bench.wait()
    rows = [row for row in seen.key_averages() if row.device_type.name == "CUDA"]
    busy = sum(row.self_device_time_total for row in rows) / some
    print(f"  kernels per step {sum(row.count for row in rows) / some:.1f}, busy {busy:.1f} µs per step; the largest:")
    for row in sorted(rows, key=lambda row: -row.self_device_time_total)[:12]:
        print(f"    {row.key[:60]:60s} {row.count / some:6.2f} × {row.self_device_time_total / row.count:6.2f} µs")


# ---- 64 γ at once ----------------------------------------------------------------------------------------------------


def gammas(bench: Bench) -> None:
    times = {}
    for replicas in (1, 8, 64):
        advance = _recorded(bench, replicas)
        times[replicas] = bench.median(advance, bench.of(7, 3, 1)) / STEPS_MLP * 1e6
        print(f"  {replicas:3d} γ {times[replicas]:10.1f} µs per step of all", flush=True)
    against("64 γ beside one", times[64] / times[1], 3.0, "×", least=False)


def _recorded(bench: Bench, replicas: int) -> Callable[[], int]:
    """A block of steps of ``replicas`` models, one γ each."""
    config = RunConfig()
    models = [build(config.model, (20,), 4, 0).to(bench.device) for _ in range(replicas)]
    batches = Batches(load(config.data, 0), config.batch_size, 0, bench.device)
    blocks = Blocks(FusedEngine(config, models, batches.size), STEPS_MLP, *batches.peek(), recorder_for(bench.device))
    gamma: float | Tensor = torch.logspace(-4, 2, replicas) if replicas > 1 else 1.0

    def advance() -> int:
        return blocks.take(batches, lambda: (gamma, 5e-3), STEPS_MLP)

    for _ in range(WARM_UP):
        advance()
    if advance() == 1:
        raise RuntimeError(blocks.note)
    return advance


# ---- (a) CIFAR-10 to collapse ----------------------------------------------------------------------------------------


def cifar(bench: Bench) -> None:
    base = default_run("cifar10", "cuda") if bench.device.type == "cuda" else unflatten({"dataset": "cifar10"})
    count = bench.of(50_000, 50_000, 64)
    epochs = bench.of(60, 6, 1)
    size = min(base.batch_size, count)
    change: dict[str, Any] = {"samples": count, "steps": max(2, epochs * count // size), "batch_size": size}
    change["ramp_steps"] = max(1, int(0.7 * change["steps"]))
    begun, rates = time.perf_counter(), []
    dataset = bench.cifar10(count)
    print(f"  the files read in {time.perf_counter() - begun:.1f} s, once for all runs", flush=True)
    for seed in bench.seeds:
        config = unflatten(change | {"seed": seed}, base)
        begun = time.perf_counter()
        run = Trainer(config, str(bench.device), dataset)
        made = time.perf_counter()
        frames = _streamed(run)
        bench.wait()
        ended = time.perf_counter()
        rates.append(run.step * size / (ended - made))
        _ends(run, dataset, ended - begun, frames)
    own = _airbench(bench, dataset, size)
    against("images per second beside an airbench-like loop", statistics.median(rates) / own, 0.8, "×")


def _streamed(run: Trainer) -> int:
    """Train to the end in the worker's slices, a snapshot ten times a second; returns how many there were."""
    frames, due = 0, 0.0
    while not (run.finished or run.diverged):
        run.advance(run.limit, deadline=time.perf_counter() + SLICE_S)
        if time.perf_counter() >= due:
            run.snapshot(metrics=frames % 5 == 0)
            frames, due = frames + 1, time.perf_counter() + FRAME_EVERY_S
    return frames


@torch.no_grad()
def _answers(run: Trainer, stored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    run.model.eval()
    parts = [run.model(run.batches.normalise(piece.to(run.device))) for piece in torch.from_numpy(stored).split(1_000)]
    logits, latents = (torch.cat(part).float().cpu().numpy() for part in zip(*parts, strict=True))
    return logits, latents


def _ends(run: Trainer, dataset: Dataset, seconds: float, frames: int) -> None:
    """The network at its end, on all pictures."""
    (logits, latents), (test, _) = (_answers(run, part) for part in (dataset.train_inputs, dataset.test_inputs))
    guesses = logits.argmax(1)
    found = measure(latents, dataset.train_labels, guesses, only=("within_class_spread", "separation_ratio"))
    print(f"  seed {run.config.seed}: {frames} frames, spread {found['within_class_spread']:.1%}, 𝓡 "
          f"{found['separation_ratio']:.1f} ({run.engine_note}) {run.reason}")
    against("seconds from the click, files read (then ≤ 20)", seconds, 30.0, "s", least=False)
    against("train", float((guesses == dataset.train_labels).mean()), TRAIN)
    against("test", float((test.argmax(1) == dataset.test_labels).mean()), TEST)
    against("γ (mean)", run.gamma.value, GAMMA)


def _airbench(bench: Bench, dataset: Dataset, size: int) -> float:
    """Images per second of a plain loop like airbench's: half precision, data on the device, no frames, no penalty."""
    config = unflatten({"model": "fastnet", "hidden": (128, 384, 384) if not bench.tiny else (8,), "activation": "gelu",
                        "latent_dim": 64})
    dtype = torch.bfloat16 if bench.device.type == "cuda" else torch.float32
    net = build(config.model, (3, 32, 32), 10, 0).to(bench.device, dtype).train()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # which torch's types leave out
    moving = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.85, nesterov=True)
    pictures = torch.from_numpy(dataset.train_inputs).to(bench.device).permute(0, 3, 1, 2).to(dtype) / 255
    labels = torch.from_numpy(dataset.train_labels).to(bench.device)

    def epoch() -> None:
        order = torch.randperm(len(labels), device=bench.device)
        for rows in order.split(size):
            moving.zero_grad(set_to_none=True)
            F.cross_entropy(net(pictures[rows])[0], labels[rows]).backward()
            moving.step()

    rate = len(labels) / bench.median(epoch, bench.of(5, 2, 1))
    print(f"  {'airbench-like loop':44s} {rate:12,.0f} images/s", flush=True)
    return rate


# ---- (b) a ResNet-18 step --------------------------------------------------------------------------------------------


def resnet(bench: Bench) -> None:
    batch = bench.of(BATCH, BATCH, 4)
    dataset = bench.noise(bench.of(20_000, 10_000, 12))
    config = unflatten({"dataset": "cifar10", "model": "resnet18", "latent_dim": 8, "batch_size": batch, "steps": 10**6,
                        "lr": 1e-3, "samples": len(dataset.train_labels)})
    some = bench.of(24, 12, 1)
    plain = _eager(bench, config, dataset, batch, some)
    print(f"  {'eager float32, DataLoader':44s} {plain:12,.0f} images/s", flush=True)
    run = Trainer(config, str(bench.device), dataset)
    recorded = batch * bench.rate(run, some, bench.of(5, 3, 1))
    print(f"  {'recorded (in the lab)':44s} {recorded:12,.0f} images/s ({run.engine_note})", flush=True)
    against("recorded beside the eager loop", recorded / plain, 5.0, "×")
    if bench.device.type == "cuda":
        seconds, compiled = _compiled(bench, config, dataset, batch, some)
        against("compiled beside the eager loop", compiled / plain, 5.0, "×")
        if compiled > recorded:
            print(f"  compiling pays after {seconds / (1 / recorded - 1 / compiled):,.0f} images (a run of lpc train "
                  f"compiles from {RESNET18.compiled_from:,} on)")


def _eager(bench: Bench, config: RunConfig, dataset: Dataset, batch: int, some: int) -> float:
    """Images per second of what one writes first: float32, channels first, a DataLoader on the CPU, AdamW."""
    net = build(config.model, (3, 32, 32), 10, 0).to(bench.device).train()
    net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # which torch's types leave out
    pictures = torch.from_numpy(dataset.train_inputs).permute(0, 3, 1, 2).float() / 255
    loader = DataLoader(TensorDataset(pictures, torch.from_numpy(dataset.train_labels)), batch, shuffle=True,
                        drop_last=True)
    moving = torch.optim.AdamW(net.parameters(), lr=1e-3)
    feed = iter(loader)

    def work() -> None:
        nonlocal feed
        for _ in range(some):
            drawn = next(feed, None)
            if drawn is None:
                feed = iter(loader)
                drawn = next(feed)
            inputs, labels = drawn
            logits, latents = net(inputs.to(bench.device))
            moving.zero_grad()
            (F.cross_entropy(logits, labels.to(bench.device)) + latents.square().mean()).backward()
            moving.step()

    return some * batch / bench.median(work, bench.of(3, 2, 1))


def _compiled(bench: Bench, config: RunConfig, dataset: Dataset, batch: int, some: int) -> tuple[float, float]:
    """Seconds until the first compiled step is done, and images per second from then on."""
    run = Trainer(config, str(bench.device), dataset, patient=True)
    first = bench.timed(lambda: run.advance(1))
    rate = batch * bench.rate(run, some, bench.of(5, 3, 1))
    print(f"  {'compiled and recorded (lpc train, long runs)':44s} {rate:12,.0f} images/s, after {first:.0f} s "
          f"({run.engine_note})", flush=True)
    return first, rate


# ---- (d) a film, (e) a room ------------------------------------------------------------------------------------------


def film(bench: Bench) -> None:
    count, frames = bench.of(64, 64, 2), bench.of(60, 60, 2)
    config = unflatten({"steps": bench.of(600, 600, 4), "ramp_steps": bench.of(400, 400, 2), "samples": 2_000})
    values = np.logspace(-3, 5, count)
    points, device = bench.of(1_000, 1_000, 20), str(bench.device)
    record(config, values[:2], 2, 20, device=device)  # so that the device's libraries are there
    measuring, look = 0.0, Observer.look

    def timed_look(*arguments: Any, **named: Any) -> Look:
        nonlocal measuring
        begun = time.perf_counter()
        found = look(*arguments, **named)
        measuring += time.perf_counter() - begun
        return found

    with patch.object(Observer, "look", timed_look):
        seconds = bench.timed(lambda: record(config, values, frames, points, device=device))
    print(f"  the host measures for {measuring:.2f} s of it, whatever the device")
    against(f"film, {count} γ × {frames} moments, {config.steps} steps", seconds, 1.0, "s", least=False)


def room(bench: Bench) -> None:
    """Thirty runs in turns of a few ms in one process, as a worker gives them, each with its own seed."""
    count, lasting = bench.of(30, 30, 2), bench.of(20, 5, 1)
    runs = [Trainer(unflatten({"steps": 10_000_000, "seed": seed}), str(bench.device)) for seed in range(count)]
    for run in runs:
        run.advance(WARM_UP + STEPS_MLP)
        run.snapshot()
    frames, due, begun = [0] * count, [0.0] * count, time.perf_counter()
    before = [run.step for run in runs]
    while time.perf_counter() - begun < lasting:
        for i, run in enumerate(runs):
            run.advance(10_000, deadline=time.perf_counter() + min(SLICE_S, FRAME_EVERY_S / 3 / count))
            if time.perf_counter() >= due[i]:
                run.snapshot(metrics=frames[i] % 5 == 0)
                frames[i], due[i] = frames[i] + 1, time.perf_counter() + FRAME_EVERY_S / 3
    passed = time.perf_counter() - begun
    total = sum(run.step for run in runs) - sum(before)
    print(f"  steps of all together {total / passed:,.0f} /s; frames of the median "
          f"{statistics.median(frames) / passed:.1f} /s")
    against(f"frames of the slowest of {count}", min(frames) / passed, 10.0, "/s")


PARTS = {part.__name__: part for part in (steps, gammas, cifar, resnet, film, room)}


def main(arguments: list[str] | None = None) -> int:
    """Print every part; the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 6, 7])
    parser.add_argument("--quick", action="store_true", help="fewer turns; CIFAR for 6 epochs of one seed")
    parser.add_argument("--tiny", action="store_true", help="the least of everything, on any device, to try the script")
    given = parser.parse_args(arguments)
    if not (torch.cuda.is_available() or given.tiny):
        print("This benchmark needs a GPU that torch can use (CUDA), and there is none here: nothing was measured.")
        return 0
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    seeds = given.seeds[:1] if given.quick or given.tiny else given.seeds
    bench = Bench(device, given.quick, given.tiny, seeds)
    where = torch.cuda.get_device_name() if device.type == "cuda" else "the CPU: a trial, no figure"
    print(f"torch {torch.__version__}, {where}, {time.strftime('%Y-%m-%d')}")
    failed = 0
    for name in given.only:
        print(f"\n{name}\n", flush=True)
        try:
            PARTS[name](bench)
        except Exception as error:  # a missing file or package, memory: the other figures are wanted all the same
            failed += 1
            print(f"  left out: {type(error).__name__}: {' '.join(str(error).split())[:400]}", flush=True)
    return failed


if __name__ == "__main__":
    main()
