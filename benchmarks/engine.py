"""What the fused engine buys: time per step, many γ at once, and time to collapse, against loops a reader would write.

    python -m benchmarks.engine [--quick]

One thread. Every peer runs in the same process and in turns with ours; times are medians over the turns. The peer "demo
loop" follows the published notebook of the method's authors: DataLoader, autograd, AdamW, batch 8, MLP 20-32-32-2-4.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from lpc_core.config import RunConfig, unflatten
from lpc_core.data import Dataset, load
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.trainer import Trainer
from lpc_core.metrics import measure
from lpc_core.models import build
from lpc_core.theory import collapse_points

RAMP_STEPS, STEPS = 1_500, 4_000  # of the recipe
RECIPE = {"lr": 2e-2, "head_lr": 2e-2, "lr_schedule": "cosine", "lr_end": 0.05, "beta2": 0.99, "batch_size": 256,
          "gamma_start": 1e-4, "ramp_steps": RAMP_STEPS, "steps": STEPS}  # γ 1e-4 → 1e2, summed over nodes
DEMO = {"lr": 5e-4, "weight_decay": 1e-4, "gamma_start": 1e-4, "gamma_end": 1e2}  # mean over nodes
DEMO_BATCH = 8
DEMO_EPOCHS = 21  # γ doubles after each
FIRST_SEED = 5  # the recipe was chosen on seeds 0 to 4


class DemoLoop:
    """The authors' demo as one would write it by hand. γ is in their code's convention (mean over nodes)."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        torch.manual_seed(seed)
        self.backbone = nn.Sequential(nn.Linear(20, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 2))
        self.head = nn.Linear(2, 4)
        parameters = [*self.backbone.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.AdamW(parameters, lr=DEMO["lr"], weight_decay=DEMO["weight_decay"])
        samples = TensorDataset(torch.from_numpy(dataset.train_inputs), torch.from_numpy(dataset.train_labels))
        self.loader = DataLoader(samples, batch_size=DEMO_BATCH, shuffle=True)
        self.gamma = DEMO["gamma_start"]
        self.steps = self._steps()

    def _steps(self) -> Iterator[None]:
        while True:
            for inputs, labels in self.loader:
                latents = self.backbone(inputs)
                loss = F.cross_entropy(self.head(latents), labels) + self.gamma * latents.pow(2).mean()
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                yield
            self.gamma = min(2 * self.gamma, DEMO["gamma_end"])

    def advance(self, steps: int) -> None:
        """Train some steps."""
        for _ in range(steps):
            next(self.steps)


# ---- time per step ---------------------------------------------------------------------------------------------------


def race(entrants: dict[str, Callable[[int], object]], steps: int, rounds: int) -> dict[str, float]:
    """Median µs per step of each entrant, ``rounds`` turns of ``steps`` steps, one entrant after the other."""
    times: dict[str, list[float]] = {name: [] for name in entrants}
    for turn in range(rounds + 1):  # the first turn warms up
        for name, advance in entrants.items():
            start = time.perf_counter()
            advance(steps)
            if turn:
                times[name].append((time.perf_counter() - start) / steps * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def stepper(engine: FusedEngine, inputs: Tensor, labels: Tensor, gamma: float | Tensor) -> Callable[[int], object]:
    """Steps on one and the same batch: the engine without data, schedules and checks."""
    def advance(steps: int) -> None:
        for _ in range(steps):
            engine.step(inputs, labels, gamma, 5e-3)
    return advance


def engine_for(config: RunConfig, replicas: int, batch: int) -> Callable[[int], object]:
    models = [build(config.model, (20,), 4, 0) for _ in range(replicas)]
    gamma = torch.logspace(-4, 2, replicas) if replicas > 1 else 1.0
    inputs, labels = torch.randn(batch, 20), torch.randint(0, 4, (batch,))
    return stepper(FusedEngine(config, models, batch), inputs, labels, gamma)


def per_step(rounds: int) -> None:
    config = unflatten({"batch_size": 8, "steps": 10_000_000, "lr": 5e-4, "head_lr": 5e-4})
    dataset = load(config.data, 0)
    times = race({"demo loop": DemoLoop(dataset, 0).advance,
                  "Trainer, autograd": Trainer(config, "cpu", dataset, engine="autograd").advance,
                  "Trainer, fused": Trainer(config, "cpu", dataset, engine="fused").advance,
                  "fused engine alone": engine_for(config, 1, 8)}, 200, rounds)
    print("\nTime per step, 20-32-32-2-4, batch 8\n")
    for name, value in times.items():
        print(f"  {name:20s} {value:8.1f} µs   {times['demo loop'] / value:5.1f}× the demo loop's speed")


def at_once(rounds: int) -> None:
    print("\nMany γ at once, 20-32-32-2-4: time of one step of all of them (µs), as multiples of one\n")
    for batch in (8, 64, 256):
        times = race({str(r): engine_for(RunConfig(), r, batch) for r in (1, 8, 32)}, 30, rounds)
        line = f"  batch {batch:3d}   one {times['1']:6.1f}"
        for replicas in (8, 32):
            multiple = times[str(replicas)] / times["1"]
            line += (f"   {replicas:2d} γ {times[str(replicas)]:7.1f} = {multiple:4.1f}× "
                     f"({replicas / multiple:3.1f}× faster than one by one)")
        print(line)


# ---- time to collapse ------------------------------------------------------------------------------------------------


def judge(logits: Tensor, latents: Tensor, head: nn.Linear, labels: np.ndarray, gamma: float) -> tuple[bool, str]:
    """Whether the training set has collapsed onto the radius predicted for ``gamma`` (sum), and the numbers."""
    weight, bias = (p.detach().double().numpy() for p in (head.weight, head.bias))
    z = latents.double().numpy()
    radius = float(np.linalg.norm(z, axis=1).mean())
    predicted = np.linalg.norm(collapse_points(weight, bias, gamma), axis=1)[labels].mean()
    accuracy = float((logits.argmax(1).numpy() == labels).mean())
    spread = measure(z, labels, only="within_class_spread")["within_class_spread"]
    good = accuracy >= 0.999 and spread <= 0.03 and abs(radius / predicted - 1) <= 0.03
    return good, f"accuracy {accuracy:.4f}, spread {spread:6.1%}, radius {radius / predicted:.3f} of the predicted"


def timed(advance: Callable[[int], object], verdict: Callable[[], tuple[bool, str]], first: int, last: int,
          every: int) -> tuple[bool, float, int, str]:
    """Train to ``first``, then on in pieces until collapsed or ``last``; judging is off the clock."""
    spent, step, good, words = 0.0, 0, False, ""
    while step < last and not good:
        piece = every if step >= first else first
        start = time.perf_counter()
        advance(piece)
        spent += time.perf_counter() - start
        step += piece
        good, words = verdict()
    return good, spent, step, words


@torch.no_grad()
def look(run: Trainer | DemoLoop, dataset: Dataset) -> tuple[bool, str]:
    inputs, labels = torch.from_numpy(dataset.train_inputs), dataset.train_labels
    if isinstance(run, DemoLoop):
        latents = run.backbone(inputs)
        return judge(run.head(latents), latents, run.head, labels, run.gamma / latents.shape[1])
    logits, latents = run.model(inputs)
    return judge(logits, latents, run.model.head, labels, run.gamma.value)


def collapse(demo_seeds: int, our_seeds: int) -> None:
    print("\nTime to collapse, Figure 1 task (accuracy ≥ 99.9 %, spread ≤ 3 % of the radius, radius within 3 %)")
    print("  The demo is judged at the end of its ramp, γ 100 in its convention (50 in ours); ours at γ 100.\n")
    demo: list[float] = []
    ours: list[float] = []
    for seed in range(FIRST_SEED, FIRST_SEED + max(demo_seeds, our_seeds)):
        dataset = load(RunConfig().data, seed)
        if len(demo) < demo_seeds:
            loop = DemoLoop(dataset, seed)
            epoch = len(loop.loader)
            demo.append(report("demo", seed, timed(loop.advance, partial(look, loop, dataset),
                                                   (DEMO_EPOCHS - 1) * epoch, DEMO_EPOCHS * epoch, epoch // 5)))
        run = Trainer(unflatten({**RECIPE, "seed": seed}), "cpu", dataset)
        ours.append(report("ours", seed, timed(run.advance, partial(look, run, dataset), RAMP_STEPS, STEPS, 100)))
    theirs, own = statistics.median(demo), statistics.median(ours)
    print(f"\n  medians: demo {theirs:.2f} s, ours {own:.2f} s ({min(ours):.2f}…{max(ours):.2f}): {theirs / own:.1f}×"
          "\n  Where the demo has not collapsed yet, its time is that of the whole ramp: a lower bound.")


def report(name: str, seed: int, result: tuple[bool, float, int, str]) -> float:
    good, seconds, steps, words = result
    print(f"  {name}  seed {seed}  {'collapsed' if good else 'NOT YET  '}  {seconds:6.2f} s  {steps:6,} steps  {words}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns and seeds: under a minute")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread")
    per_step(7 if quick else 21)
    at_once(11 if quick else 31)
    collapse(1 if quick else 3, 3 if quick else 10)


if __name__ == "__main__":
    main()
