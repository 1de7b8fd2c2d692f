"""Our attacks beside adv-lib's of the same name, and its others: norms found, gradients and processor time they took.

    python -m benchmarks.attacks_by_others [--samples 100]

Needs the extra ``attacks`` (adv-lib). One thread; networks on digits without γ and with it, of seeds that nothing was
chosen on, and test pictures within their bounds. Per attack: share of answers changed, the median over samples of its
norm against the smallest that any of all these attacks found (1: as good as the best known), gradients per sample, and
processor seconds. Then, for each name both have: on which share of samples ours found the smaller norm, and theirs.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from lpc_core.data.inputs import Normaliser
from lpc_core.engine.trainer import Trainer
from lpc_core.parsing import parse_run
from lpc_core.robustness import AttackResult, attacks

NAMES = ("deepfool", "adv-deepfool", "ddn", "adv-ddn", "fmn", "adv-fmn", "adv-superdeepfool", "adv-alma", "adv-fab",
         "adv-apgd")
GAMMAS, SEEDS = ("0", "0.1", "1"), ("201", "202")
STEPS = 700
EVEN = 1e-3  # norms that differ by less are one norm
Found = dict[str, tuple[AttackResult, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100)
    samples = parser.parse_args().samples
    torch.set_num_threads(1)
    every: list[Found] = []
    for gamma in GAMMAS:
        found = [attacked(gamma, seed, samples) for seed in SEEDS]
        show(f"digits, γ = {gamma}, seeds {' and '.join(SEEDS)}", found)
        every += found
    show("all of them", every)


def attacked(gamma: str, seed: str, samples: int) -> Found:
    run = Trainer(parse_run({"preset": "fast-digits", "steps": str(STEPS), "gamma_schedule": "constant",
                             "gamma_start": gamma, "gamma_end": gamma, "seed": seed}), "cpu", every=STEPS)
    run.advance(STEPS)
    data, normalise = run.dataset, Normaliser(run.dataset, run.device)
    inputs = normalise(torch.from_numpy(data.test_inputs[:samples]))
    assert normalise.mean is not None  # pictures
    assert normalise.std is not None
    low, high = ((end - normalise.mean) / normalise.std for end in (0, 1))
    found = {}
    for name in NAMES:
        begin = time.process_time()
        result = attacks()[name]()(run.model, inputs, data.test_labels[:samples], bounds=(low, high))
        found[name] = result, time.process_time() - begin
    return found


def norms(found: list[Found], name: str) -> np.ndarray:
    """Of the samples that were right."""
    return np.concatenate([each[name][0].norms[each[name][0].attacked] for each in found])


def show(title: str, found: list[Found]) -> None:
    best = np.min([norms(found, name) for name in NAMES], axis=0)
    print(f"\n{title}: {len(best)} samples\n{'attack':20}changed  median/best  mean/best  gradients  processor s")
    for name in NAMES:
        own = norms(found, name)
        good = np.isfinite(own)
        gradients = np.mean([each[name][0].backwards[each[name][0].attacked].mean() for each in found])
        print(f"{name:20}{good.mean():7.1%}  {np.median(own / best):11.3f}  {(own[good] / best[good]).mean():9.3f}  "
              f"{gradients:9.0f}  {sum(each[name][1] for each in found):11.1f}")
    for name in ("deepfool", "ddn", "fmn"):
        ours, theirs = norms(found, name), norms(found, f"adv-{name}")
        smaller = (ours < theirs * (1 - EVEN)).mean(), (theirs < ours * (1 - EVEN)).mean()
        print(f"{name}: ours smaller on {smaller[0]:.1%} of samples, theirs on {smaller[1]:.1%}")


if __name__ == "__main__":
    main()
