"""What looking into a large file costs: seconds from an untrusted file to numbers and a first view, and a tensor tree.

``python -m benchmarks.inspect [--quick] [--page]``: 100,000 × 512 embeddings (npz) through the locked reading process
to an `Inspection` with every quantity, the code, doubtful samples and principal components; and the tree of a
safetensors file of 100 MB with norms and histograms. Beside them, in the same process, what one would write without
this project: ``np.load``, scikit-learn's PCA and explicit per-class loops for the same collapse metrics; and
``safetensors`` with a loop over the tensors. All of it on one thread, as ``lpc inspect`` does by default. ``--page``
hands the same file to the page of a lab on this machine, in a headless Chromium, and waits until samples and predicted
points are drawn.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from lpc_core.checkpoint import Embeddings, open_file, open_tree
from lpc_core.inspection import Inspection, inspect, project
from lpc_core.inspection.from_file import inspect_file

CLASSES, TENSORS = 10, 40
LIMIT_EMBEDDINGS, LIMIT_TREE = 10.0, 2.0  # seconds, the targets


def made(folder: Path, samples: int, nodes: int, megabytes: int) -> tuple[Path, Path]:
    """Embeddings of classes as clouds with a head, and a checkpoint of random tensors."""
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(CLASSES, nodes)).astype(np.float32)
    labels = rng.integers(0, CLASSES, samples)
    latents = centres[labels] + rng.standard_normal((samples, nodes), np.float32)
    np.savez(folder / "large.npz", latents=latents, labels=labels, weight=centres / nodes,
             bias=np.zeros(CLASSES, np.float32))
    size = megabytes * 2**20 // 4 // TENSORS
    tensors = {f"layer{i}.weight": rng.standard_normal((size // 512, 512), np.float32) for i in range(TENSORS)}
    safetensors.numpy.save_file(tensors, folder / "large.safetensors")
    return folder / "large.npz", folder / "large.safetensors"


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall time, and processor time of this process and its children."""
    begin, before = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - begin, sum(os.times()[:4]) - before


def by_hand(path: Path) -> None:
    """A notebook's way: load, PCA, and class by class the scatter, NC1, CDNV, equinorm, angles and separation."""
    with np.load(path) as file:
        z, y, w = file["latents"].astype(np.float64), file["labels"], file["weight"]
    PCA(3).fit_transform(z)
    means = np.array([z[y == c].mean(axis=0) for c in range(CLASSES)])
    sigma_w = np.mean([np.cov(z[y == c].T, bias=True) for c in range(CLASSES)], axis=0)
    centred = means - means.mean(axis=0)
    sigma_b = np.mean([np.outer(m, m) for m in centred], axis=0)
    np.trace(sigma_w @ np.linalg.pinv(sigma_b)) / CLASSES
    variances = [((z[y == c] - means[c]) ** 2).sum(axis=1).mean() for c in range(CLASSES)]
    for a in range(CLASSES):
        for b in range(a):
            (variances[a] + variances[b]) / (2 * ((means[a] - means[b]) ** 2).sum())
            centred[a] @ centred[b] / np.linalg.norm(centred[a]) / np.linalg.norm(centred[b])
    distances = np.stack([np.linalg.norm(z - mean, axis=1) for mean in means], axis=1)
    own = distances[np.arange(len(y)), y]
    distances[np.arange(len(y)), y] = np.inf
    (distances.min(axis=1) / own).mean()
    (z @ w.T).argmax(axis=1)


def tree_by_hand(path: Path) -> None:
    for tensor in safetensors.numpy.load_file(path).values():
        values = tensor.astype(np.float64)
        np.linalg.norm(values), values.min(), values.max(), (values == 0).mean(), np.histogram(values, 32)


def line(name: str, spent: tuple[float, float]) -> str:
    return f"  {name:46} {spent[0]:7.2f} s  (processor {spent[1]:6.2f} s)  "


def embeddings(path: Path) -> None:
    found, opened = inspect_file(path), open_file(path)
    assert isinstance(found, Inspection)
    assert isinstance(opened, Embeddings)
    parts = {"open and check, in the locked process": seconds(lambda: open_file(path)),
             "measure, list and view": seconds(lambda: inspect(opened)),
             "principal components alone": seconds(lambda: project(opened.latents, "pca"))}
    whole, peer = seconds(lambda: inspect_file(path)), seconds(lambda: by_hand(path))
    n, d = found.embeddings.latents.shape
    print(f"\n{n:,} × {d} embeddings, {path.stat().st_size / 1e6:.0f} MB")
    for name, value in parts.items():
        print(line(name, value))
    print(line("file to inspection (with its SHA-256)", whole), f"target {LIMIT_EMBEDDINGS:g} s")
    print(line("np.load, scikit-learn PCA, loops over classes", peer), f"{peer[0] / whole[0]:.1f} × ours, for 9 of "
          f"{len(found.readings)} quantities and no checks")
    for name in ("nc1_pinv", "entropy_kl"):
        print(f"  {name} = {found.readings[name].value:.4g}  {found.readings[name].reason}")


def page(path: Path, samples: int) -> None:
    from benchmarks import _browser, cloud

    with _browser.chromium() as browser, _browser.lab() as url:
        _, spent = cloud.opened(browser, url, path, samples)
    print(f"\nthe same file on the page, upload included: drawn after {spent:.1f} s")


def tree(path: Path) -> None:
    own, peer = seconds(lambda: open_tree(path)), seconds(lambda: tree_by_hand(path))
    print(f"\ntensor tree of {path.stat().st_size / 1e6:.0f} MB in {TENSORS} tensors")
    print(line("open_tree: norm, range, histogram, NaN", own), f"target {LIMIT_TREE:g} s")
    print(line("safetensors and NumPy, in this process", peer), f"{peer[0] / own[0]:.1f} × ours")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples and of the megabytes")
    parser.add_argument("--page", action="store_true", help="in a browser too")
    options = parser.parse_args()
    samples, megabytes = (10_000, 10) if options.quick else (100_000, 100)
    load = os.getloadavg()[0]
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, load {load:.1f} at the start")
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        large, checkpoint = made(Path(folder), samples, 512, megabytes)
        embeddings(large)
        tree(checkpoint)
        if options.page:
            page(large, samples)


if __name__ == "__main__":
    main()
