"""Which runs a page is asked for, whether it can train them by itself, and why others need the server."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping

from app.lessons import lessons
from lpc_core.config import ConfigError, DataConfig, RunConfig, resolve
from lpc_core.data import sources, torch_shape
from lpc_core.engine.cost import LOOKED_AT
from lpc_core.parsing import parse_run, parse_value
from lpc_core.run_group import RunGroup, alone

OPTIMIZERS = ("adamw", "adam", "sgd", "muon")  # that app/static/engine/optimizers.js knows
LARGEST = 2_000_000  # bytes of samples and weights: with Plotly and base64 the page stays within 8 MB
PRODUCTS_PER_S = 1e9  # multiply-adds in a browser
LONGEST_S = 0.2  # that γ may have to wait for a step or a look


class NeedsServer(ValueError):
    """A run that no page can train by itself; the message says why."""


def asked(texts: Mapping[str, str]) -> tuple[RunGroup, str]:
    """What ``texts`` name, and the lesson's name or "": settings as in a link, or ``lesson`` with its ``seed``.

    `ConfigError` for what is neither.
    """
    name = texts.get("lesson")
    if name is None:
        return alone(parse_run(texts, "cpu")), ""
    if name not in lessons():
        raise ConfigError("lesson", f"one of {', '.join(lessons())}", name)
    return lessons()[name].work(parse_value("seed", texts.get("seed", "0"))), name


def needs_server(group: RunGroup) -> str:
    """Why only the server can train ``group``, from its settings alone; "" where a page can."""
    reason = next(itertools.chain(*map(_obstacles, group.runs), _too_much(group)), "")
    return f"this run needs the server because {reason}" if reason else ""


def _obstacles(run: RunConfig) -> Iterator[str]:
    source = sources().get(run.data.dataset)
    if source is None:
        yield f"nobody here knows the data set {run.data.dataset}"
        return
    form = source.form(run.data)
    if (backbone := resolve(run.model, torch_shape(form.shape))) != "mlp":
        yield f"a page trains MLPs only, and its network is a {backbone}; set model=mlp"
    if run.loss.loss != "cross-entropy":
        yield f"a page knows cross-entropy only, and its loss is {run.loss.loss}; set loss=cross-entropy"
    if run.optim.optimizer not in OPTIMIZERS:
        yield f"a page knows {', '.join(OPTIMIZERS)}, and its optimiser is {run.optim.optimizer}"
    if run.model.dropout > 0:
        yield "a page drops no features at random; set dropout=0"
    if run.data.augment != "none":
        yield "a page does not change its pictures at random; set augment=none"


def _too_much(group: RunGroup) -> Iterator[str]:
    form, data = sources()[group.data.dataset].form(group.data), group.data
    weights = [_weights(run, form.shape, form.classes) for run in group.runs]
    looked = min(LOOKED_AT, data.samples)
    seconds = sum(max(3 * min(run.batch_size, data.samples) * each + _turned(run, form.shape), looked * each)
                  for run, each in zip(group.runs, weights, strict=True)) / PRODUCTS_PER_S  # of a step, or of a look
    if seconds > LONGEST_S:
        yield (f"a step or a look at it would take about {seconds:.1g} s in a page; set smaller layers or a smaller "
               "batch_size")
    if (size := 4 * sum(weights) + _sample_bytes(data, form.shape)) > LARGEST:
        yield (f"its samples and weights take {size / 1e6:.1f} MB, and a page holds {LARGEST / 1e6:.1f}; "
               "set fewer samples or smaller layers")


def _weights(run: RunConfig, shape: tuple[int, ...], classes: int) -> int:
    """Numbers in the network."""
    latents = () if run.model.penultimate == "none" else (run.model.latent_dim,)
    widths = (math.prod(shape), *run.model.hidden, *latents, classes)
    return sum((m + 1) * n for m, n in itertools.pairwise(widths))


def _turned(run: RunConfig, shape: tuple[int, ...]) -> int:
    """Multiply-adds by which Muon turns the backbone's matrices in a step."""
    if run.optim.optimizer != "muon":
        return 0
    sides = map(sorted, itertools.pairwise((math.prod(shape), *run.model.hidden)))
    return sum(run.optim.muon_steps * k * k * (2 * m + k) for k, m in sides)


def _sample_bytes(data: DataConfig, shape: tuple[int, ...]) -> int:
    """Of all training samples and the held-out ones that are measured: pictures are bytes, vectors float32."""
    one = math.prod(shape) * (1 if len(shape) == 3 else 4) + 1
    return one * (data.samples + min(data.test_samples, LOOKED_AT))
