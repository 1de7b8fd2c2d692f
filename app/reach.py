"""Reach: the address of a page as others in the room can open it, and what keeps them from it."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import socket
from urllib.parse import urlsplit

from app.words import N_, _

ALONE = N_("Only this machine can open this address. Start the lab with --host 0.0.0.0, and others in the same network "
           "can, too.")


def reachable(address: str) -> tuple[str, str]:
    """``address`` with this machine's own address in the network instead of a loopback name, if the server answers
    there; and what to know about it, "" if nothing.
    """
    parts = urlsplit(address)
    if not _is_loopback(parts.hostname or ""):
        return address, ""
    own, port = own_address(), parts.port or (443 if parts.scheme == "https" else 80)
    if own is None or not answers(own, port):
        return address, _(ALONE)
    return parts._replace(netloc=f"{own}:{port}").geturl(), ""


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


@functools.cache
def own_address() -> str | None:
    """The machine's address in its network, None without one. (To connect a datagram socket sends nothing.)"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # of a range that is nobody's: only the way there is looked up
        address = probe.getsockname()[0]
        return None if _is_loopback(address) else str(address)
    return None


@functools.cache
def answers(host: str, port: int) -> bool:
    """Whether something on this machine answers there, once and for all."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.5):
        return True
    return False
