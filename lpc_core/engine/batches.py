"""Training samples on the device, handed out in seeded shuffled batches."""

from __future__ import annotations

import torch
from torch import Tensor

from lpc_core.config import ConfigError
from lpc_core.data import Dataset
from lpc_core.data.inputs import Normaliser
from lpc_core.engine._augment import PADDING, AlternateFlip, FlipCrop


class Batches:
    """An endless stream of full batches: a new permutation per epoch, the remainder carried into the next one."""

    def __init__(self, dataset: Dataset, batch_size: int, seed: int, device: torch.device,
                 augment: str = "none") -> None:
        if augment != "none" and not (dataset.is_image and min(dataset.train_inputs.shape[1:3]) > PADDING):
            raise ConfigError("augment", f"none for data that are not pictures of more than {PADDING} by {PADDING} "
                                         "pixels", augment)
        self.augment: FlipCrop | AlternateFlip | None = None
        if augment != "none":
            self.augment = FlipCrop(seed, device) if augment == "flip-crop" else AlternateFlip(
                seed, device, len(dataset.train_labels))
        self.inputs = torch.from_numpy(dataset.train_inputs).to(device)
        self.labels = torch.from_numpy(dataset.train_labels).to(device)
        self.normalise = Normaliser(dataset, device)
        self.size = min(batch_size, len(self.labels))
        self.served = 0  # samples handed out since the run began
        self.stream = torch.Generator().manual_seed(seed)  # on the CPU: the order is the same on every device
        self._shuffle()

    def set_noise(self, noise: float) -> None:
        """Replace the standard deviation of the noise that flip-crop adds; nothing without flip-crop."""
        if isinstance(self.augment, FlipCrop):
            self.augment.noise = noise

    def _shuffle(self) -> None:
        self.epoch_start = self.stream.get_state()
        self.order = torch.randperm(len(self.labels), generator=self.stream)
        if self.labels.is_cuda:  # from pinned memory the copy waits for nothing
            self.order = self.order.pin_memory().to(self.labels.device, non_blocking=True)
        self.position = 0

    def next(self) -> tuple[Tensor, Tensor]:
        """Model inputs (B, …) and labels (B,)."""
        rows = self._rows()
        return self._changed(rows, self.served - self.size), self.labels[rows]

    def _changed(self, rows: Tensor, before: int) -> Tensor:
        """Model inputs (B, …) of the samples ``rows`` (B,), augmented; ``before`` samples were handed out before."""
        inputs = self.normalise(self.inputs[rows])
        if self.augment is None:
            return inputs
        places = torch.arange(before, before + len(rows), device=inputs.device)
        return self.augment(inputs, rows, places // len(self.labels))

    def peek(self) -> tuple[Tensor, Tensor]:
        """A batch like any, for its shapes; the stream stays where it is."""
        rows = self.order[: self.size]
        return self.normalise(self.inputs[rows]), self.labels[rows]

    def fill(self, inputs: Tensor, labels: Tensor) -> None:
        """Write the next k batches into ``inputs`` (k, B, …) and ``labels`` (k, B), those that `next` would give."""
        before = self.served
        rows = torch.stack([self._rows() for _ in range(len(labels))])  # (k, B)
        labels.copy_(self.labels[rows])
        if self.augment is None:
            inputs.flatten(0, 1).copy_(self.normalise(self.inputs[rows.view(-1)]))
            return
        for i, chosen in enumerate(rows):  # batch by batch: the same random numbers as from `next`
            inputs[i].copy_(self._changed(chosen, before + i * self.size))

    def _rows(self) -> Tensor:
        """(B,) the numbers of the next batch's samples."""
        rows = self.order[self.position : self.position + self.size]
        self.position += len(rows)
        if len(rows) < self.size:
            self._shuffle()
            self.position = self.size - len(rows)
            rows = torch.cat([rows, self.order[: self.position]])
        self.served += self.size
        return rows

    def state(self) -> tuple[Tensor, int]:
        """Where the stream is: the generator's state at the start of the epoch, and the position in it."""
        return self.epoch_start.clone(), self.position

    def restore(self, epoch_start: Tensor, position: int, batches: int) -> None:
        """Go to where `state` said, after so many ``batches``."""
        self.stream.set_state(epoch_start)
        self._shuffle()
        self.position, self.served = position, batches * self.size
