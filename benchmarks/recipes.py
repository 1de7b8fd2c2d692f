"""What the presets reach and how fast: time to collapse per data set, the binary code, and two questions about them.

    python -m benchmarks.recipes [--only NAME …] [--seeds 5 6 7 8 9] [--optimisers] [--gamma-axis]

One thread. Recipes were chosen on seeds 0 to 2; the default seeds are others. Everything is measured on the whole train
and test set, never on the lab's probe, and off the clock. "Collapsed" means: train accuracy ≥ 99.9 %, within-class
spread ≤ 3 % of the radius, mean ‖z‖ within 3 % of the predicted radius, at the γ the run ends with.
Sets whose files are not here are named and skipped. γ is summed over the nodes throughout.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lpc_core.config import RunConfig, unflatten
from lpc_core.data import DataError, load, sources
from lpc_core.engine.trainer import Trainer
from lpc_core.metrics import measure
from lpc_core.metrics.head import weight_abs_cv
from lpc_core.presets import default_run, named_presets
from lpc_core.theory import collapse_points

SEEDS = (5, 6, 7, 8, 9)  # the recipes were chosen on seeds 0 to 2
CHUNK = 1_000  # samples per forward pass when measuring
LOOKS = 20  # pieces a run is cut into: after its ramp it is judged at the end of each
GAMMAS = (0.0, 1e-4, 1e-2, 1.0, 100.0)
WEAK = {"gamma_start": 1e-3, "gamma_end": 1.25}  # 1.25 is 10 in the authors' convention
FULL: dict[str, float] = {}
MILD = {"momentum": 0.9, "weight_decay": 1e-4}  # under SGD the preset's decay would be coupled, and far too strong
OPTIMISERS = (  # optimiser, backbone lr, head lr, other changes to the binary preset
    *(("adamw", lr, head_lr, gamma) for gamma in (FULL, WEAK) for lr, head_lr in ((8e-3, 1.7e-3), (3e-3, 3e-3))),
    *(("sgd", lr, lr, FULL | MILD) for lr in (0.03, 0.3)),
    *(("sgd", lr, lr, WEAK | MILD) for lr in (0.003, 0.01, 0.03, 0.1, 0.3)),
)


@dataclass(frozen=True, eq=False)
class Look:
    """A network seen on its whole train and test set."""

    accuracy: float
    test_accuracy: float
    spread: float  # within-class spread as a share of the radius
    radius_error: float  # |mean ‖z‖ / predicted − 1|; NaN at γ = 0
    weight_cv: np.ndarray  # (d,) coefficient of variation of |W_kj| per node
    latents: np.ndarray  # (N, d)
    separation: float  # 𝓡 by ŷ, train
    test_separation: float

    @property
    def collapsed(self) -> bool:
        """Whether the training set has collapsed onto the predicted shell."""
        return self.accuracy >= 0.999 and self.spread <= 0.03 and self.radius_error <= 0.03


# ---- measuring -------------------------------------------------------------------------------------------------------


@torch.no_grad()
def look(run: Trainer) -> Look:
    """Measure the network as it is now."""
    run.model.eval()
    weight, bias = (p.detach().double().cpu().numpy() for p in (run.model.head.weight, run.model.head.bias))
    guesses, latents = _predict(run, run.dataset.train_inputs)
    test_guesses, test_latents = _predict(run, run.dataset.test_inputs)
    labels, radius, gamma = run.dataset.train_labels, float(np.linalg.norm(latents, axis=1).mean()), run.gamma.value
    predicted = np.nan
    if gamma > 0:
        predicted = float(np.linalg.norm(collapse_points(weight, bias, gamma), axis=1)[labels].mean())
    found = measure(latents, labels, guesses, only=("within_class_spread", "separation_ratio"))
    tested = measure(test_latents, run.dataset.test_labels, test_guesses, only="separation_ratio")
    return Look(
        accuracy=float((guesses == labels).mean()),
        test_accuracy=float((test_guesses == run.dataset.test_labels).mean()), spread=found["within_class_spread"],
        radius_error=abs(radius / predicted - 1) if predicted > 0 else np.nan,
        weight_cv=weight_abs_cv(weight), latents=latents,
        separation=found["separation_ratio"], test_separation=tested["separation_ratio"])


def _predict(run: Trainer, stored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predicted classes (N,) and latents (N, d) in float64."""
    parts: list[tuple[Tensor, Tensor]] = [run.model(run.batches.normalise(piece.to(run.device)))
                                          for piece in torch.from_numpy(stored).split(CHUNK)]
    logits, latents = (torch.cat(part) for part in zip(*parts, strict=True))
    return logits.argmax(1).cpu().numpy(), latents.double().cpu().numpy()


def gmm_peak_distance(latents: np.ndarray) -> np.ndarray:
    """|μ1 − μ2| / ((σ1 + σ2)/2) of a two-component Gaussian mixture per standardised node, (d,): Eq. 27 of the paper.

    scikit-learn adds 1e-6 to every variance, so peaks narrower than a thousandth of the node's spread read 2,000.
    """
    from sklearn.mixture import GaussianMixture

    distances = []
    for node in ((latents - latents.mean(0)) / latents.std(0)).T:
        fit = GaussianMixture(2, n_init=2, random_state=0).fit(node[:, None])
        distances.append(abs(np.subtract(*fit.means_[:, 0])) / np.sqrt(fit.covariances_[:, 0, 0]).mean())
    return np.array(distances)


def timed(run: Trainer, until_collapse: bool) -> tuple[float, float, Look]:
    """Wall and CPU seconds trained, and the look at the end: of the run, or of the first piece that has collapsed."""
    piece, spent, busy = max(1, run.config.steps // LOOKS), 0.0, 0.0
    first = run.config.gamma.ramp_steps if until_collapse else run.config.steps
    while True:
        start, busy_start = time.perf_counter(), time.process_time()
        run.advance(piece if run.step else first)
        spent, busy = spent + time.perf_counter() - start, busy + time.process_time() - busy_start
        seen = look(run)
        if run.finished or run.diverged or (until_collapse and seen.collapsed):
            return spent, busy, seen


# ---- tables ----------------------------------------------------------------------------------------------------------

_HEAD = (f"  {'preset':19s} {'collapsed':>9s} {'s median':>9s} {'worst':>6s} {'CPU s':>6s} {'steps':>11s} "
         f"{'spread':>13s} {'radius error':>13s} {'train':>14s} {'test':>14s}")


def race(title: str, runs: dict[str, RunConfig], seeds: Iterable[int], until_collapse: bool) -> None:
    """One line per run: median and worst over the seeds."""
    print(f"\n{title}\n\n{_HEAD}")
    for name, config in runs.items():
        try:
            load(config.data, 0)
        except DataError:
            print(f"  {name:19s} not measured: its data are not here")
            continue
        results = []
        for seed in seeds:
            run = Trainer(unflatten({"seed": seed}, config), "cpu")
            results.append((*timed(run, until_collapse), run.step))
        seconds, busy, looks, steps = zip(*results, strict=True)
        print(f"  {name:19s} {sum(x.collapsed for x in looks):6d}/{len(looks)} {statistics.median(seconds):9.2f} "
              f"{max(seconds):6.2f} {statistics.median(busy):6.2f} {statistics.median(steps):6g} {max(steps):4d} "
              f"{_pair(looks, 'spread', max)}  {_pair(looks, 'radius_error', max)} {_pair(looks, 'accuracy', min)} "
              f"{_pair(looks, 'test_accuracy', min)}", flush=True)


def _pair(looks: Iterable[Look], name: str, worst: Callable[[list[float]], float]) -> str:
    values = [getattr(each, name) for each in looks]
    return f"{statistics.median(values):6.1%} {worst(values):6.1%}"


def binary(seeds: Iterable[int]) -> None:
    """The binary preset at the end of its run, seed by seed."""
    print("\nBinary code (digits, d = 8): Gaussian-mixture peaks of every node, standardised, train set\n")
    print(f"  {'seed':>4s} {'s':>6s} {'CPU s':>6s} {'peaks mean':>10s} {'worst node':>10s} {'|W| CV mean':>11s} "
          f"{'worst node':>10s} {'spread':>7s} {'train':>7s} {'test':>6s}")
    for seed in seeds:
        run = Trainer(unflatten({"seed": seed}, named_presets()["binary"].run), "cpu")
        seconds, busy, seen = timed(run, until_collapse=False)
        peaks = gmm_peak_distance(seen.latents)
        print(f"  {seed:4d} {seconds:6.2f} {busy:6.2f} {peaks.mean():10.1f} {peaks.min():10.1f} "
              f"{seen.weight_cv.mean():11.3f} {seen.weight_cv.max():10.3f} {seen.spread:7.2%} "
              f"{seen.accuracy:7.2%} {seen.test_accuracy:6.2%}", flush=True)


def optimisers(seeds: Iterable[int]) -> None:
    """The binary preset's run under AdamW and under SGD with momentum, at several learning rates and two final γ."""
    print("\nThe optimiser and the code (the binary preset's run, medians over the seeds)\n")
    print(f"  {'optimiser':9s} {'lr':>7s} {'head lr':>7s} {'γ end':>6s} {'|W| CV mean':>11s} {'peaks mean':>10s} "
          f"{'worst node':>10s} {'spread':>7s} {'train':>7s} {'test':>6s}")
    for name, lr, head_lr, others in OPTIMISERS:
        config = unflatten({"optimizer": name, "lr": lr, "head_lr": head_lr, **others}, named_presets()["binary"].run)
        rows = []
        for seed in seeds:
            run = Trainer(unflatten({"seed": seed}, config), "cpu")
            seen = timed(run, until_collapse=False)[-1]
            peaks = gmm_peak_distance(seen.latents)
            rows.append((seen.weight_cv.mean(), peaks.mean(), peaks.min(), seen.spread, seen.accuracy,
                         seen.test_accuracy))
        cv, peak, least, spread, accuracy, test = np.median(rows, axis=0)
        print(f"  {name:9s} {lr:7g} {head_lr:7g} {config.gamma.gamma_end:6g} {cv:11.3f} {peak:10.1f} {least:10.1f} "
              f"{spread:7.1%} {accuracy:7.2%} {test:6.1%}", flush=True)


def gamma_axis(seeds: Iterable[int], names: Iterable[str]) -> None:
    """The separation ratio at equal step count under several γ, constant all along and ramped up to."""
    print("\nSeparation ratio 𝓡 (by ŷ) at equal step count, the fast preset of each set; medians over the seeds\n")
    print(f"  {'data set':10s} {'γ':9s} {'value':>6s} {'𝓡 train':>9s} {'least':>8s} {'most':>8s} {'𝓡 test':>8s} "
          f"{'train':>7s} {'test':>6s}")
    for name in names:
        base = named_presets()[f"fast-{name}"].run
        for shape in ("constant", "exponential"):
            for gamma in GAMMAS if shape == "constant" else GAMMAS[2:]:
                settings = {"gamma_schedule": shape, "gamma_end": gamma, "gamma_start": min(gamma, 1e-4)}
                _gamma_row(name, gamma, unflatten(settings, base), seeds)


def _gamma_row(name: str, gamma: float, config: RunConfig, seeds: Iterable[int]) -> None:
    looks = [timed(Trainer(unflatten({"seed": seed}, config), "cpu"), until_collapse=False)[-1] for seed in seeds]
    ratios = [each.separation for each in looks]
    test, accuracy, test_accuracy = (statistics.median(getattr(each, field) for each in looks)
                                     for field in ("test_separation", "accuracy", "test_accuracy"))
    shape = "constant" if config.gamma.gamma_schedule == "constant" else "ramp to"
    print(f"  {name:10s} {shape:9s} {gamma:6g} {statistics.median(ratios):9.2f} {min(ratios):8.2f} {max(ratios):8.2f} "
          f"{test:8.2f} {accuracy:7.1%} {test_accuracy:6.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[], help="presets (fast-digits, binary) or data sets (digits)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--optimisers", action="store_true", help="AdamW against SGD on the binary preset")
    parser.add_argument("--gamma-axis", action="store_true", help="does a stronger γ raise the separation ratio?")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")  # mixtures of a node with one peak
    print(f"torch {torch.__version__}, one thread, seeds {asked.seeds}")
    if asked.optimisers:
        optimisers(asked.seeds)
    if asked.gamma_axis:
        gamma_axis(asked.seeds, asked.only or ("hypercube", "digits", "mnist"))
    if asked.optimisers or asked.gamma_axis:
        return
    fast = {name: each.run for name, each in named_presets().items() if name.startswith("fast-")}
    starting = {name: default_run(name) for name in sources()}
    for title, runs, until in (("Time to collapse: the fast presets", fast, True),
                               ("Starting runs, at their end", starting, False)):
        chosen = {name: run for name, run in runs.items() if not asked.only or name in asked.only}
        if chosen:
            race(title + " (median and worst)", chosen, asked.seeds, until)
    if not asked.only or "binary" in asked.only:
        binary(asked.seeds)


if __name__ == "__main__":
    main()
