"""What defines a run: frozen dataclasses, one per concern, with a unit, a range and a sentence for every field.

Field names are unique across all sections, so a run is also a flat mapping ``{name: value}`` (`flatten`, `unflatten`):
the URL, the command line, the sidebar and the charts all use these same names.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from lpc_core.files.words import printable

GAMMA_MAX = 1e8
MAX_SEED = 2**31 - 1
MAX_LAYERS = 6  # of an MLP, or blocks of a fastnet


class ConfigError(ValueError):
    """A configuration value that is not allowed. ``field`` names it, ``allowed`` says what is."""

    def __init__(self, field: str, allowed: str, got: object) -> None:
        name = field if field.isidentifier() else repr(field)  # a file or a link may call a setting anything
        super().__init__(f"{printable(name, 40)}: expected {allowed}, got {printable(repr(got))}")
        self.field, self.allowed, self.got = field, allowed, got


def _setting(default: Any, label: str, help: str, *, low: float | None = None, high: float | None = None,
             choices: tuple[str, ...] | None = None, unit: str = "", files: tuple[str, str] | None = None) -> Any:
    """A dataclass field with its name for people, one sentence of help, its range (inclusive) or choices, its unit.

    ``files`` (package, what its modules define) makes it an open name: the files there are further choices, and the
    name is checked where it is picked (`lpc_core.choices`).
    """
    metadata = {"label": label, "help": help, "low": low, "high": high, "choices": choices, "unit": unit,
                "files": files}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class _Section:
    """Checks every setting against its own metadata."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.metadata:  # a run's sections have none
                _check(field, getattr(self, field.name))


def describe(field: dataclasses.Field[Any]) -> str:
    """Say in words what a field allows: ``a whole number from 2 to 100``."""
    meta = field.metadata
    if meta["choices"] and not meta["files"]:
        return "one of " + ", ".join(meta["choices"])
    kind = {"int": "a whole number", "float": "a number", "str": "a name"}.get(str(field.type), "whole numbers")
    if meta["low"] is None:
        return kind
    low, high = (f"{end:g}" if isinstance(end, float) else str(end) for end in (meta["low"], meta["high"]))
    return f"{kind} from {low} to {high}"


def _check(field: dataclasses.Field[Any], value: Any) -> None:
    meta, kind, allowed = field.metadata, str(field.type), describe(field)
    values = value if isinstance(value, tuple) else (value,)
    if meta["choices"] and not meta["files"]:
        good = value in meta["choices"]
    elif kind == "str":
        good = isinstance(value, str) and value != ""
    else:
        numbers = (int, float) if kind == "float" else int
        good = all(isinstance(item, numbers) and not isinstance(item, bool) and meta["low"] <= item <= meta["high"]
                   for item in values)
        good = good and isinstance(value, tuple) == kind.startswith("tuple") and len(values) <= MAX_LAYERS
        allowed += f", as a tuple of at most {MAX_LAYERS}" if kind.startswith("tuple") else ""
    if not good:
        raise ConfigError(field.name, allowed, value)


@dataclass(frozen=True)
class DataConfig(_Section):
    """Which samples. Synthetic sources use all fields; a stored set uses only the sample counts."""

    dataset: str = _setting("hypercube", "Data set", "Where the samples come from.", files=("lpc_core.data", "SOURCE"))
    classes: int = _setting(4, "Classes", "Number of classes of a synthetic data set.", low=2, high=100)
    samples: int = _setting(10_000, "Training samples",
        "Training samples, all classes together (a stratified subset of stored sets).",
        low=2, high=1_000_000, unit="samples")
    test_samples: int = _setting(2_000, "Held-out samples",
        "Held-out samples, all classes together.", low=2, high=1_000_000, unit="samples")
    noise: float = _setting(0.8, "Noise", "Standard deviation of the noise on synthetic samples.", low=0.0, high=10.0)
    dim: int = _setting(20, "Input dimensions",
        "Input dimension of the hypercube data set.", low=1, high=1_000, unit="dimensions")
    augment: str = _setting("none", "Changes to pictures",
        "Random changes to training pictures: flip-crop flips them left to right, shifts them by up to 4 pixels "
        "and adds a little noise; alternate-flip flips each in every other epoch and shifts by up to 2.",
        choices=("none", "flip-crop", "alternate-flip"))


@dataclass(frozen=True)
class ModelConfig(_Section):
    """Backbone → penultimate layer with ``latent_dim`` nodes → linear head."""

    model: str = _setting("auto", "Backbone",
        "Backbone; auto is a convnet for colour images and an MLP for the rest.",
        choices=("auto",), files=("lpc_core.models", "BACKBONE"))
    hidden: tuple[int, ...] = _setting((32, 32), "Widths of the layers",
        "Widths of an MLP's hidden layers, or of a fastnet's blocks.", low=1, high=8_192)
    depth: int = _setting(2, "Convolutions per block",
        "Convolutions in each of a fastnet's blocks.", low=1, high=4, unit="convolutions")
    width: int = _setting(16, "Channels", "Channels of the convnet's first stage.", low=4, high=256, unit="channels")
    activation: str = _setting("silu", "Activation", "Non-linearity.", choices=("silu", "relu", "gelu", "tanh"))
    penultimate: str = _setting("linear", "Penultimate layer",
        "The layer the penalty acts on: linear (LPC), nonlinear, or none.", choices=("linear", "nonlinear", "none"))
    latent_dim: int = _setting(2, "Latent nodes", "Nodes of the penultimate layer.", low=1, high=2_048,
        unit="nodes")
    dropout: float = _setting(0.0, "Dropout", "Share of backbone features dropped while training.", low=0.0, high=0.95)


def resolve(config: ModelConfig, shape: tuple[int, ...]) -> str:
    """The name of the backbone for inputs of ``shape``; "auto" is a convnet for colour pictures (C, H, W), else mlp."""
    colour_picture = len(shape) == 3 and shape[0] == 3
    return config.model if config.model != "auto" else ("convnet" if colour_picture else "mlp")


@dataclass(frozen=True)
class LossConfig(_Section):
    """A loss on logits or latents + γ‖z‖²."""

    loss: str = _setting("cross-entropy", "Loss",
        "What is made small beside the penalty: cross-entropy (LPC), or a rival from metric learning.",
        files=("lpc_core.losses", "LOSS"))
    margin: float = _setting(0.3, "Margin",
        "By how much the true class must win: radians for ArcFace (the paper: 0.1 → 0.5), a difference of cosines"
        " for CosFace.", low=0.0, high=1.5)
    scale: float = _setting(16.0, "Scale",
        "Factor of the cosines in ArcFace and CosFace (the paper: 16 → 64).", low=0.1, high=1_000.0)
    temperature: float = _setting(0.1, "Temperature",
        "Temperature of SupCon; small ones look at the nearest samples only.", low=1e-3, high=100.0)
    convention: str = _setting("sum", "‖z‖² over the nodes",
        "γ‖z‖² summed over nodes (the paper's equation) or averaged over them (the authors' code, d times weaker "
        "at the same γ).", choices=("sum", "mean"))
    label_smoothing: float = _setting(0.0, "Label smoothing",
        "Share of the target spread evenly over all classes (cross-entropy).", low=0.0, high=0.9)


@dataclass(frozen=True)
class OptimConfig(_Section):
    """How the parameters move. The head has its own, constant learning rate."""

    optimizer: str = _setting("adamw", "Optimiser",
        "Optimiser; codes become binary under Adam, not under SGD. Muon is AdamW but for the backbone's matrices.",
        files=("lpc_core.optimizers", "OPTIMIZER"))
    lr: float = _setting(8e-3, "Learning rate",
        "Learning rate of the backbone and the penultimate layer.", low=1e-7, high=10.0)
    head_lr: float = _setting(1e-2, "Learning rate of the head",
        "Learning rate of the head, constant all along.", low=1e-7, high=10.0)
    lr_schedule: str = _setting("cosine", "Learning rate over the run",
        "How the backbone's learning rate moves over the run; late-cosine is constant for a fifth of it, then a "
        "cosine.", choices=("constant", "cosine", "late-cosine"))
    lr_end: float = _setting(0.02, "Learning rate at the end, as a share",
        "Backbone learning rate at the end of a cosine, as a share of its start.", low=0.0, high=1.0)
    momentum: float = _setting(0.9, "Momentum (β₁ of Adam)", "Momentum of SGD, β1 of Adam.", low=0.0, high=0.999)
    beta2: float = _setting(0.98, "β₂ of Adam", "β2 of Adam.", low=0.0, high=0.99999)
    muon_lr: float = _setting(0.02, "Learning rate of Muon",
        "Learning rate of Muon's matrices and convolutions at the start; it moves as the backbone's does.",
        low=1e-7, high=10.0)
    muon_momentum: float = _setting(0.95, "Momentum of Muon",
        "Momentum of Muon's matrices and convolutions.", low=0.0, high=0.999)
    muon_steps: int = _setting(5, "Iterations of Muon",
        "Newton-Schulz iterations of Muon, which make its directions equally large.", low=1, high=20, unit="iterations")
    weight_decay: float = _setting(1e-4, "Weight decay", "Weight decay (decoupled under AdamW).", low=0.0, high=1.0)


@dataclass(frozen=True)
class ScheduleConfig(_Section):
    """How γ moves while nobody's hand is on it."""

    gamma_schedule: str = _setting("exponential", "Shape of the γ ramp",
        "How γ goes from its start to its end.", choices=("two-regime", "exponential", "linear", "cosine", "constant"))
    gamma_start: float = _setting(1e-3, "γ at the start", "γ at the first step.", low=0.0, high=GAMMA_MAX)
    gamma_switch: float = _setting(1e3, "γ where the ramp slows",
        "γ where the two-regime ramp turns slower (×2 → ×1.25 per period).", low=0.0, high=GAMMA_MAX)
    gamma_end: float = _setting(1e2, "γ at the end",
        "γ at the end of the ramp, held from there on.", low=0.0, high=GAMMA_MAX)
    ramp_steps: int = _setting(5_000, "Steps of the ramp", "Length of the ramp.", low=1, high=10_000_000, unit="steps")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gamma_schedule in ("exponential", "two-regime"):
            for name in ("gamma_start", "gamma_end"):
                if getattr(self, name) <= 0:
                    raise ConfigError(name, f"a number above 0 for the {self.gamma_schedule} schedule",
                                      getattr(self, name))


@dataclass(frozen=True)
class RunConfig(_Section):
    """Everything that defines a run, its seed included. Equal configs give equal runs on one CPU build."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()
    gamma: ScheduleConfig = ScheduleConfig()
    steps: int = _setting(6_000, "Steps", "Length of the run.", low=1, high=10_000_000, unit="steps")
    batch_size: int = _setting(256, "Samples per step", "Samples per step.", low=1, high=65_536, unit="samples")
    seed: int = _setting(0, "Seed",
        "Seed of the data, the initial weights and the order of samples.", low=0, high=MAX_SEED)


SECTIONS = {"data": DataConfig, "model": ModelConfig, "loss": LossConfig, "optim": OptimConfig, "gamma": ScheduleConfig}


def fields() -> dict[str, dataclasses.Field[Any]]:
    """Every setting of a run by its flat name, in the order a form shows them."""
    nested = [field for section in SECTIONS.values() for field in dataclasses.fields(section)]
    own = [field for field in dataclasses.fields(RunConfig) if field.metadata]
    return {field.name: field for field in nested + own}


def flatten(config: RunConfig) -> dict[str, Any]:
    """The run as a flat mapping; `unflatten` is its inverse."""
    flat = {name: value for section in SECTIONS for name, value in vars(getattr(config, section)).items()}
    return flat | {name: value for name, value in vars(config).items() if name not in SECTIONS}


def unflatten(flat: dict[str, Any], base: RunConfig | None = None) -> RunConfig:
    """``base`` (default: the defaults) with the named settings replaced. Unknown names raise `ConfigError`."""
    base = base or RunConfig()
    known = fields()
    for name, value in flat.items():
        if name not in known:
            raise ConfigError(name, "a known setting (" + ", ".join(known) + ")", value)
    changed: dict[str, Any] = {name: value for name, value in flat.items() if name in vars(base)}
    for section in SECTIONS:
        old = getattr(base, section)
        changed[section] = dataclasses.replace(old, **{name: flat[name] for name in vars(old) if name in flat})
    return dataclasses.replace(base, **changed)


def restored(flat: object) -> RunConfig:
    """The inverse of `flatten` behind JSON, which has no tuples; `ConfigError` for whatever else ``flat`` may be."""
    if not isinstance(flat, dict):
        raise ConfigError("settings", "the settings of a run by name", flat)
    try:
        return unflatten({name: tuple(value) if isinstance(value, list) else value for name, value in flat.items()})
    except (TypeError, OverflowError) as error:  # of values that no setting can have
        raise ConfigError("settings", f"values that a setting can have ({error})", flat) from None
