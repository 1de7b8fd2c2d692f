"""What DeepFool on a whole batch buys against DeepFool on one picture at a time, on digits and on CIFAR-10.

``python -m benchmarks._attacks [--threads N]``, by default on one thread. Both peers are the same algorithm as the
library's, written here as PyTorch users write it: a loop over pictures, and one backward pass per class. "published"
follows the code the method's authors use (LTS4's): ``backward`` fills the parameters' gradients too, and arrays go
through NumPy. "lean" asks autograd for the input's gradient alone. All run in the same process, in turns, on trained
networks; times are medians over the turns of the processor's seconds, which stay the same on a busy machine. CIFAR-10
is looked for in $LPC_DATA and $LPC_TEST_DATA and left out, with the reason, where it is not.

Then sample by sample, on networks from loose to collapsed and seeds that nothing was chosen on: the largest difference
between the batch's norm and the lean loop's in float64, and the share of samples that agree to a thousandth in float32.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lpc_core.engine.trainer import Trainer
from lpc_core.parsing import parse_run
from lpc_core.robustness import deepfool
from lpc_core.saved_run import open_run

Net = Callable[[Tensor], Tensor]
CANDIDATES, OVERSHOOT, STEPS = 10, 0.02, 50
TURNS = 3
CIFAR_FOLDER = "cifar-10-batches-bin"
TASKS = {  # what is attacked: the run's settings, how many pictures, of which split
    "500 digits, MLP": ({"preset": "fast-digits"}, 500, "train"),
    "200 CIFAR-10 pictures, convnet": ({"dataset": "cifar10", "steps": "1000", "ramp_steps": "500"}, 200, "test"),
}
NETWORKS = {f"{dataset}, γ = {gamma}, seed {seed}":
            {"dataset": dataset, "gamma_schedule": "constant", "gamma_start": gamma, "gamma_end": gamma, "seed": seed}
            for dataset in ("digits", "hypercube", "moons", "spirals") for gamma in ("0", "0.01", "100")
            for seed in ("101", "102")}
CHECKED = 60  # samples of each


def published(net: Net, picture: Tensor) -> np.ndarray:
    """The perturbation (…) of one ``picture`` (…), after the code the authors use."""
    x = picture[None].clone().requires_grad_(True)
    scores = net(x)
    order = scores.detach().numpy().flatten().argsort()[::-1][:CANDIDATES]
    total = np.zeros(picture.shape, np.float32)
    winner, step = order[0], 0
    while winner == order[0] and step < STEPS:
        nearest, w = np.inf, total
        own = _slope(scores[0, order[0]], x)
        for k in order[1:]:
            w_k = _slope(scores[0, k], x) - own
            with np.errstate(divide="ignore"):
                distance = float(abs(scores[0, k].item() - scores[0, order[0]].item()) / np.linalg.norm(w_k))
            if distance < nearest:
                nearest, w = distance, w_k
        total = total + np.float32(nearest + 1e-4) * w[0] / np.linalg.norm(w)
        x = (picture + (1 + OVERSHOOT) * torch.from_numpy(total))[None].requires_grad_(True)
        scores = net(x)
        winner = int(scores.detach().argmax())
        step += 1
    return (1 + OVERSHOOT) * total


def _slope(score: Tensor, x: Tensor) -> np.ndarray:
    """How ``score`` moves with ``x``, which keeps the gradient as the published code has it."""
    x.grad = None
    score.backward(retain_graph=True)
    assert x.grad is not None
    return x.grad.numpy().copy()


def lean(net: Net, picture: Tensor) -> np.ndarray:
    """The same with the input's gradients alone, and tensors throughout."""
    x = picture[None].clone().requires_grad_(True)
    scores = net(x)
    order = scores[0].argsort(descending=True)[:CANDIDATES].tolist()
    total = torch.zeros_like(picture)
    for _ in range(STEPS):
        slopes = [torch.autograd.grad(scores[0, k], x, retain_graph=True)[0][0] for k in order]
        ways = torch.stack(slopes[1:]) - slopes[0]
        lengths = ways.flatten(1).norm(dim=1)
        distances = (scores[0, order[1:]] - scores[0, order[0]]).detach().abs() / lengths
        best = int(distances.argmin())
        total = total + (distances[best] + 1e-4) * ways[best] / lengths[best]
        x = (picture + (1 + OVERSHOOT) * total)[None].requires_grad_(True)
        scores = net(x)
        if int(scores.argmax()) != order[0]:
            break
    return ((1 + OVERSHOOT) * total).numpy()


def one_by_one(peer: Callable[[Net, Tensor], np.ndarray], net: Net, pictures: Tensor) -> np.ndarray:
    """‖perturbation‖ / ‖picture‖ (N,) by a loop over pictures."""
    return np.array([np.linalg.norm(peer(net, picture)) / float(picture.norm()) for picture in pictures])


def at_once(net: Net, pictures: Tensor) -> np.ndarray:
    """The same, by the library."""
    return deepfool(net, pictures, candidates=CANDIDATES, overshoot=OVERSHOOT, steps=STEPS,
                    batch_size=len(pictures)).relative


def rows() -> list[tuple[str, str]]:
    """(what, figure) for every task."""
    found = []
    for name, (settings, count, split) in TASKS.items():
        missing = _cifar_missing() if settings.get("dataset") == "cifar10" else ""
        found += [(f"DeepFool, {name}", f"skipped: {missing}")] if missing else _measure(name, settings, count, split)
    return [*found, *((f"DeepFool against the loop, {name}", _apart(settings)) for name, settings in NETWORKS.items())]


def _measure(name: str, settings: dict[str, str], count: int, split: str) -> list[tuple[str, str]]:
    model, pictures = _trained(settings, count, split)
    net = _logits(model)
    contestants: dict[str, Callable[[], np.ndarray]] = {
        "batched": lambda: at_once(net, pictures), "published": lambda: one_by_one(published, net, pictures),
        "lean": lambda: one_by_one(lean, net, pictures)}
    times, found = _race(contestants)
    both = np.isfinite(np.stack(list(found.values()))).all(0)  # a flat network gives some pictures no gradient at all
    means = {name: norms[both].mean() for name, norms in found.items()}
    line = (f"{times['batched'] * 1e3:.0f} ms; {times['published'] / times['batched']:.1f} × the published loop, "
            f"{times['lean'] / times['batched']:.1f} × the lean one; mean norm {means['batched']:.4g}, "
            f"{means['published']:.4g}, {means['lean']:.4g} of {both.sum()} pictures that all can attack")
    return [(f"DeepFool, {name}, {torch.get_num_threads()} thread(s)", line)]


def _trained(settings: dict[str, str], count: int, split: str) -> tuple[nn.Module, Tensor]:
    """A network trained to the end of its run, and ``count`` samples (N, …) of a ``split`` of its data."""
    run = Trainer(parse_run(settings), "cpu")
    run.advance(run.limit)
    saved = open_run(run.state_bytes(), run.dataset)
    return saved.model, saved.samples(split, count)[0]


def _logits(model: nn.Module) -> Net:
    return lambda x: model(x)[0]


def _apart(settings: dict[str, str]) -> str:
    """How far the batch's norms are from the loop's."""
    model, samples = _trained(settings, CHECKED, "train")
    ours, loop = _both(model, samples)
    same = np.isclose(ours, loop, rtol=1e-3).mean()
    ours, loop = _both(copy.deepcopy(model).double(), samples.double())
    return (f"float64: at most {np.abs(ours / loop - 1).max():.0e} apart on {len(ours)} of {len(samples)} samples; "
            f"float32: {same:.0%} within 1e-3")


def _both(model: nn.Module, samples: Tensor) -> np.ndarray:
    """Relative norms (2, n) by the library and by the lean loop, of the samples that both get across."""
    found = np.stack([at_once(_logits(model), samples), one_by_one(lean, _logits(model), samples)])
    return found[:, np.isfinite(found).all(0)]


def _race(contestants: dict[str, Callable[[], np.ndarray]]) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Median seconds and last result of each, one after the other, ``TURNS`` times after a warm-up of the fastest."""
    contestants["batched"]()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    results = {}
    for _ in range(TURNS):
        for name, contestant in contestants.items():
            begin = time.process_time()
            results[name] = contestant()
            seconds[name].append(time.process_time() - begin)
    return {name: statistics.median(spent) for name, spent in seconds.items()}, results


def _cifar_missing() -> str:
    """Why there is no CIFAR-10; "" where there is, and then $LPC_DATA names its folder."""
    folders = [Path(os.environ[name]) for name in ("LPC_DATA", "LPC_TEST_DATA") if os.environ.get(name)]
    for folder in folders:
        if (folder / CIFAR_FOLDER).is_dir():
            os.environ["LPC_DATA"] = str(folder)
            return ""
    return f"no {CIFAR_FOLDER} in $LPC_DATA or $LPC_TEST_DATA"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    torch.set_num_threads(parser.parse_args().threads)
    for what, figure in rows():
        print(f"{what}: {figure}")


if __name__ == "__main__":
    main()
