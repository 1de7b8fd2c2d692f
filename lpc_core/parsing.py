"""Values from outside (URLs, JSON, forms, command lines) into a `RunConfig`, by pydantic, one field at a time."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lpc_core.choices import allowed, check_name
from lpc_core.config import ConfigError, RunConfig, fields, flatten, unflatten
from lpc_core.presets import default_run, device_note, named_presets
from lpc_core.registry import pick

MAX_TEXT = 200  # longest value worth reading; anything longer is no value of ours


def parse_value(name: str, given: object) -> Any:
    """The typed value of setting ``name`` from text or a JSON value; `ConfigError` if it is not allowed."""
    known = fields()
    if name not in known:
        raise ConfigError(name[:MAX_TEXT], "a known setting (" + ", ".join(known) + ")", str(given)[:MAX_TEXT])
    if isinstance(given, str) and len(given) > MAX_TEXT:
        raise ConfigError(name, allowed(name), given[:20] + "…")
    kind = str(known[name].type)
    try:
        value = _adapter(kind).validate_python(_split(given) if kind.startswith("tuple") else given)
    except ValidationError:
        raise ConfigError(name, allowed(name), given) from None
    check_name(name, value)
    return value


def parse_preset(given: object, device: str | None = None) -> RunConfig:
    """The run of the named preset ``given``; `ConfigError` lists the names if there is none of that name."""
    return pick("preset", named_presets(device), str(given)[:MAX_TEXT]).run


def parse_settings(text: str) -> dict[str, Any]:
    """The settings in a line like ``optimizer=sgd lr=0.05``; the first that is not allowed raises `ConfigError`."""
    if len(text) > 10 * MAX_TEXT:
        raise ConfigError("settings", f"at most {10 * MAX_TEXT:,} characters", text)
    given: dict[str, Any] = {}
    for part in text.replace(";", " ").split():
        name, sign, value = part.partition("=")
        if not sign:
            raise ConfigError("settings", "name=value pairs with spaces between them", part[:MAX_TEXT])
        given[name] = parse_value(name, value)
    return given


def format_settings(settings: Mapping[str, object]) -> str:
    """The line that `parse_settings` reads back."""
    return " ".join(f"{name}={format_value(value)}" for name, value in settings.items())


def format_value(value: object) -> str:
    """The text `parse_value` reads back as ``value``: 32-32 for widths, the shortest exact form for numbers."""
    if isinstance(value, tuple):
        return "-".join(str(item) for item in value) or "none"
    return repr(value) if isinstance(value, float) else str(value)


def to_texts(config: RunConfig) -> dict[str, str]:
    """The whole run as texts, as a URL carries it."""
    return {name: format_value(value) for name, value in flatten(config).items()}


def short_texts(config: RunConfig) -> dict[str, str]:
    """As few texts as `parse_run` needs to give ``config`` back, whatever the device: what its data set's starting run
    has differently, on a CPU or on a GPU.
    """
    texts, dataset = to_texts(config), config.data.dataset
    bases = [to_texts(default_run(dataset, device)) for device in ("cpu", "cuda")]
    return {name: text for name, text in texts.items()
            if name == "dataset" or any(base[name] != text for base in bases)}


def parse_run(given: Mapping[str, object], device: str | None = None) -> RunConfig:
    """The run that ``given`` names over its data set's starting run, or over the named preset that its key ``preset``
    asks for; the first bad value raises `ConfigError`. ``device`` as in `lpc_core.presets.default_run`.
    """
    config, problems = parse_run_leniently(given, device)
    if problems:
        raise problems[0]
    return config


def parse_run_leniently(given: Mapping[str, object],
                        device: str | None = None) -> tuple[RunConfig, list[ConfigError]]:
    """The same, but a bad value falls back to its default, for that field alone; the second item says which and why."""
    problems: list[ConfigError] = []
    values: dict[str, Any] = {}
    preset: RunConfig | None = None
    for name, text in given.items():
        try:
            if name == "preset":
                preset = parse_preset(text, device)
            else:
                values[name] = parse_value(name, text)
        except ConfigError as error:
            problems.append(error)
    base = preset or default_run(values.get("dataset", RunConfig().data.dataset), device)
    while True:  # values that are fine alone may clash: drop the one named until the rest agree
        try:
            return unflatten(values, base), problems
        except ConfigError as error:
            problems.append(error)
            if error.field not in values:
                return base, problems
            del values[error.field]


def to_short_texts(run: RunConfig, base: RunConfig | None = None) -> dict[str, str]:
    """The data set and what else differs from its starting run: `parse_run_leniently` reads it as the same run. With
    ``base``, which the reader knows, what differs from that.

    All of it for a data set whose starting run depends on the device, since whoever reads may have another one.
    """
    texts = to_texts(run)
    if device_note(run):
        return texts
    usual = to_texts(base or default_run(run.data.dataset))
    return {name: text for name, text in texts.items()
            if text != usual[name] or (name == "dataset" and base is None)}


@functools.cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter({"int": int, "float": float, "str": str, "tuple[int, ...]": tuple[int, ...]}[kind])


def _split(given: object) -> object:
    if not isinstance(given, str):
        return given
    return () if given == "none" else tuple(part.strip() for part in given.replace(",", "-").split("-"))


def settings_table() -> list[tuple[str, str, str, str]]:
    """Every setting as (name, default, what is allowed, help)."""
    defaults = flatten(RunConfig())
    return [(name, format_value(defaults[name]), allowed(name), field.metadata["help"])
            for name, field in fields().items()]
