"""What a frame costs beside a training step: a snapshot without and with metrics, and the whole frame, encoded.

    OMP_NUM_THREADS=1 python -m benchmarks.frame [--quick]

One thread, as in a worker. Processor time of this thread, medians over turns with training between them, as in a live
run: what a step leaves in the caches is then what a frame finds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from app.live import frames
from app.live.messages import View
from app.training.panel import Panel
from lpc_core.config import RunConfig, unflatten
from lpc_core.engine.trainer import Trainer

BETWEEN = 20  # steps before each thing that is timed
RUNS = {"4 classes, 2 nodes (the default run)": {}, "10 classes, 8 nodes": {"classes": 10, "latent_dim": 8},
        "10 classes, 64 nodes": {"classes": 10, "latent_dim": 64}}


def seconds(work: Callable[[], object]) -> float:
    """Processor time of ``work``."""
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def encoded(panel: Panel, measure: bool) -> bytes:
    """One frame as it is sent."""
    panel.look(measure=measure, running=True)
    return frames.encode("frame", {"run": 1, "frame": 1}, [panel.picture(View(type="view"))])


def costs(config: RunConfig, turns: int) -> dict[str, float]:
    """Median µs of a step and of each way to look at the run."""
    run = Trainer(config, "cpu")
    panel = Panel(run)
    looks: dict[str, Callable[[], object]] = {
        "snapshot, positions only": lambda: run.snapshot(metrics=False), "snapshot with metrics": run.snapshot,
        "frame, positions only": lambda: encoded(panel, measure=False),
        "frame with metrics": lambda: encoded(panel, measure=True)}
    times: dict[str, list[float]] = {"step": [], **{name: [] for name in looks}}
    for turn in range(turns + 5):
        for name, look in looks.items():
            step, cost = seconds(lambda: run.advance(BETWEEN)) / BETWEEN, seconds(look)
            if turn >= 5:
                times["step"].append(step)
                times[name].append(cost)
    return {name: 1e6 * statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    turns = 20 if parser.parse_args().quick else 100
    torch.set_num_threads(1)
    for title, changes in RUNS.items():
        found = costs(unflatten({**changes, "steps": 10_000_000}), turns)
        print(f"\n{title}, 2,000 + 2,000 samples\n")
        for name, cost in found.items():
            print(f"  {name:26} {cost:8.0f} µs   {cost / found['step']:6.1f} steps")


if __name__ == "__main__":
    main()
