"""Ray, where it is installed and its cluster answers: one way in for sweeps and for the lab's training processes."""

from __future__ import annotations

import importlib
import signal
import socket
import threading
from typing import Any

from lpc_core.config import ConfigError

PATIENCE_S = 5.0  # for a cluster's address to answer
GPU_SHARE = 0.25  # of a GPU per run or training process


def ray_at(address: str) -> Any:
    """The package ray; ``address`` is the cluster's HOST:PORT, "" for one on this machine alone.

    `ConfigError` in words where nobody answers there, or Ray is not installed. Nothing is started.
    """
    if address:
        _check_answers(address)
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise ConfigError("on", "the package ray beside it (pip install 'lpc-lab[cluster]'), or processes", "ray") \
            from None


def _check_answers(address: str) -> None:
    """Knock at ``address`` first: Ray itself would wait for minutes."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit() and int(port) < 65_536):
        raise ConfigError("on", "ray:HOST:PORT, such as ray:10.0.0.1:6379", f"ray:{address}")
    try:
        socket.create_connection((host, int(port)), PATIENCE_S).close()
    except OSError as error:
        raise ConfigError("on", f"a Ray cluster that answers (start one with `ray start --head --port {port}`); "
                                f"nobody does there: {error.strerror or error}", f"ray:{address}") from None


def join(ray: Any, address: str) -> None:
    """Be part of the cluster at ``address``, or of one begun on this machine. In the main thread, signals stay ours, or
    where we have no handler go to Ray's in Python, which exits: Ray's core puts one over them that aborts the process,
    and two of its agents outlive that.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(address=address or None, log_to_driver=False, logging_level="error", include_dashboard=False)
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler if callable(handler) else signal.getsignal(number))


def share_of_gpu(ray: Any, device: str) -> float:
    """What each asks for of a GPU, where the cluster has any and they may be used."""
    return GPU_SHARE if device != "cpu" and ray.cluster_resources().get("GPU", 0) else 0.0
