"""Reach: which names are addresses, the one by which others in the room open a page, and what keeps them from it."""

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
    if not is_loopback(parts.hostname or ""):
        return address, ""
    own, port = own_address(), parts.port or (443 if parts.scheme == "https" else 80)
    if own is None or not answers(own, port):
        return address, _(ALONE)
    return parts._replace(netloc=f"{own}:{port}").geturl(), ""


def ip_of(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that ``name`` is, IPv4 where it is one inside IPv6; None for any other name."""
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(name: str) -> bool:
    """Whether a machine calls itself by ``name``."""
    address = ip_of(name)
    return name == "localhost" if address is None else address.is_loopback


@functools.cache
def own_address() -> str | None:
    """The machine's address in its network, None without one. (To connect a datagram socket sends nothing.)"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # of a range that is nobody's: only the way there is looked up
        address = probe.getsockname()[0]
        return None if is_loopback(address) else str(address)
    return None


@functools.cache
def answers(host: str, port: int) -> bool:
    """Whether something on this machine answers there, once and for all."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.5):
        return True
    return False
