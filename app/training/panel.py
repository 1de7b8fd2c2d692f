"""Panel: one trainer as a page sees it: its measurements so far, its camera, its sentence, its next picture."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.live import frames
from app.live.messages import View
from app.training.camera import Camera
from app.training.history import History
from app.training.inputs import InputSide
from app.training.narrate import Told, tell
from lpc_core.config import LossConfig
from lpc_core.data import sources
from lpc_core.engine.lockstep import Member
from lpc_core.losses import gamma_sum
from lpc_core.metrics.live import live_metrics
from lpc_core.phase import at_chance
from lpc_core.snapshot import Snapshot
from lpc_core.theory import collapse_points, forces

OF_PREDICTION = ("predicted_radius", "radius_error", "point_error")


class Panel:
    """Each run of a group has one. The first look comes at once."""

    def __init__(self, trainer: Member) -> None:
        self.trainer = trainer
        self.history = History()
        self.sentence: Told = "", {}
        self._was_learnt = False
        self._measured: Snapshot | None = None
        self._inputs = InputSide(trainer)
        self._regions: np.ndarray | None = None
        self.last = self.look(measure=True, running=False)
        self._camera = Camera(self.last.latents.shape[1])

    def look(self, *, measure: bool, running: bool, regions: bool = False) -> Snapshot:
        """A snapshot to draw. Standing still, it predicts for the γ the hand asks for, which no step reached yet."""
        self._regions = self._inputs.regions() if measure and regions else None
        snapshot = self.trainer.snapshot(metrics=measure)
        if not running and snapshot.gamma_target != snapshot.gamma:
            snapshot = _predict_at_target(snapshot, self.trainer.config.loss)
        if measure:
            self.history.add({"step": snapshot.step, "gamma": snapshot.gamma} | snapshot.metrics)
            self.sentence = tell(snapshot, self._measured, learnt=self._learnt())
            self._measured = snapshot
        elif self._measured is not None:
            snapshot = dataclasses.replace(snapshot, node_peak_distance=self._measured.node_peak_distance)
        self.last = snapshot
        return snapshot

    def _learnt(self) -> bool:
        """Whether the run was ever better than guessing."""
        if not self._was_learnt:  # a history of many rows is not gone through in every frame
            known = np.array(self.history.columns.get("train_accuracy", ()))
            self._was_learnt = bool((np.isfinite(known) & ~at_chance(known, self.trainer.dataset.classes)).any())
        return self._was_learnt

    def picture(self, view: View) -> frames.Part:
        """What was last looked at, as a frame's numbers and arrays."""
        own, arrays = frames.moment(self.last, self._camera.look(view, self.last.latents), bins=view.bins)
        if self._regions is not None:
            arrays["regions"] = self._regions
        return own | {"sentence": self.sentence}, arrays

    def opening(self) -> frames.Part:
        """What a page must know of this run before its first frame."""
        trainer, config = self.trainer, self.trainer.config
        images, known, dataset = trainer.probe_images, sources(), config.data.dataset
        info = {
            "dataset": dataset, "title": known[dataset].title if dataset in known else dataset,
            "n": len(trainer.probe_labels), "K": trainer.dataset.classes, "d": self.last.latents.shape[1],
            "class_names": list(trainer.dataset.class_names),
            "image": None if images is None else list(images.shape[1:]),
            "convention": config.loss.convention, "penultimate": config.model.penultimate,
            "optimizer": config.optim.optimizer, "gamma_start": config.gamma.gamma_start,
            "gamma_end": config.gamma.gamma_end, "theory": not trainer.theory_note, "theory_note": trainer.theory_note,
            "history": self.history.columns, "inputs": self._inputs.words(),
        }
        arrays = {"labels": trainer.probe_labels.astype(np.uint8)}
        if self._inputs.points is not None:
            arrays["inputs"], info["inputs"]["scale"] = frames.quantised(self._inputs.points)
        return info, arrays


def _predict_at_target(snapshot: Snapshot, loss: LossConfig) -> Snapshot:
    """The same moment with the collapse points and forces of the γ that is being asked for."""
    if snapshot.forces is None or not np.isfinite(snapshot.weight).all():
        return snapshot
    head, smoothing = (snapshot.weight, snapshot.bias), loss.label_smoothing
    gamma = gamma_sum(snapshot.gamma_target, loss.convention, snapshot.latents.shape[1])
    points = None
    if gamma > 0:
        points = collapse_points(*head, gamma, start=snapshot.collapse_points, label_smoothing=smoothing)
    pushes = forces(snapshot.means, *head, gamma, label_smoothing=smoothing)
    metrics = snapshot.metrics
    if metrics:  # what is said of the prediction is said of the one that is drawn
        foretold = live_metrics(snapshot.latents, snapshot.labels, snapshot.predictions, *head, points)
        metrics = metrics | {name: foretold[name] for name in OF_PREDICTION}
    return dataclasses.replace(snapshot, collapse_points=points, forces=pushes, metrics=metrics)
