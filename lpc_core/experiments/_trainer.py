"""The trainer of a row: the lab's own, with γ, learning rate and margins that follow the published courses by epoch."""

from __future__ import annotations

import dataclasses

from torch import Tensor

from lpc_core.config import RunConfig
from lpc_core.data import Dataset
from lpc_core.engine.autograd import AutogradEngine
from lpc_core.engine.trainer import Trainer
from lpc_core.experiments._row import Row
from lpc_core.losses import objective, supervised_contrast
from lpc_core.models import CosineHead


class RowTrainer(Trainer):
    """One row under one seed. γ and rates are functions of the step alone, so a restored state goes on exactly."""

    def __init__(self, row: Row, config: RunConfig, scale: float = 1.0, device: str = "auto",
                 dataset: Dataset | None = None) -> None:
        self.row, self.scale = row, scale
        by_hand = row.contrast > 0 or row.margins is not None  # which fused, recorded and compiled steps do not know
        self._angles: tuple[float, float] | None = None
        engine, block = ("autograd", 0) if by_hand else ("auto", None)
        super().__init__(config, device, dataset, engine=engine, block=block, patient=not by_hand)
        self.batches.set_noise(row.noise)
        if row.contrast:
            self._contrast()

    @property
    def epoch(self) -> int:
        """The epoch of the next step, from 1."""
        return self.step * self.config.batch_size // len(self.batches.labels) + 1

    @property
    def epochs(self) -> int:
        """How many the run has."""
        return self.row.run_epochs(self.scale)

    def step_of_epoch(self, epoch: int) -> int:
        """The first step of ``epoch``; the run's length for the one after its last."""
        if epoch > self.epochs:
            return self.config.steps
        return -(-(epoch - 1) * len(self.batches.labels) // self.config.batch_size)

    @property
    def published(self) -> int:
        """The epoch of the next step in the row's own count, which is another where a run is scaled."""
        return int((self.epoch - 1) / self.scale) + 1

    def load_state_bytes(self, raw: bytes) -> None:
        """As in `Trainer`; scale and margin are those that the state's last step was taken with."""
        super().load_state_bytes(raw)
        if self.row.margins is not None and self.step:
            self.step -= 1
            self._set_angles(*self.row.margins.at(self.published))
            self.step += 1

    def _knobs(self) -> tuple[float, float]:
        """γ and the learning rate of the next step by the row's courses; the margins are set beside them."""
        published = self.published
        gamma = self.row.gamma.at(published) if self.row.gamma else 0.0
        self.gamma.value = self.gamma.target = gamma
        self.lr = self.row.lr.at(self.config.optim.lr, published)
        if self.row.margins is not None:
            self._set_angles(*self.row.margins.at(published))
        self.step += 1
        return gamma, self.lr

    def _set_angles(self, scale: float, margin: float) -> None:
        """ArcFace's scale and margin from the next step on; the logits that are looked at have the same scale."""
        head, engine = self.model.head, self.engine
        if self._angles == (scale, margin) or not (isinstance(engine, AutogradEngine) and isinstance(head, CosineHead)):
            return
        self._angles = scale, margin
        head.scale = scale
        engine.objective = objective(dataclasses.replace(self.config.loss, scale=scale, margin=margin), head)

    def _contrast(self) -> None:
        """SupCon on the backbone's features beside the loss that there is."""
        engine, weight = self.engine, self.row.contrast
        if not isinstance(engine, AutogradEngine):
            return
        loss, contrast = engine.objective, supervised_contrast(self.config.loss)
        kept: dict[str, Tensor] = {}  # what the backbone gave last
        self.model.backbone.register_forward_hook(lambda module, inputs, features: kept.update(features=features))

        def both(logits: Tensor, latents: Tensor, labels: Tensor) -> Tensor:
            features = kept["features"].to(latents.dtype)
            return loss(logits, latents, labels) + weight * contrast(logits, features, labels)

        engine.objective = both
