"""Open names: the data sets, backbones, losses and optimisers that a setting may name are the files that are there."""

from __future__ import annotations

from lpc_core.config import ConfigError, RunConfig, describe, fields, flatten, restored
from lpc_core.registry import names


def choices(name: str) -> tuple[str, ...]:
    """Every value that setting ``name`` may have; none for a setting that is no choice."""
    meta = fields()[name].metadata
    return (meta["choices"] or ()) + (names(*meta["files"]) if meta["files"] else ())


def allowed(name: str) -> str:
    """What setting ``name`` allows, in words: ``one of adam, adamw, sgd``."""
    return "one of " + ", ".join(choices(name)) if choices(name) else describe(fields()[name])


def check_name(name: str, value: object) -> None:
    """Refuse a ``value`` of setting ``name`` that no file here is called, by `ConfigError`."""
    if fields()[name].metadata["files"] and value not in choices(name):
        raise ConfigError(name, allowed(name), value)


def check_names(run: RunConfig) -> None:
    """Refuse a run whose data set, backbone, loss or optimiser is not here, by `ConfigError`."""
    for name, value in flatten(run).items():
        check_name(name, value)


def known_run(flat: object) -> RunConfig:
    """The run that JSON made of `flatten`'s settings, all of whose names are here; else `ConfigError`."""
    run = restored(flat)
    check_names(run)
    return run
