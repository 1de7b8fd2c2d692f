"""The ready comparisons at their end: the number behind each of their sentences, and whether it holds.

    python -m benchmarks.comparisons [--only NAME …] [--seeds 5 6 7 8 9]

One thread. Numbers are those of the page: the live metrics of the last step. Seconds for most comparisons, half a
minute for those of the losses.
"""

from __future__ import annotations

import argparse

import torch

from app.comparisons import READY, Ready
from lpc_core.data import load
from lpc_core.engine.trainer import Trainer
from lpc_core.run_group import compare

SEEDS = (5, 6, 7, 8, 9)
ALWAYS = ("train_accuracy", "norm_mean", "nc1_pinv")


def finals(ready: Ready, seed: int) -> list[dict[str, float]]:
    """The live metrics of every run of a comparison after its last step."""
    runs = compare(ready.run(seed), [settings for _, settings in ready.runs], [title for title, _ in ready.runs]).runs
    data = load(runs[0].data, seed)
    trainers = [Trainer(run, "cpu", data) for run in runs]
    for trainer in trainers:
        trainer.advance(trainer.limit)
    return [trainer.snapshot().metrics for trainer in trainers]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=READY, default=list(READY))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.only:
        ready = READY[name]
        print(f"\n{ready.title}: {', '.join(title for title, _ in ready.runs)}")
        for seed in asked.seeds:
            found = finals(ready, seed)
            for metric in dict.fromkeys([*(claim.metric for claim in ready.claims), *ALWAYS]):
                values = [run[metric] for run in found]
                held = [claim.holds(*values) for claim in ready.claims if claim.metric == metric]
                verdict = "" if not held else "holds" if all(held) else "DOES NOT HOLD"
                print(f"  seed {seed}  {metric:22}" + "".join(f"{value:>12.4g}" for value in values) + f"  {verdict}")


if __name__ == "__main__":
    main()
