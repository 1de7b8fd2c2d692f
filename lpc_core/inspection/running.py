"""A recognised network at work on data: logits and latents, or another layer's values."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from lpc_core.checkpoint import Embeddings
from lpc_core.inspection.layouts import Recognised
from lpc_core.inspection.scaling import Normalisation
from lpc_core.progress import Progress, silent

PENULTIMATE = "penultimate"
MOST_SIDE = 64  # pixels; thumbnails are not larger
MOST_THUMBNAIL_BYTES = 64 * 2**20  # of all thumbnails together


def embed(recognised: Recognised, inputs: np.ndarray, labels: np.ndarray, *, normalisation: Normalisation,
          class_names: tuple[str, ...] | None = None, layer: str = PENULTIMATE, batch_size: int = 256,
          device: str = "cpu", progress: Progress = silent) -> Embeddings:
    """Run the network on n samples and keep what the watched ``layer`` gives: latents (n, d), logits, predictions.

    ``inputs`` are stored samples, pictures (n, H, W, C) or vectors (n, D); ``labels`` (n,) are whole numbers 0…K−1.
    ``layer`` is "penultimate" or the name of any module of the network: maps are then averaged over their positions,
    and the head is left out because it does not read these values. Pictures come along as thumbnails.

    Raises `ValueError` when the network cannot be run, the inputs have another shape than it takes, a label is not one
    of its classes, or a latent is not finite.
    """
    model = recognised.build().to(device)
    check_fit(recognised, inputs, labels, normalisation)
    names = class_names or tuple(str(number) for number in range(recognised.classes))
    watch = _Watch(model, layer)
    logits, latents = [], []
    for start in range(0, len(inputs), batch_size):
        got, values = watch(normalisation(inputs[start : start + batch_size]).to(device))
        logits.append(got.cpu().numpy())
        latents.append(values.cpu().numpy())
        progress(min(1.0, (start + batch_size) / len(inputs)), "running the network")
    return _gathered(recognised, np.concatenate(latents), np.concatenate(logits), labels, names, inputs, watch)


class _Watch:
    """Calls the model and catches what one of its modules gives."""

    def __init__(self, model: nn.Module, layer: str) -> None:
        self.model, self.layer, self.note = model, layer, ""
        self._caught: Tensor | None = None
        if layer == PENULTIMATE:
            return
        modules = dict([*model.named_modules()][1:])  # without the model itself
        if layer not in modules:
            names = ", ".join(list(modules)[:40])
            raise ValueError(f"layer: expected {PENULTIMATE} or a module of the network ({names}), got {layer!r}; "
                             "choose one of them")
        modules[layer].register_forward_hook(self._catch)

    def _catch(self, module: nn.Module, inputs: object, output: object) -> None:
        if not isinstance(output, Tensor) or output.ndim < 2:
            raise ValueError(f"layer: expected {self.layer} to give one row per sample, got {type(output).__name__}; "
                             "choose another layer")
        self._caught = output

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (b, K) and the watched values (b, d)."""
        self._caught = None
        try:
            logits, latents = self.model(inputs)
        except (RuntimeError, IndexError) as error:  # torch's words for pictures too small for a layer, and the like
            raise ValueError(f"expected inputs that pass through every layer, got {tuple(inputs.shape)}: "
                             f"{str(error).splitlines()[0][:200]}; choose data of another size") from None
        if self.layer == PENULTIMATE:
            return logits, latents
        if self._caught is None:
            raise ValueError(f"layer: expected {self.layer} to take part in the network's work, got no call of it; "
                             "choose another layer")
        values = self._caught
        if values.ndim > 2:
            self.note = f"values of {self.layer} averaged over their {' × '.join(map(str, values.shape[2:]))} positions"
            values = values.flatten(2).mean(dim=2)
        return logits, values


def check_fit(recognised: Recognised, inputs: np.ndarray, labels: np.ndarray, normalisation: Normalisation) -> None:
    """Refuse samples that are none of the network's: of another shape, or with labels it has no class for."""
    if not len(inputs) or inputs.ndim not in (2, 4) or np.shape(labels) != (len(inputs),):
        raise ValueError(f"expected pictures (n, H, W, C) or vectors (n, D) with one label each, got {inputs.shape} "
                         f"and {np.shape(labels)}; choose other data")
    given = tuple(normalisation(inputs[:1]).shape[1:])
    wanted = recognised.input_shape
    fits = math.prod(given) == wanted[0] if len(wanted) == 1 else (
        len(given) == len(wanted) and all(w is None or w == g for w, g in zip(wanted, given, strict=True)))
    if not fits:
        raise ValueError(f"expected inputs of shape {in_words(wanted)} for {recognised.name}, got {in_words(given)}; "
                         "choose data of that shape")
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= recognised.classes:
        raise ValueError(f"expected labels 0 to {recognised.classes - 1}, one of the network's classes each, got "
                         f"{labels.min()} to {labels.max()}; choose data with these classes")


def in_words(shape: tuple[int | None, ...]) -> str:
    """A shape with ? for what is not known: ``3 × ? × ?``."""
    return " × ".join("?" if size is None else str(size) for size in shape)


def _gathered(recognised: Recognised, latents: np.ndarray, logits: np.ndarray, labels: np.ndarray,  # noqa: PLR0917
              names: tuple[str, ...], inputs: np.ndarray, watch: _Watch) -> Embeddings:
    broken = ~np.isfinite(latents).all(axis=1) | ~np.isfinite(logits).all(axis=1)
    if broken.any():
        raise ValueError(f"expected finite values, got NaN or infinity for {broken.sum():,} of {len(broken):,} "
                         "samples; the checkpoint's weights or this normalisation are not right")
    own = watch.layer == PENULTIMATE
    pictures, note = thumbnails(inputs) if inputs.ndim == 4 else (None, "")
    left_out = "" if own else f"the head is left out: it does not read {watch.layer}"
    notes = tuple(text for text in (*recognised.assumptions, watch.note, left_out, note) if text)
    classes = recognised.classes  # of which the data may name fewer
    return Embeddings(
        latents=latents, labels=np.asarray(labels, np.int64),
        class_names=(*names[:classes], *map(str, range(len(names), classes))),
        predictions=logits.argmax(axis=1).astype(np.int64), logits=logits,
        weight=recognised.weight if own else None, bias=recognised.bias if own else None, images=pictures, notes=notes)


def thumbnails(pictures: np.ndarray) -> tuple[np.ndarray, str]:
    """Small copies (n, h, w, C) uint8 of pictures (n, H, W, C), and a note where they were made smaller.

    Blocks of equal size are averaged, until no side is longer than `MOST_SIDE` and all of them together take at most
    `MOST_THUMBNAIL_BYTES`.
    """
    n, height, width, channels = pictures.shape
    step = max(1, math.ceil(max(height, width) / MOST_SIDE))
    while n * max(1, height // step) * max(1, width // step) * channels > MOST_THUMBNAIL_BYTES \
            and step < max(height, width):
        step += 1
    tall, wide = min(step, height), min(step, width)  # of a block
    scale = 1 if pictures.dtype == np.uint8 else 255
    if step == 1 and scale == 1:
        return pictures, ""
    h, w = height // tall, width // wide
    small = np.empty((n, h, w, channels), np.uint8)
    for start in range(0, n, 256):  # block by block: the means are floats, four times as large
        cut = pictures[start : start + 256, : h * tall, : w * wide].reshape(-1, h, tall, w, wide, channels)
        small[start : start + 256] = np.clip(np.rint(cut.mean(axis=(2, 4)) * scale), 0, 255)
    return small, f"thumbnails are {h} × {w} pixels, from {height} × {width}" if step > 1 else ""
