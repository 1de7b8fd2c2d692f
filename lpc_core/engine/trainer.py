"""The trainer of one run: any model, CPU or CUDA. It yields snapshots; whoever loops decides what to do with them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lpc_core.choices import check_names
from lpc_core.config import ConfigError, RunConfig, flatten
from lpc_core.data import Dataset, load
from lpc_core.data.inputs import input_shape
from lpc_core.engine.autograd import AutogradEngine, parameters
from lpc_core.engine.batches import Batches
from lpc_core.engine.compiling import pays
from lpc_core.engine.cost import LOOKED_AT, LOOKED_AT_SLOW
from lpc_core.engine.devices import check_room, faults_named, pick_device
from lpc_core.engine.fused import FusedEngine, supports
from lpc_core.engine.graphs import Blocks, recorder_for, steps_per_replay
from lpc_core.engine.observe import Look, Observer, Outputs
from lpc_core.engine.parallel import Share
from lpc_core.engine.probe import make_probe
from lpc_core.engine.state import StateError, pack, unpack
from lpc_core.engine.state_check import check_info, check_model, check_optimizer, check_streams
from lpc_core.files.plain_json import dumps
from lpc_core.files.words import printable
from lpc_core.losses import gamma_sum
from lpc_core.models import Classifier, backbone, build, convolves
from lpc_core.schedules import GammaDriver, lr_at
from lpc_core.snapshot import Snapshot

ENGINES = ("auto", "fused", "autograd")
FITTED = 5_000  # training samples that a backbone may be fitted to before the first step
CHECK_EVERY = 100  # steps between looks at whether the run is still finite (each look waits for the device)
CHECK_EVERY_BLOCKS = 64  # the same where steps are replayed in blocks
NO_THEORY = {
    "nonlinear": "No predicted points: after a non-linear penultimate layer not every latent can be reached.",
    "none": "No predicted points: without a penultimate layer the latents are the backbone's activations.",
}


def train(config: RunConfig | None = None, *, device: str = "auto", every: int = 50,
          dataset: Dataset | None = None, engine: str = "auto") -> Trainer:
    """Return a `Trainer` to loop over: ``for snapshot in lpc_core.train(config): …``, one snapshot per ``every`` steps.

    Between snapshots the loop may call `Trainer.set_gamma`, `set_auto`, `set_lr` or `pause`. On one CPU build and
    thread count, equal configs and equal calls give equal snapshots. ``device``: "auto", "cpu", "cuda" or "cuda:N";
    ``engine``: "autograd", "fused" (the same steps many times faster, MLPs only), or "auto": fused where it can.
    """
    return Trainer(config or RunConfig(), device, dataset, every, engine=engine)


class Trainer:
    """One run: its model, optimiser, data stream and γ. See `train`.

    On CUDA the steps are recorded and replayed ``block`` at a time (None: as many as suit the model; 0: one by one),
    and a convnet's backbone computes in bfloat16 with float32 weights; latents, head and loss are float32 everywhere.
    `engine_note` says what does the steps, and why it isn't something faster. With ``share`` this process takes its
    part of every batch (`lpc_core.engine.parallel`), step by step with autograd. With ``patient`` nobody waits for the
    first step, which on CUDA may take half a minute where that makes the whole run shorter (torch.compile).
    """

    def __init__(self, config: RunConfig, device: str = "auto", dataset: Dataset | None = None, every: int = 50, *,
                 engine: str = "auto", block: int | None = None, share: Share | None = None,
                 patient: bool = False) -> None:
        if not isinstance(every, int | np.integer) or isinstance(every, bool) or every < 1:
            raise ConfigError("every", "a whole number of at least 1", every)
        self.config, self.every = config, int(every)
        self.device = pick_device(device)
        check_names(config)
        self.dataset = dataset or load(config.data, config.seed)
        self.theory_note = _theory_note(config)
        with faults_named(config, self.device):
            check_room(config, self.device)
            self._start(engine if share is None else "autograd", block if share is None else 0,
                        patient and share is None)
            if share is not None and isinstance(self.engine, AutogradEngine):
                share.check(config)
                self.engine.share_with(share.rank, share.processes)

    def _start(self, engine: str, block: int | None, patient: bool) -> None:
        config, dataset = self.config, self.dataset
        self.batches = Batches(dataset, config.batch_size, config.seed, self.device, config.data.augment)
        shape = input_shape(dataset)
        self.model = self._built(shape)
        most = LOOKED_AT_SLOW if convolves(self.model) and self.device.type == "cpu" else LOOKED_AT
        self.probe = make_probe(dataset, self.batches.normalise, most, config.seed, self.device)
        self.engine, self._engine_note = self._pick_engine(engine, supports(config, shape))
        compiles = patient and self.device.type == "cuda" and pays(config, shape)
        self._compiled = self.engine.compile() if compiles and isinstance(self.engine, AutogradEngine) else None
        self._head = self.model.head.weight.detach()[None], self.model.head.bias.detach()[None]  # where it is trained
        size = steps_per_replay(self.device, self.engine) if block is None else block
        self._blocks = Blocks(self.engine, size, *self.batches.peek(), recorder_for(self.device))
        self.gamma = GammaDriver.start(config.gamma)
        self.base_lr = self.lr = config.optim.lr
        self.step, self.limit = 0, config.steps
        self.reason = ""
        self._observer = Observer(config.loss, not self.theory_note)
        self._paused = False
        self._good = self.state_bytes()

    def _built(self, shape: tuple[int, ...]) -> Classifier:
        """The new model on the device, with the parts of its backbone that are computed from the training data."""
        model = build(self.config.model, shape, self.dataset.classes, self.config.seed, self.config.loss)
        model = model.to(self.device)
        if (fit := backbone(self.config.model, shape).fit) is not None:
            fit(model.backbone, self.batches.normalise(self.batches.inputs[:FITTED]))
        return model

    def _pick_engine(self, name: str, obstacle: str) -> tuple[AutogradEngine | FusedEngine, str]:
        """What does the steps, and which it is and why; ``obstacle`` is why it cannot be the fused one."""
        if name not in ENGINES:
            raise ConfigError("engine", "one of " + ", ".join(ENGINES), name)
        if name == "fused" and obstacle:
            raise ConfigError("engine", f"auto or autograd, because {obstacle}", name)
        if name == "autograd" or obstacle:
            return AutogradEngine(self.config, self.model), f"autograd, because {obstacle or 'it was asked for'}"
        return FusedEngine(self.config, self.model, self.batches.size), "fused: the steps of this MLP, written out"

    @property
    def engine_note(self) -> str:
        """What does the steps, and why not something faster."""
        notes = self._engine_note, self._compiled.note if self._compiled else "", self._blocks.note
        return "; ".join(filter(None, notes))

    # ---- looping -------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Snapshot]:
        """Snapshots until the run is finished, diverged or paused; iterating again goes on where it stopped."""
        self._paused = False
        if self.step == 0:
            yield self.snapshot()
        while not (self.finished or self.diverged or self._paused):
            self.advance(self.every - self.step % self.every)
            yield self.snapshot()

    def pause(self) -> None:
        """End the present iteration after its snapshot."""
        self._paused = True

    @property
    def finished(self) -> bool:
        """Whether the planned steps are done (`extend` allows more)."""
        return self.step >= self.limit

    @property
    def diverged(self) -> bool:
        """Whether training left the finite numbers; the run then stands at its last good state and does not go on."""
        return bool(self.reason)

    def extend(self) -> None:
        """Let a finished run go on for as many steps again."""
        self.limit = self.step + self.config.steps

    # ---- controls ------------------------------------------------------------------------------------------------

    def set_gamma(self, value: float) -> None:
        """Take γ (≥ 0, the run's convention) by hand; it glides there from its present value."""
        self.gamma.hold(value)

    def set_auto(self) -> None:
        """Give γ back to the schedule."""
        self.gamma.release()

    def set_lr(self, value: float) -> None:
        """Replace the backbone's learning rate (> 0); its schedule goes on as a factor of it."""
        if not (math.isfinite(value) and value > 0):
            raise ConfigError("lr", "a finite number above 0", value)
        self.base_lr = float(value)

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Replace the weights of a run that has not begun by ``weights``, a state dict of its model."""
        if self.step:
            raise ValueError(f"expected a run before its first step, got step {self.step:,}; make a new one")
        self.model.load_state_dict(weights)
        self._good = self.state_bytes()

    # ---- training ------------------------------------------------------------------------------------------------

    def advance(self, steps: int = 1, deadline: float | None = None) -> int:
        """Train up to ``steps`` steps, fewer if `time.perf_counter` passes ``deadline``; returns how many were done."""
        with faults_named(self.config, self.device):
            return self._advance(steps, deadline)

    def _advance(self, steps: int, deadline: float | None) -> int:
        done = 0
        while done < steps and not (self.finished or self.diverged):
            taken = self._blocks.take(self.batches, self._knobs, min(steps - done, self.limit - self.step))
            done += taken
            every = CHECK_EVERY_BLOCKS * self._blocks.size or CHECK_EVERY
            if self.step % every < taken or self.finished:
                self._check(self.engine.loss())
            if deadline is not None and time.perf_counter() >= deadline:
                break
        return done

    def _knobs(self) -> tuple[float, float]:
        """γ and the learning rate of the next step, which is then counted as taken."""
        self.lr = lr_at(self.config.optim, self.base_lr, self.step, self.config.steps)
        self.step += 1
        return self.gamma.advance(), self.lr

    def _check(self, loss: Tensor) -> None:
        """Keep this state if everything in it is finite, else go back to the last that was and say so."""
        finite = torch.stack([value.isfinite().all() for value in self.model.state_dict().values()]).all()
        if bool(finite & loss.isfinite()):
            self._good = self.state_bytes()
            return
        step, lr, gamma = self.step, self.lr, self.gamma.value
        self.load_state_bytes(self._good)
        self.reason = (f"The run diverged before step {step:,} (lr {lr:g}, γ {gamma:g}): a loss or weight was no "
                       f"longer finite. Shown is its last good state, step {self.step:,}. Try a smaller learning rate.")

    # ---- measuring -----------------------------------------------------------------------------------------------

    @property
    def probe_labels(self) -> np.ndarray:
        """(n,) the labels of the samples in every snapshot."""
        return self.probe.labels

    @property
    def probe_images(self) -> np.ndarray | None:
        """(n, H, W, C) uint8 pictures of those samples, or None for vectors."""
        return self.probe.images

    @property
    def probe_inputs(self) -> np.ndarray | None:
        """(n, D) float32 those samples where they are vectors, or None for pictures."""
        return None if self.probe.images is not None else self.probe.inputs.cpu().numpy()

    def decide(self, inputs: np.ndarray) -> np.ndarray:
        """The class (m,) that the network gives each of ``inputs`` (m, D) now, vectors as those of the data."""
        with faults_named(self.config, self.device):
            logits, _ = self.engine.look(torch.from_numpy(inputs).to(self.device))  # (1, K, m)
            classes: np.ndarray = logits[0].argmax(dim=0).cpu().numpy()
            return classes

    def snapshot(self, metrics: bool = True) -> Snapshot:
        """Look at the probe samples now; without ``metrics`` only what is needed to draw them."""
        look, head = self.look(metrics)
        gamma = gamma_sum(self.gamma.value, self.config.loss.convention, head.weight.shape[2])
        return Snapshot(
            step=self.step, gamma=self.gamma.value, gamma_sum=gamma, gamma_target=self.gamma.target,
            gamma_mode=self.gamma.mode, lr=self.lr, head_lr=self.config.optim.head_lr,
            latents=look.latents[0], labels=self.probe.labels, predictions=look.predictions[0], weight=head.weight[0],
            bias=head.bias[0], means=look.means[0],
            collapse_points=look.collapse_points[0] if look.collapse_points is not None and gamma > 0 else None,
            forces=None if look.forces is None else look.forces[0],
            metrics={name: float(value[0]) for name, value in look.metrics.items()},
            node_peak_distance=None if look.node_peak_distance is None else look.node_peak_distance[0],
            reason=self.reason)

    def look(self, metrics: bool = True) -> tuple[Look, Outputs]:
        """The moment in arrays of one run, (1, …), and the answers of the network that it was made from.

        A run that is found to have left the finite numbers goes back to its last good state first.
        """
        with faults_named(self.config, self.device):
            outputs = self._outputs(metrics)
            if not (self.diverged or outputs.finite.all()):
                self._check(torch.tensor(math.nan))
                outputs = self._outputs(metrics)
        return self._observer.look(self.probe, outputs, np.array([self.gamma.value]), metrics), outputs

    def _outputs(self, test: bool) -> Outputs:
        return Outputs.of(*self.engine.look(self.probe.everything if test else self.probe.inputs), *self._head)

    # ---- saving --------------------------------------------------------------------------------------------------

    def state_bytes(self) -> bytes:
        """Everything needed to go on exactly from here, as safetensors."""
        epoch_start, position = self.batches.state()
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= self.engine.optimizer_tensors() | {"stream.batches": epoch_start}
        if self.model.dropout.stream is not None:
            tensors["stream.dropout"] = self.model.dropout.stream.get_state()
        if self.batches.augment is not None:
            tensors["stream.augment"] = self.batches.augment.stream.get_state()
        gamma = {name: value for name, value in vars(self.gamma).items() if name != "config"}
        info = {"config": flatten(self.config), "step": self.step, "limit": self.limit, "position": position,
                "base_lr": self.base_lr, "gamma": gamma, "reason": self.reason}
        return pack(tensors, info)

    def load_state_bytes(self, raw: bytes) -> None:
        """Go to the state in ``raw``; `StateError` if it belongs to another configuration, or is no state."""
        tensors, info = unpack(raw)
        weights = self._checked(tensors, info)
        self.model.load_state_dict(weights)
        self.engine.restore_optimizer(tensors)
        self.batches.restore(tensors["stream.batches"], info["position"], info["step"])
        if self.batches.augment is not None:
            self.batches.augment.stream.set_state(tensors["stream.augment"])
        self._blocks.forget()
        self.model.dropout.stream = None
        if "stream.dropout" in tensors:
            self.model.dropout.open_stream(self.device).set_state(tensors["stream.dropout"])
        self.gamma = GammaDriver(self.config.gamma, **info["gamma"])
        self.step, self.limit, self.base_lr = info["step"], info["limit"], info["base_lr"]
        self.lr = lr_at(self.config.optim, self.base_lr, max(self.step - 1, 0), self.config.steps)
        self.reason = info["reason"]
        self._observer.forget()
        self._good = raw

    def _checked(self, tensors: dict[str, Tensor], info: dict[str, Any]) -> dict[str, Tensor]:
        """The weights among ``tensors``; `StateError` unless everything in the state fits this run."""
        given, own = dumps(info.get("config")), dumps(flatten(self.config))
        if given != own:
            raise StateError(f"expected the state of this configuration {own}, got that of {printable(given, 1_000)}")
        check_info(info, len(self.batches.labels))
        weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
        check_model(weights, self.model.state_dict())
        check_optimizer(tensors, self.config.optim, parameters(self.model))
        streams = {"stream.batches": torch.device("cpu"), "stream.dropout": self.device}
        if self.batches.augment is not None:
            streams["stream.augment"] = self.device
        check_streams(tensors, streams, "stream.dropout")
        return weights


def _theory_note(config: RunConfig) -> str:
    """Why there are no predicted collapse points in this run; "" where there are."""
    if config.loss.loss != "cross-entropy":
        return (f"No predicted points: they are where cross-entropy and the penalty balance, and this run's loss is "
                f"{config.loss.loss}.")
    return NO_THEORY.get(config.model.penultimate, "")
