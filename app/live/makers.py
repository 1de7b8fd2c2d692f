"""Makers of workers by name: local processes, or a Ray cluster's when one machine is not enough (`Settings.on`)."""

from __future__ import annotations

import itertools

from app.live.clusters import RayWorker
from app.live.processes import LocalWorker, MakeWorker
from app.settings import Settings
from lpc_core.config import ConfigError
from lpc_core.ray_cluster import join, ray_at, share_of_gpu

PROCESSES, RAY = "processes", "ray"


def check(on: str) -> None:
    """Refuse in words (`ConfigError`) what is no place for workers, and a cluster that cannot be had."""
    kind, _, address = on.partition(":")
    if on == PROCESSES:
        return
    if kind != RAY or (":" in on and not address):
        raise ConfigError("on", "processes, ray or ray:HOST:PORT", on)
    ray_at(address)


def maker(settings: Settings) -> MakeWorker:
    """What makes the workers of a server with these ``settings``."""
    numbers = itertools.count()
    if settings.on == PROCESSES:
        return lambda folder: LocalWorker(folder, device=settings.device, number=next(numbers),
                                          keep_s=settings.keep_s)
    check(settings.on)
    address = settings.on.partition(":")[2]
    ray = ray_at(address)
    join(ray, address)
    return lambda folder: RayWorker(ray, folder, settings.device, share_of_gpu(ray, settings.device))
