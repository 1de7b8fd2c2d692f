"""Does Muon collapse tighter than AdamW at better accuracy, and does the binary code appear under it? Digits and MNIST.

    python -m benchmarks.muon [--seeds 5 6 7 8 9] [--only digits] [--search]

The fast preset of each set, and the binary preset, each with its own learning rates under AdamW; under Muon the same
but for the rate of the matrices. ``--search`` prints the grid of rates that both were chosen from, on seeds 0 to 2.
One thread; everything on the whole train and test set, after all steps of the run.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from benchmarks.recipes import SEEDS, gmm_peak_distance, timed
from lpc_core.config import unflatten
from lpc_core.data import DataError, load
from lpc_core.engine.trainer import Trainer
from lpc_core.presets import named_presets

RUNS = {"digits": "fast-digits", "mnist": "fast-mnist", "binary": "binary"}
ADAMW_RATES = (0.25, 0.5, 1.0, 2.0)  # of the preset's lr
MUON = [{"muon_lr": rate, "muon_momentum": 0.6, "lr": share} for rate in (0.02, 0.06, 0.2) for share in (0.25, 1.0)]
CHOSEN: dict[str, dict[str, dict[str, Any]]] = {
    "digits": {"adamw": {}, "muon": {"muon_lr": 0.2, "muon_momentum": 0.6, "lr": 0.0045}},
    "mnist": {"adamw": {}, "muon": {"muon_lr": 0.2, "muon_momentum": 0.6, "lr": 0.001}},
    "binary": {"adamw": {}, "muon": {"muon_lr": 0.2, "muon_momentum": 0.6}},
}
HEAD = (f"  {'run':8s} {'optimiser':9s} {'settings':16s} {'spread':>17s} {'𝓡 train':>9s} {'𝓡 test':>8s} {'train':>8s} "
        f"{'test':>15s} {'|W| CV':>7s} {'peaks':>7s} {'worst':>7s} {'s':>6s}")


def row(name: str, settings: dict[str, Any], seeds: Iterable[int], label: str) -> None:
    """Medians over the seeds; of spread and test accuracy the least and the most too."""
    base, found = named_presets()[RUNS[name]].run, []
    for seed in seeds:
        seconds, _, seen = timed(Trainer(unflatten({"seed": seed, **settings}, base), "cpu"), until_collapse=False)
        peaks = gmm_peak_distance(seen.latents) if (seen.latents.std(0) > 0).all() else np.array([np.nan])
        found.append((seen.spread, seen.separation, seen.test_separation, seen.accuracy, seen.test_accuracy,
                      seen.weight_cv.mean(), peaks.mean(), peaks.min(), seconds))
    spread, separation, test_separation, train, test, cv, peak, worst, seconds = np.median(found, axis=0)
    low, high = np.min(found, axis=0), np.max(found, axis=0)
    print(f"  {name:8s} {settings['optimizer']:9s} {label:16s} {spread:5.2%} {low[0]:5.1%}–{high[0]:5.1%} "
          f"{separation:9.1f} {test_separation:8.2f} {train:8.2%} {test:5.1%} {low[4]:4.1%}–{high[4]:4.1%} {cv:7.3f} "
          f"{peak:7.1f} {worst:7.1f} {seconds:6.2f}", flush=True)


def search(name: str) -> None:
    """The grid, on the seeds that settings may be chosen on."""
    lr = named_presets()[RUNS[name]].run.optim.lr
    for factor in ADAMW_RATES:
        row(name, {"optimizer": "adamw", "lr": lr * factor}, range(3), f"lr {lr * factor:.3g}")
    for settings in MUON:
        row(name, {"optimizer": "muon", **settings, "lr": lr * settings["lr"]}, range(3),
            f"{settings['muon_lr']:g}, lr {lr * settings['lr']:.3g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--search", action="store_true", help="the grid of learning rates, on seeds 0 to 2")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")  # mixtures of a node with one peak
    print(f"torch {torch.__version__}, one thread, seeds {[0, 1, 2] if asked.search else asked.seeds}\n\n{HEAD}")
    for name in asked.only:
        try:
            load(named_presets()[RUNS[name]].run.data, 0)
        except DataError:
            print(f"  {name:8s} not measured: its data are not here")
            continue
        if asked.search:
            search(name)
            continue
        for optimizer, settings in CHOSEN[name].items():
            label = ", ".join(f"{key} {value:g}" for key, value in settings.items()) or "the preset's"
            row(name, {"optimizer": optimizer, **settings}, asked.seeds, label)


if __name__ == "__main__":
    main()
