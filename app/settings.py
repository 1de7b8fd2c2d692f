"""Settings of the server, from environment variables ``LPC_…`` (the command line sets the same ones)."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

ANY_HOST = "*"

# Small matrices on busy cores are many times slower when a BLAS splits them over threads.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

PREFIX = re.compile(r"(?:/[A-Za-z0-9._~@%+-]+)*/?")  # of paths
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
_USER = re.compile(r"[^@\s]*@[^@\s]+")
_FRAME = re.compile(r"https?://(?:\*\.)?[a-z0-9._-]+(?::(?:[0-9]{1,5}|\*))?|self")


class SettingsError(ValueError):
    """A setting that is not allowed; the message names its variable, what is expected and what was found."""


def _number(default: float, low: float, high: float) -> Any:
    """A setting from ``low`` to ``high``, both included."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Settings:
    """What whoever runs the server may choose. Field ``max_sessions`` is the variable ``LPC_MAX_SESSIONS`` etc.; one
    that ends in s is in seconds, one in mb in megabytes.
    """

    workers: int = _number(1, 1, 64)  # training processes; about one per CPU core, one per GPU
    spare: bool = True  # keep one more training process started, for when one ends (about 0.3 GB of memory)
    on: str = "processes"  # where they run: processes (this machine), ray (one begun here), or ray:HOST:PORT
    device: str = "auto"  # auto, cpu, cuda or cuda:N
    max_sessions: int = _number(64, 1, 10_000)  # runs at the same time, all readers together
    max_rooms: int = _number(20, 1, 1_000)  # rooms at the same time
    room_members: int = _number(200, 1, 1_000)  # members that a room may have
    room_idle_s: float = _number(300.0, 1, 86_400)  # after which a room whose leader is away is over
    own_processes: int = _number(2, 0, 64)  # heavy runs at the same time, each in a training process of its own
    run_memory_mb: int = _number(0, 0, 10_000_000)  # of one run or film, by estimate; 0: a quarter of the machine's
    memory_mb: int = _number(0, 0, 10_000_000)  # of all of them together; 0: 60 % of the machine's
    worker_silent_s: float = _number(20.0, 0.5, 86_400)  # after which a training process without a sign of life goes
    allowed_origins: tuple[str, ...] = ()  # other origins of pages: https://a.org,https://b.org
    allow_missing_origin: bool = False  # accept connections that name no origin (programs, not browsers)
    allowed_hosts: tuple[str, ...] = ()  # further host names of the server: lab.example.org,lab (* for any)
    # where one logs in, whom the server knows, by address or its domain: a@example.org,@example.edu; empty: everybody
    allowed_users: tuple[str, ...] = ()
    # addresses or networks whose Forwarded and X-Forwarded headers are believed: 127.0.0.1,10.0.0.0/8 (* for any)
    trusted_proxies: tuple[str, ...] = ()
    prefix: str = ""  # path that a proxy leaves in front of the lab's own: /courses/lab
    # origins whose pages may show the lab in a frame: https://moodle.example.org (self for the lab's own)
    frame_ancestors: tuple[str, ...] = ()
    heartbeat_s: float = _number(10.0, 0.2, 86_400)  # after which a page that was closed loses its run
    # after which a silent page or one whose line broke loses its run (hidden tabs speak once a minute, tablets sleep)
    silent_s: float = _number(150.0, 0.2, 86_400)
    # that states of runs (nothing that readers hand in) wait for a new server; 0: they are deleted with this one
    keep_s: float = _number(600.0, 0, 86_400)
    connect_s: float = _number(60.0, 0.2, 86_400)  # that a new run waits for its page
    upload_mb: int = _number(500, 1, 16_384)  # of an uploaded file
    unpacked_mb: int = _number(768, 1, 1_048_576)  # of the arrays in an uploaded file, unpacked
    inspect_samples: int = _number(2_000_000, 1, 1_000_000_000)  # samples that an uploaded file may hold
    job_memory_mb: int = _number(4_096, 64, 16_777_216)  # of memory, for a job (a film, a study, a file being read)
    job_files_mb: int = _number(4_096, 1, 16_777_216)  # of files that a page's jobs may keep
    job_s: float = _number(1_800.0, 1, 604_800)  # that a film or a study may take
    inspect_s: float = _number(300.0, 1, 604_800)  # that the reading and measuring of a file may take
    store: str = "lpc-store"  # folder of the runs that the page Reproduce shows and adds to
    messages_per_s: float = _number(200.0, 1, 100_000)  # messages a page may send per second

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.metadata and not field.metadata["low"] <= value <= field.metadata["high"]:
                raise _wrong(field.name, "a number from {low:g} to {high:g}".format_map(field.metadata), value)
        for name, (fits, expected) in _FORMS.items():
            given = getattr(self, name)
            for text in (given,) if isinstance(given, str) else given:
                if not _fits(fits, text):
                    raise _wrong(name, expected, text)


def _wrong(name: str, expected: str, got: object) -> SettingsError:
    return SettingsError(f"LPC_{name.upper()}: expected {expected}, got {got!r}")


def _fits(test: Callable[[str], object], text: str) -> bool:
    try:
        return bool(test(text))
    except ValueError:  # no network, or brackets around what is no address
        return False


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not (parts.path or parts.query)


_FORMS: dict[str, tuple[Callable[[str], object], str]] = {  # what each of its texts must be, as a test and in words
    "allowed_origins": (_is_origin, "origins like https://lab.example.org"),
    "allowed_hosts": (lambda host: host == ANY_HOST or _HOST.fullmatch(host),
                      "names like lab.example.org, in small letters and without a port"),
    "allowed_users": (_USER.fullmatch, "addresses or domains like a@example.org,@example.edu"),
    "trusted_proxies": (lambda network: network == ANY_HOST or ipaddress.ip_network(network, strict=False),
                        "addresses or networks like 10.0.0.0/8"),
    "prefix": (PREFIX.fullmatch, "a path like /courses/lab"),
    "frame_ancestors": (_FRAME.fullmatch, "origins like https://moodle.example.org")}


def from_env(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings that ``env`` gives; raises `SettingsError` for one it cannot use."""
    given = {field.name: env.get(f"LPC_{field.name.upper()}") for field in dataclasses.fields(Settings)}
    return Settings(**{name: _parse(name, text.strip()) for name, text in given.items() if text and text.strip()})


def _parse(name: str, text: str) -> Any:
    default = getattr(Settings, name)
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        if isinstance(default, tuple):
            return tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
        return type(default)(text)
    except (ValueError, KeyError):
        kind = {bool: "yes or no", int: "a whole number", float: "a number"}[type(default)]
        raise _wrong(name, kind, text) from None
