"""What a GPU is for here: steps per second on the Figure 1 task, 64 γ at once, CIFAR-10 from scratch to collapse.

    python -m benchmarks.gpu [--quick] [--width N]

Every time is the host's, from an idle device to an idle device; the peer of each line runs in the same process. The
convnet's line streams snapshots ten times a second all the while, as the stage would. Without a GPU there is nothing
to measure, and it says so.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from lpc_core.config import RunConfig, unflatten
from lpc_core.data import DataError, load
from lpc_core.engine.batches import Batches
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.graphs import STEPS_MLP, WARM_UP, Blocks, recorder_for
from lpc_core.engine.trainer import Trainer
from lpc_core.models import build

STEPS_PER_S, MULTIPLE, SECONDS = 20_000, 3.0, 60.0  # the targets
TRAIN, TEST, GAMMA = 0.999, 0.91, 1e3  # what counts as collapsed; γ as in the authors' code, mean over nodes
FRAME_EVERY_S = 0.1
SLICE_S = 0.008  # as the worker's
CIFAR = {"dataset": "cifar10", "samples": 50_000, "test_samples": 10_000, "model": "convnet", "augment": "flip-crop",
         "latent_dim": 64, "convention": "mean", "gamma_start": 1e-2, "gamma_end": 2e3, "batch_size": 512,
         "lr": 4e-3, "head_lr": 1e-2, "lr_schedule": "cosine", "lr_end": 0.01, "weight_decay": 5e-2}


def timed(work: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def verdict(good: bool) -> str:
    return "met" if good else "NOT MET"


# ---- steps per second ------------------------------------------------------------------------------------------------


def per_second(rounds: int) -> None:
    config = unflatten({"steps": 10_000_000})
    dataset = load(config.data, 0)
    runs = {"autograd, one by one": Trainer(config, "cuda", dataset, engine="autograd", block=0),
            "fused, one by one": Trainer(config, "cuda", dataset, block=0),
            "autograd, recorded": Trainer(config, "cuda", dataset, engine="autograd"),
            "fused, recorded": Trainer(config, "cuda", dataset)}
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):  # the first turn warms up and records
        for name, run in runs.items():
            steps = 320 if "one by one" in name else 6_400
            seconds = timed(lambda run=run, steps=steps: run.advance(steps))
            if turn:
                rates[name].append(steps / seconds)
    print("\nSteps per second, Figure 1 task (20-32-32-2-4, batch 256), data and checks included\n")
    slowest = statistics.median(rates["autograd, one by one"])
    for name, values in rates.items():
        rate = statistics.median(values)
        print(f"  {name:22s} {rate:10,.0f} /s   {rate / slowest:5.1f}×   ({runs[name].engine_note})")
    best = statistics.median(rates["fused, recorded"])
    print(f"\n  ratio to the target of {STEPS_PER_S:,} /s: {best / STEPS_PER_S:.2f}   {verdict(best >= STEPS_PER_S)}")


# ---- many γ at once --------------------------------------------------------------------------------------------------


def recorded(replicas: int) -> Callable[[int], None]:
    """Blocks of steps of ``replicas`` models, one γ each."""
    config, device = RunConfig(), torch.device("cuda")
    models = [build(config.model, (20,), 4, 0).to(device) for _ in range(replicas)]
    batches = Batches(load(config.data, 0), config.batch_size, 0, device)
    engine = FusedEngine(config, models, batches.size)
    blocks = Blocks(engine, STEPS_MLP, *batches.peek(), recorder_for(device))
    gamma: float | Tensor = torch.logspace(-4, 2, replicas) if replicas > 1 else 1.0
    for _ in range(WARM_UP):
        blocks.warm_up(batches, gamma, 5e-3)
    if not blocks.ready():
        print(f"  {blocks.note}")

    def advance(count: int) -> None:
        for _ in range(count):
            if blocks.ready():
                blocks.run(batches, [gamma] * STEPS_MLP, [5e-3] * STEPS_MLP)
            else:
                for _ in range(STEPS_MLP):
                    engine.step(*batches.next(), gamma if replicas == 1 else torch.as_tensor(gamma).cuda(), 5e-3)
    return advance


def at_once(rounds: int) -> None:
    entrants = {replicas: recorded(replicas) for replicas in (1, 8, 64)}
    times: dict[int, list[float]] = {replicas: [] for replicas in entrants}
    for turn in range(rounds + 1):
        for replicas, advance in entrants.items():
            seconds = timed(lambda advance=advance: advance(50))
            if turn:
                times[replicas].append(seconds / 50 / STEPS_MLP * 1e6)
    one = statistics.median(times[1])
    print("\nMany γ at once, 20-32-32-2-4, batch 256: one step of all of them\n")
    for replicas, values in times.items():
        multiple = statistics.median(values) / one
        print(f"  {replicas:3d} γ   {one * multiple:8.1f} µs   {multiple:5.2f}× one")
    multiple = statistics.median(times[64]) / one
    print(f"\n  64 γ / one: {multiple:.2f}, target at most {MULTIPLE:g}   {verdict(multiple <= MULTIPLE)}")


# ---- CIFAR-10 to collapse --------------------------------------------------------------------------------------------


@torch.no_grad()
def accuracy(run: Trainer, inputs: Tensor, labels: Tensor) -> float:
    """Of all samples, as stored."""
    run.model.eval()
    right = sum(int((run.model(run.batches.normalise(pictures))[0].argmax(1) == truth).sum())
                for pictures, truth in zip(inputs.split(2_000), labels.split(2_000), strict=True))
    return right / len(labels)


def streamed(run: Trainer) -> int:
    """Train to the end in the worker's slices, a snapshot ten times a second; returns how many there were."""
    frames, due = 0, 0.0
    while not (run.finished or run.diverged):
        run.advance(run.limit, deadline=time.perf_counter() + SLICE_S)
        if time.perf_counter() >= due:
            run.snapshot(metrics=frames % 5 == 0)
            frames, due = frames + 1, time.perf_counter() + FRAME_EVERY_S
    return frames


def cifar(width: int, epochs: int) -> None:
    steps = epochs * CIFAR["samples"] // CIFAR["batch_size"]
    config = unflatten(CIFAR | {"width": width, "steps": steps, "ramp_steps": steps * 4 // 5})
    print(f"\nCIFAR-10 from scratch to collapse: convnet of width {width}, {epochs} epochs, frames all the while\n")
    try:
        dataset = load(config.data, 0)
    except DataError as error:
        print(f"  left out: {error}")
        return
    begun = time.perf_counter()
    run = Trainer(config, "cuda", dataset)  # its making and recording count
    made = time.perf_counter() - begun
    frames = 0

    def train() -> None:
        nonlocal frames
        frames = streamed(run)

    seconds = made + timed(train)
    test = accuracy(run, torch.from_numpy(dataset.test_inputs).cuda(), torch.from_numpy(dataset.test_labels).cuda())
    fit, gamma = accuracy(run, run.batches.inputs, run.batches.labels), run.gamma.value
    print(f"  {seconds:.1f} s, {frames} frames, {run.step / seconds:,.0f} steps/s ({run.engine_note}) {run.reason}\n")
    for name, value, target, good in (
            ("seconds", seconds, SECONDS, seconds <= SECONDS), ("train", fit, TRAIN, fit >= TRAIN),
            ("test", test, TEST, test >= TEST), ("γ (mean)", gamma, GAMMA, gamma >= GAMMA)):
        print(f"  {name:9s} {value:9.4g}   target {target:6g}   ratio {value / target:5.2f}   {verdict(good)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns; CIFAR for 3 epochs only")
    parser.add_argument("--width", type=int, default=192, help="of the convnet's first stage (a guess, not yet tried)")
    parser.add_argument("--epochs", type=int, default=45)
    given = parser.parse_args()
    if not torch.cuda.is_available():
        print("This benchmark needs a GPU that torch can use (CUDA), and there is none here: nothing was measured.")
        return
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
    per_second(3 if given.quick else 11)
    at_once(3 if given.quick else 11)
    cifar(given.width, 3 if given.quick else given.epochs)


if __name__ == "__main__":
    main()
