"""Cost: what a run will take, from its configuration alone: parameters, bytes, seconds. Nothing is loaded or filled.

For P parameters, M multiply-adds and U values of one sample's forward pass, batches of B, n samples that are looked at
and N samples of D numbers, R runs at once:

    memory  R (64 P + 12 B U) + 4 n U + data; 64 = weight, gradient, two moments of Adam (16), the last good state (12)
            and the copies made while a state is written (36); 12 = a value, its derivative and its gradient
    data    20 D N + 72 N for vectors (drawn in float64); D N + 72 N + the stored set for pictures
    step    6 M B R / FLOPS + 3 ns · B U R + 10 ns · P R       (forward, and backward twice that)
    look    2 M n / FLOPS; build 60 ns · P R + 0.3 µs · N + 5 ns · D N of pictures

A loss that compares all pairs of a batch (SupCon) adds 56 bytes and 70 ns for each. The speed is that of one ordinary
processor core, so that equal configurations are estimated equally everywhere; a machine may be three times quicker or
slower.
"""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass
from itertools import pairwise

from lpc_core.config import ModelConfig, RunConfig, resolve
from lpc_core.data import Form, sources, torch_shape
from lpc_core.machine import available_memory, first_line
from lpc_core.run_group import RunGroup

FLOPS = 4e10  # per second, single precision, one core
STATE_BYTES, VALUE_BYTES, LOOK_BYTES, PAIR_BYTES = 64, 12, 4, 56
VALUE_S, PARAMETER_S, BUILD_S, PAIR_S, ROW_S, PIXEL_S = 3e-9, 1e-8, 6e-8, 7e-8, 3e-7, 5e-9
STEP_S = 3e-4  # the least a step takes
LOOKED_AT = 2_000  # training samples that are measured and drawn, and as many held-out ones
LOOKED_AT_SLOW = 500  # the same for a convnet on a CPU, where a forward pass of 2,000 pictures takes most of a second


class CostError(ValueError):
    """A run that is too large; the message gives the estimate, the limit and the settings to change."""


@dataclass(frozen=True)
class Network:
    """A network by its numbers, without building it."""

    parameters: int
    products: int  # multiply-adds of one sample's forward pass
    values: int  # numbers that one sample's forward pass leaves behind, the sample included
    size: str  # the setting that makes it large
    convolves: bool = False


@dataclass(frozen=True)
class Cost:
    """An estimate: bytes at the peak, by what they are for, and seconds on one core."""

    parameters: int  # of all networks
    state_bytes: int  # what grows with the parameters
    batch_bytes: int  # what grows with the batch
    data_bytes: int
    step_s: float  # of one step of all networks
    pause_s: float  # the longest piece of work in between: building, or looking at all networks
    size: str = "hidden"  # the setting that makes the networks large

    @property
    def memory(self) -> int:
        """Bytes at the peak."""
        return self.state_bytes + self.batch_bytes + self.data_bytes

    @property
    def advice(self) -> str:
        """The settings to reduce: those that take a quarter of the memory or more."""
        parts = ((self.size, self.state_bytes), ("batch_size", self.batch_bytes), ("samples", self.data_bytes))
        return " or ".join(name for name, part in parts if 4 * part >= self.memory)

    def __str__(self) -> str:
        seconds = f"{self.step_s:.2g}" if self.step_s < 10 else f"{self.step_s:,.0f}"
        return f"about {megabytes(self.memory)} ({self.parameters:,} parameters, {seconds} s per step)"


def cost_of_group(group: RunGroup) -> Cost:
    """What training all runs of ``group`` in turn takes; they share their data."""
    each = [cost_of(run) for run in group.runs]
    return Cost(sum(c.parameters for c in each), sum(c.state_bytes for c in each),
                sum(c.batch_bytes for c in each), each[0].data_bytes, sum(c.step_s for c in each),
                sum(c.pause_s for c in each), each[0].size)


def cost_of(work: RunConfig, replicas: int = 1) -> Cost:
    """What training ``work`` takes; with ``replicas``, that many runs at once on the same batches (a film)."""
    form, batch = form_of(work), min(work.batch_size, work.data.samples)
    net = network_of(work.model, form)
    rows = work.data.samples + work.data.test_samples
    most = LOOKED_AT_SLOW if net.convolves else LOOKED_AT
    looked = min(most, work.data.samples) + min(most, work.data.test_samples)
    pairs = _pairs(work, batch)
    numbers, pictures = math.prod(form.shape), len(form.shape) == 3
    step = batch * (6 * net.products / FLOPS + VALUE_S * net.values) + PARAMETER_S * net.parameters + PAIR_S * pairs
    build = replicas * BUILD_S * net.parameters + ROW_S * rows + (PIXEL_S * rows * numbers if pictures else 0)
    return Cost(
        parameters=replicas * net.parameters, state_bytes=replicas * STATE_BYTES * net.parameters,
        batch_bytes=replicas * (VALUE_BYTES * batch * net.values + PAIR_BYTES * pairs)
        + LOOK_BYTES * min(most, looked) * net.values,
        data_bytes=rows * (numbers * (1 if pictures else 20) + 72) + form.stored_bytes, step_s=STEP_S + replicas * step,
        pause_s=max(build, replicas * looked * (2 * net.products / FLOPS + VALUE_S * net.values)),
        size=net.size)


def form_of(config: RunConfig) -> Form:
    """What the samples of ``config`` look like; an unknown data set, refused elsewhere, counts as one number each."""
    source = sources().get(config.data.dataset)
    return Form((1,), config.data.classes) if source is None else source.form(config.data)


# ---- networks ----------------------------------------------------------------------------------------------------


def network_of(model: ModelConfig, form: Form) -> Network:
    """The network that `lpc_core.models.build` makes for samples of ``form``; `ConfigError` where it can make none."""
    shape = torch_shape(form.shape)
    if resolve(model, shape) != "mlp":
        return _measured(model, shape, form.classes)
    widths = (math.prod(shape), *model.hidden, *(() if model.penultimate == "none" else (model.latent_dim,)),
              form.classes)
    layers = list(pairwise(widths))
    return Network(sum(a * b + b for a, b in layers), sum(a * b for a, b in layers), sum(widths), "hidden")


@functools.lru_cache(maxsize=256)
def _measured(model: ModelConfig, shape: tuple[int, ...], classes: int) -> Network:
    """The size of any backbone: one sample goes through it where torch neither stores nor computes anything."""
    import torch  # which an MLP does without

    from lpc_core.models import Classifier, backbone, convolves

    kind = backbone(model, shape)
    found: list[tuple[int, torch.Tensor]] = []  # what each layer with weights gave, and how many each number took
    with torch.device("meta"), torch.no_grad():
        net = Classifier(*kind.make(model, shape), classes, model, seed=0).eval()
        for layer in net.modules():
            weight = getattr(layer, "weight", None)
            if isinstance(weight, torch.Tensor) and weight.ndim >= 2:
                layer.register_forward_hook(functools.partial(
                    lambda weights, layer, inputs, output: found.append((weights, output)), weight[0].numel()))
        net(torch.zeros((1, *shape)))
    products = sum(weights * output.numel() for weights, output in found)
    values = sum(output.numel() * (2 if output.ndim > 2 else 1) for _, output in found)  # twice, where a norm follows
    return Network(sum(p.numel() for p in net.parameters()), products, math.prod(shape) + values,
                   kind.uses[0] if kind.uses else "model", convolves(net))


def _pairs(work: RunConfig, batch: int) -> int:
    """Pairs of samples that the loss compares in a step."""
    if work.loss.loss == "cross-entropy":
        return 0
    from lpc_core.losses import loss  # with torch

    return batch**2 if loss(work.loss).all_pairs else 0


# ---- limits ------------------------------------------------------------------------------------------------------


def check_fits(cost: Cost, processes: int = 1) -> None:
    """Raise `CostError` for a run that needs more memory, in each of its ``processes``, than this machine has free."""
    check_within(cost, available_memory() // processes, "this machine has free")


def check_within(cost: Cost, limit: int, whose: str) -> None:
    """Raise `CostError` if ``cost`` is more than ``limit`` bytes; ``whose`` ends "at most 8,000 MB, what …"."""
    if cost.memory > limit:
        raise CostError(f"memory: expected at most {megabytes(limit)}, what {whose}, got {cost}; reduce {cost.advice}")


def machine_memory() -> int:
    """Bytes that this machine, or the container this process is in, has in all."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = first_line("/sys/fs/cgroup/memory.max")
    return min(memory, int(limit)) if limit.isdigit() else memory


def megabytes(count: int) -> str:
    """``count`` bytes in words."""
    return f"{count / 1e6:,.0f} MB"
