"""The form of a run: one widget per setting, made from the setting's own metadata."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app.session import Session, carried
from app.words import _
from lpc_core.choices import choices
from lpc_core.config import RunConfig, fields, flatten
from lpc_core.data import sources
from lpc_core.losses import losses
from lpc_core.models import backbones
from lpc_core.optimizers import optimizers
from lpc_core.parsing import format_value

GROUPS = {
    "Data": ("dataset", "classes", "samples", "test_samples", "noise", "dim", "augment"),
    "Network": ("model", "hidden", "depth", "width", "activation", "penultimate", "latent_dim", "dropout"),
    "γ and loss": ("gamma_schedule", "gamma_start", "gamma_switch", "gamma_end", "ramp_steps", "convention", "loss",
                   "margin", "scale", "temperature", "label_smoothing"),
    "Optimiser": ("optimizer", "lr", "head_lr", "lr_schedule", "lr_end", "momentum", "beta2", "weight_decay", "muon_lr",
                  "muon_momentum", "muon_steps"),
    "Run": ("seed", "steps", "batch_size"),
}


WORDS = {  # what a choice is called where its name is not what people write
    "adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "muon": "Muon", "nadam": "NAdam", "silu": "SiLU", "relu": "ReLU",
    "gelu": "GELU", "mlp": "MLP", "fastnet": "FastNet", "convnet": "ConvNet", "arcface": "ArcFace",
    "cosface": "CosFace", "supcon": "SupCon", "two-regime": "exponential, slower from a switch on",
    "late-cosine": "constant, then a cosine", "sum": "summed", "mean": "averaged", "flip-crop": "flip and shift",
    "alternate-flip": "flip every other epoch", "auto": "automatic",
}
REGISTRIES: dict[str, Callable[[], Mapping[str, Any]]] = {
    "dataset": sources, "model": backbones, "loss": losses, "optimizer": optimizers}


def relevant(run: RunConfig) -> set[str]:
    """The settings that make a difference to this run; the others are not shown."""
    names = set(fields()).difference(*(_unused(table(), flatten(run)[name]) for name, table in REGISTRIES.items()))
    hide = {
        "augment": bool(sources()[run.data.dataset].uses) and run.data.augment == "none",  # made samples are vectors
        "latent_dim": run.model.penultimate == "none",
        "gamma_start": run.gamma.gamma_schedule == "constant",
        "ramp_steps": run.gamma.gamma_schedule == "constant",
        "gamma_switch": run.gamma.gamma_schedule != "two-regime",
        "lr_end": run.optim.lr_schedule == "constant",
    }
    return names - {name for name, hidden in hide.items() if hidden}


def _unused(table: Mapping[str, Any], name: str) -> set[str]:
    """The settings that only other entries of ``table`` read; none where ``name`` leaves open which entry it is."""
    return {use for entry in table.values() for use in entry.uses} - set(table[name].uses) if name in table else set()


def render(tab: Session, page: str = "") -> None:
    """Draw the form of the run of ``tab``; every change starts the run again, and a new ``form`` of it forgets what was
    typed. What is typed on one ``page`` is not on another.

    A section's fields are made once it is opened: all of them would be a good part of a browser's work on a new page.
    """
    shown, values = relevant(tab.run), flatten(tab.run)
    for title, names in GROUPS.items():
        section = st.expander(_(title), title == "Data", key=folded(title), on_change="rerun")
        with section:
            for name in names:
                if name in shown and section.open:
                    _widget(name, values[name], f"{name}#{page}{tab.form}", tab)


def folded(title: str) -> str:
    """Under which key a page remembers whether the section ``title`` is open."""
    return f"section#{title}"


def _widget(name: str, value: Any, key: str, tab: Session) -> None:
    field = fields()[name]
    label = _(field.metadata["label"])
    change = carried(key, functools.partial(tab.change, name))
    common: dict[str, Any] = {"key": key, "help": _(field.metadata["help"]), "on_change": change}
    if options := choices(name):
        st.selectbox(label, options, options.index(value), format_func=functools.partial(called, name), **common)
    elif isinstance(value, tuple):
        st.text_input(label, format_value(value), **common)
    else:
        _number(label, value, field, common)


def called(name: str, choice: str) -> str:
    """What a ``choice`` of setting ``name`` is called."""
    return _(sources()[choice].title if name == "dataset" else WORDS.get(choice, choice.replace("-", " ")))


def _number(label: str, value: float, field: dataclasses.Field[Any], common: dict[str, Any]) -> None:
    kind = int if str(field.type) == "int" else float
    low, high = kind(field.metadata["low"]), kind(field.metadata["high"])
    step = 1 if kind is int else 10.0 ** math.floor(math.log10(value or 0.1))  # one unit of the leading digit
    st.number_input(label, low, high, value, step, format="%d" if kind is int else "%g", **common)
