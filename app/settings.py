"""Settings of the server, from environment variables ``LPC_…`` (the command line sets the same ones)."""

from __future__ import annotations

import dataclasses
import ipaddress
import math
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


def _setting(default: Any, help: str, low: float = 0, high: float = 0) -> Any:
    return dataclasses.field(default=default, metadata={"help": help, "low": low, "high": high})


@dataclass(frozen=True)
class Settings:
    """What whoever runs the server may choose. Field ``max_sessions`` is the variable ``LPC_MAX_SESSIONS`` etc."""

    workers: int = _setting(1, "Training processes; about one per CPU core, one per GPU.", 1, 64)
    spare: bool = _setting(True, "Keep one more training process started, for when one ends (about 0.3 GB of memory).")
    on: str = _setting("processes", "Where training processes run: processes (this machine), ray (one begun here), or "
                                    "ray:HOST:PORT.")
    device: str = _setting("auto", "auto, cpu, cuda or cuda:N.")
    max_sessions: int = _setting(64, "Runs at the same time, all readers together.", 1, 10_000)
    max_rooms: int = _setting(20, "Rooms at the same time.", 1, 1_000)
    room_members: int = _setting(200, "Members that a room may have.", 1, 1_000)
    room_idle_s: float = _setting(300.0, "Seconds after which a room whose leader is away is over.", 1, 86_400)
    own_processes: int = _setting(2, "Heavy runs at the same time, each in a training process of its own.", 0, 64)
    run_memory_mb: int = _setting(0, "Megabytes that one run or film may take, by estimate; 0: a quarter of the "
                                     "machine's.", 0, 10_000_000)
    memory_mb: int = _setting(0, "Megabytes that all of them may take together; 0: 60 % of the machine's.",
                              0, 10_000_000)
    worker_silent_s: float = _setting(20.0, "Seconds after which a training process that gives no sign of life is "
                                            "replaced.", 0.5, 86_400)
    allowed_origins: tuple[str, ...] = _setting((), "Other origins of pages: https://a.org,https://b.org")
    allow_missing_origin: bool = _setting(False, "Accept connections that name no origin (programs, not browsers).")
    allowed_hosts: tuple[str, ...] = _setting((), "Further host names of the server: lab.example.org,lab (* for any).")
    allowed_users: tuple[str, ...] = _setting((), "Where one logs in: addresses, or domains of addresses, of whom the "
                                                  "server knows: a@example.org,@example.edu; everybody unless named.")
    trusted_proxies: tuple[str, ...] = _setting((), "Addresses or networks of proxies whose Forwarded and X-Forwarded "
                                                    "headers are believed: 127.0.0.1,10.0.0.0/8 (* for any).")
    prefix: str = _setting("", "Path that a proxy leaves in front of the lab's own: /courses/lab")
    frame_ancestors: tuple[str, ...] = _setting((), "Origins whose pages may show the lab in a frame: "
                                                    "https://moodle.example.org (self for the lab's own).")
    heartbeat_s: float = _setting(10.0, "Seconds after which a page that was closed loses its run.", 0.2, 86_400)
    silent_s: float = _setting(150.0, "Seconds after which a silent page or one whose line broke loses its run (hidden "
                                      "tabs may speak only once a minute, and tablets sleep).", 0.2, 86_400)
    keep_s: float = _setting(600.0, "Seconds that states of runs (nothing that readers hand in) wait for a new server "
                                    "when this one has ended; 0: they are deleted with it.", 0, 86_400)
    connect_s: float = _setting(60.0, "Seconds a new run waits for its page.", 0.2, 86_400)
    upload_mb: int = _setting(500, "Megabytes that an uploaded file may have.", 1, 16_384)
    unpacked_mb: int = _setting(768, "Megabytes that the arrays of an uploaded file may have, unpacked.", 1, 1_048_576)
    inspect_samples: int = _setting(2_000_000, "Samples that an uploaded file may hold.", 1, 1_000_000_000)
    job_memory_mb: int = _setting(4_096, "Megabytes of memory that a job (a film, a study, a file being read) may "
                                         "take.", 64, 16_777_216)
    job_files_mb: int = _setting(4_096, "Megabytes of files that a page's jobs may keep.", 1, 16_777_216)
    job_s: float = _setting(1_800.0, "Seconds that a film or a study may take.", 1, 604_800)
    inspect_s: float = _setting(300.0, "Seconds that the reading and measuring of a file may take.", 1, 604_800)
    store: str = _setting("lpc-store", "Folder of the runs that the page Reproduce shows and adds to.")
    messages_per_s: float = _setting(200.0, "Messages a page may send per second.", 1, 100_000)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        for name, (fits, expected) in _FORMS.items():
            given = getattr(self, name)
            for text in (given,) if isinstance(given, str) else given:
                if not fits(text):
                    raise SettingsError(f"LPC_{name.upper()}: expected {expected}, got {text!r}")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # brackets around what is no address
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not (parts.path or parts.query)


_FORMS: dict[str, tuple[Callable[[str], object], str]] = {  # what each of its texts must be, as a test and in words
    "allowed_origins": (_is_origin, "origins like https://lab.example.org"),
    "allowed_hosts": (lambda host: host == ANY_HOST or _HOST.fullmatch(host),
                      "names like lab.example.org, in small letters and without a port"),
    "allowed_users": (_USER.fullmatch, "addresses or domains like a@example.org,@example.edu"),
    "trusted_proxies": (lambda network: network == ANY_HOST or _is_network(network),
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
        raise SettingsError(f"LPC_{name.upper()}: expected {kind}, got {text!r}") from None


def _check(field: dataclasses.Field[Any], value: Any) -> None:
    low, high = field.metadata["low"], field.metadata["high"]
    if high and not (math.isfinite(value) and low <= value <= high):
        raise SettingsError(f"LPC_{field.name.upper()}: expected a number from {low:g} to {high:g}, got {value!r}")
