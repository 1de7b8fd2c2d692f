"""How a network's inputs were scaled: asked for and written down, never guessed. A state dict does not say it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lpc_core.data import Dataset
from lpc_core.data.inputs import Normaliser

CHOICES = {  # what each is called, and what it does
    "lab": ("as this lab trains", "as this lab trains: each channel's mean and standard deviation over the training "
            "pictures taken off and divided by; vectors unchanged"),
    "none": ("as they are stored", "numbers as they are stored: pictures 0 to 255, vectors unchanged"),
    "0..1": ("divided by 255", "pictures divided by 255"),
    "imagenet": ("ImageNet's mean and deviation",
                 "0 to 1, then ImageNet's mean and standard deviation (torchvision's usual ones)"),
    "cifar10": ("CIFAR-10's mean and deviation", "0 to 1, then CIFAR-10's mean and standard deviation"),
    "cifar100": ("CIFAR-100's mean and deviation", "0 to 1, then CIFAR-100's mean and standard deviation"),
    "mnist": ("MNIST's mean and deviation", "0 to 1, then MNIST's mean and standard deviation"),
    "MEAN/STD": ("numbers of my own", "0 to 1, then numbers of your own, one per channel or one for all: "
                 "0.5,0.5,0.5/0.25,0.25,0.25"),
}


@dataclass(frozen=True)
class Normalisation:
    """Stored samples to model inputs: divided, shifted and scaled; pictures (N, H, W, C) become (N, C, H, W)."""

    name: str  # a key of `CHOICES`, or the numbers as given
    scale: float  # what stored bytes are divided by first: 255, or 1
    mean: tuple[float, ...] = ()  # per channel, or one for all; () takes nothing off
    std: tuple[float, ...] = ()

    def __call__(self, stored: np.ndarray) -> Tensor:
        """Model inputs, float32, for ``stored`` (N, H, W, C) or (N, D).

        Floats are taken to be on the scale 0…1 already; `ValueError` when a mean is to be taken off and they are not,
        or when there is another number of channels than of means.
        """
        values = torch.from_numpy(np.ascontiguousarray(stored)).float()
        if stored.dtype == np.uint8:
            values = values / self.scale
        elif self.scale != 1 and values.numel():
            low, high = float(values.min()), float(values.max())
            if low < -1e-3 or high > 1.001:
                raise ValueError(f"normalisation {self.name}: expected floats from 0 to 1 or whole bytes, got "
                                 f"{low:.3g} to {high:.3g}; pass uint8 pictures, or choose none")
        if self.mean:
            values = (values - self._numbers(self.mean, stored)) / self._numbers(self.std, stored)
        return values.permute(0, 3, 1, 2) if values.ndim == 4 else values

    def _numbers(self, numbers: tuple[float, ...], stored: np.ndarray) -> Tensor:
        channels = stored.shape[-1] if stored.ndim == 4 else 1
        if len(numbers) not in (1, channels):
            raise ValueError(f"normalisation {self.name}: expected {len(numbers)} channels, got {channels}; choose "
                             "another normalisation, or give one number for all channels")
        return torch.tensor(numbers)


KNOWN = {known.name: known for known in (  # with means and deviations of the training sets, on the scale 0…1
    Normalisation("none", 1.0), Normalisation("0..1", 255.0),
    Normalisation("imagenet", 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    Normalisation("cifar10", 255.0, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    Normalisation("cifar100", 255.0, (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    Normalisation("mnist", 255.0, (0.1307,), (0.3081,)))}


def normalisation(text: str | None, dataset: Dataset | None = None) -> Normalisation:
    """The normalisation that ``text`` names; see `CHOICES`.

    ``dataset`` is the one whose training pictures "lab" takes its statistics from. Raises `ValueError` for None (it is
    asked for, never guessed), for unknown names, and for "lab" without a data set.
    """
    if not text:
        raise ValueError(f"normalisation: expected one of {', '.join(CHOICES)}, got none; say how the network's inputs "
                         "were scaled in training, this cannot be read from the file")
    if text in KNOWN:
        return KNOWN[text]
    return _lab(dataset) if text == "lab" else _own(text)


def _lab(dataset: Dataset | None) -> Normalisation:
    if dataset is None:
        raise ValueError("normalisation lab: expected a built-in data set, got data of your own; give the numbers as "
                         "MEAN/STD")
    trained = Normaliser(dataset, torch.device("cpu"))
    if trained.mean is None or trained.std is None:
        return Normalisation("lab", 1.0)  # vectors go in as they are
    return Normalisation("lab", 255.0, tuple(trained.mean.flatten().tolist()), tuple(trained.std.flatten().tolist()))


def _own(text: str) -> Normalisation:
    try:
        mean, std = (tuple(float(part) for part in half.split(",")) for half in text.split("/"))
    except ValueError:
        raise ValueError(f"normalisation: expected one of {', '.join(CHOICES)}, got {text[:60]!r}; numbers look like "
                         "0.5,0.5,0.5/0.25,0.25,0.25") from None
    if len(mean) != len(std) or not np.isfinite([*mean, *std]).all() or min(std) <= 0:
        raise ValueError(f"normalisation: expected as many standard deviations above 0 as means, got {text[:60]!r}; "
                         "write MEAN/STD with one number per channel")
    return Normalisation(text, 255.0, mean, std)
