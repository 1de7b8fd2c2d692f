"""Small checkpoints and embeddings to try the inspection on, trained from seeds: ``python -m assets.make_samples``.

Writes ``assets/samples/``: lab runs, plain state dicts (safetensors, with their provenance in the metadata), one npz of
embeddings, and ``samples.json``, which says of each what it shows, in numbers measured just now, and where it is from.
Deterministic: on one machine, with one torch, the files are the same to the byte.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lpc_core.config import flatten
from lpc_core.engine.trainer import Trainer
from lpc_core.files import tensors
from lpc_core.files.writing import write_whole
from lpc_core.inspection import Inspection
from lpc_core.inspection.from_file import Wishes, inspect_file
from lpc_core.inspection.reporting import versions
from lpc_core.parsing import format_settings, parse_run

FOLDER = Path(__file__).parent / "samples"
DIGITS = {"data": "digits", "normalisation": "lab"}
LOOK_EVERY = 2  # steps between looks at the accuracy of the run that stops early
POORLY = 0.6  # train accuracy at which it stops


@dataclass(frozen=True)
class Sample:
    """One file to make."""

    file: str
    title: str
    settings: dict[str, str]  # of the run
    sentence: Callable[[dict[str, float]], str]  # what it shows, from what was measured
    plain: bool = False  # a bare state dict instead of a run of this lab
    stop_at: float | None = None  # stop as soon as the train accuracy reaches this


SAMPLES = (
    Sample("collapsed.safetensors", "Collapsed: LPC on digits", {"preset": "binary"}, lambda m: (
        f"Every class is one point: its samples spread over {m['within_class_spread']:.1%} of the radius, which is "
        f"{m['norm_mean']:.4f} where {m['predicted_radius']:.4f} was predicted. Each node takes two values (train "
        f"accuracy {m['accuracy']:.1%}).")),
    Sample("neural-collapse.safetensors", "Merely neural-collapsed: γ = 0, long training", {
        "dataset": "digits", "hidden": "64-64", "latent_dim": "9", "activation": "gelu", "gamma_schedule": "constant",
        "gamma_start": "0", "gamma_end": "0", "steps": "12000", "lr": "0.02", "lr_end": "0.001", "weight_decay": "0.1",
    }, lambda m: (
        f"Trained without a penalty for 12,000 steps (train accuracy {m['accuracy']:.1%}): the classes are clusters, "
        f"{m['separation_ratio']:.1f} times nearer to their own centre than to the next (NC1 {m['nc1_pinv']:.2f}), not "
        f"points: they spread over {m['within_class_spread']:.0%} of a radius of {m['norm_mean']:.0f}."), plain=True),
    Sample("badly-trained.safetensors", "Badly trained: stopped early", {
        "dataset": "digits", "lr": "0.001", "head_lr": "0.001"}, lambda m: (
        f"Stopped as soon as {POORLY:.0%} of the training digits were right (train accuracy {m['accuracy']:.1%}): the "
        f"clouds overlap, and their spread is {m['within_class_spread']:.0%} of the radius."), plain=True,
        stop_at=POORLY),
    Sample("total-collapse.safetensors", "Totally collapsed: γ far ahead of the head", {
        "preset": "binary", "gamma_end": "1e5", "ramp_steps": "600", "steps": "1500"}, lambda m: (
        f"γ outran the head: all classes lie in one heap at the origin (mean radius {m['norm_mean']:.1e}), and "
        f"accuracy is at chance, {m['accuracy']:.1%} with ten classes.")),
)
FIGURE_1 = {"preset": "fast-hypercube"}
KEPT = ("accuracy", "nc1_pinv", "norm_mean", "norm_cv", "within_class_spread", "separation_ratio", "abs_cv",
        "node_peak_distance_min")  # quantities noted in samples.json


def main() -> None:
    """Make every file and the list of them."""
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    listed = [_made(sample) for sample in SAMPLES]
    listed.append(_embeddings("figure-1.npz"))
    text = {"made_by": "make assets", "versions": versions(), "samples": listed}
    write_whole(FOLDER / "samples.json", (json.dumps(text, indent=1, ensure_ascii=False) + "\n").encode())
    for entry in listed:
        print(f"{entry['file']}: {entry['bytes']:,} bytes. {entry['sentence']}")


def _trained(settings: dict[str, str], stop_at: float | None = None) -> Trainer:
    run = Trainer(parse_run(settings), "cpu")
    while not run.finished and not (stop_at and run.snapshot().metrics["train_accuracy"] >= stop_at):
        run.advance(LOOK_EVERY if stop_at else run.limit)
    if run.diverged:
        raise RuntimeError(run.reason)
    return run


def _made(sample: Sample) -> dict[str, Any]:
    run = _trained(sample.settings, sample.stop_at)
    config = flatten(run.config)
    provenance = {"command": f"lpc train {format_settings(sample.settings)}", "seed": run.config.seed,
                  "steps": run.step, "stopped": f"at train accuracy {sample.stop_at:.0%}" if sample.stop_at else "",
                  "config": config}
    if sample.plain:
        state = {name: value.numpy() for name, value in run.model.state_dict().items()}
        raw = tensors.pack(state, provenance=json.dumps(provenance), made_by="make assets")
    else:
        raw = run.state_bytes()
        raw = tensors.pack(tensors.arrays(raw), **tensors.header(raw).metadata)  # in one order every time
    write_whole(FOLDER / sample.file, raw)
    how = {**DIGITS, "activation": run.config.model.activation} if sample.plain else {}
    wishes = Wishes(data=how.get("data"), normalisation=how.get("normalisation"), activation=how.get("activation"))
    found = inspect_file(FOLDER / sample.file, wishes)
    assert isinstance(found, Inspection), "the sample is a network of this lab"
    snapshot = run.snapshot().metrics
    numbers = {name: found.readings[name].value for name in KEPT if np.isfinite(found.readings[name].value)}
    numbers |= {name: snapshot[name] for name in ("predicted_radius", "test_accuracy") if np.isfinite(snapshot[name])}
    return _entry(sample.file, sample.title, sample.sentence(numbers), how, provenance, numbers)


def _embeddings(file: str) -> dict[str, Any]:
    """The latents of the paper's Figure 1 task as anyone would save them: arrays in an npz, without a network."""
    run = _trained(FIGURE_1)
    shot = run.snapshot()
    arrays: dict[str, Any] = {
        "latents": shot.latents, "labels": shot.labels, "predictions": shot.predictions,
        "weight": shot.weight.astype(np.float32), "bias": shot.bias.astype(np.float32),
        "class_names": np.array(run.dataset.class_names)}
    with tempfile.TemporaryFile() as buffer:
        np.savez_compressed(buffer, **arrays)
        buffer.seek(0)
        write_whole(FOLDER / file, buffer.read())
    found = inspect_file(FOLDER / file)
    assert isinstance(found, Inspection), "these are embeddings"
    numbers = {name: found.readings[name].value for name in KEPT if np.isfinite(found.readings[name].value)}
    sentence = (f"Latents, labels and head alone, of {len(shot.labels):,} samples in two nodes (the paper's Figure 1 "
                f"task): four points at a radius of {numbers['norm_mean']:.3f}, which spread over "
                f"{numbers['within_class_spread']:.1%} of it.")
    provenance = {"command": f"lpc train {format_settings(FIGURE_1)}", "seed": run.config.seed, "steps": run.step,
                  "stopped": "", "config": flatten(run.config)}
    return _entry(file, "Embeddings: Figure 1, two nodes", sentence, {}, provenance, numbers)


def _entry(file: str, title: str, sentence: str, how: dict[str, str], provenance: dict[str, Any],  # noqa: PLR0917
           measured: dict[str, float]) -> dict[str, Any]:
    raw = (FOLDER / file).read_bytes()
    return {"file": file, "title": title, "sentence": sentence, "how": how, "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(), "measured": {name: float(f"{value:.6g}") for name, value
                                                                    in measured.items()}, "provenance": provenance}


if __name__ == "__main__":
    main()
