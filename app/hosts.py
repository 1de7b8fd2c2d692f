"""Hosts: by which names the server may be called, so that no other site's name can be turned on it (DNS rebinding).

Loopback names always; whoever comes from the network also by an address or by this machine's own names, which nobody
else can have; any other name by the setting ``LPC_ALLOWED_HOSTS``. What trusted proxies say of the name has been put in
its place before (`app.proxies`).
"""

from __future__ import annotations

import functools
import re
import socket
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.reach import ip_of, is_loopback
from app.settings import ANY_HOST, Settings

_NAME = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
_HOST = re.compile(rf"({_NAME})(?::[0-9]{{1,5}})?")
_ORIGIN = re.compile(rf"null|[A-Za-z][A-Za-z0-9+.-]*://{_NAME}(?::[0-9]{{1,5}})?")


def name_of(host: str | None) -> str | None:
    """The name in a Host header, in small letters and without its port; None for what is no such header."""
    found = _HOST.fullmatch(host or "")
    name = found[1].lower().removesuffix(".") if found else None
    return None if name is None or (name.startswith("[") and ip_of(name) is None) else name


def split_origin(origin: str) -> SplitResult | None:
    """The parts of an Origin header; None for what is none."""
    try:
        return urlsplit(origin) if _ORIGIN.fullmatch(origin) else None
    except ValueError:  # brackets around what is no address
        return None


def allowed(name: str, local: str, settings: Settings) -> bool:
    """Whether a connection that came to the address ``local`` may call the server ``name``."""
    if name in settings.allowed_hosts or ANY_HOST in settings.allowed_hosts or is_loopback(name):
        return True
    if ip_of(local) is None or is_loopback(local):
        return False
    return ip_of(name) is not None or name in _own_names()


@functools.cache
def _own_names() -> frozenset[str]:
    short = socket.gethostname().lower()
    return frozenset((short, f"{short.partition('.')[0]}.local", socket.getfqdn().lower()))


class KnownHosts:
    """Refuses whoever calls the server by a name that is not `allowed`, and headers that are malformed."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        refused = _refusal(scope, self._settings) if scope["type"] in ("http", "websocket") else None
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await refuse(refused, scope, receive, send)


async def refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Give ``answer`` to a request, or to a WebSocket that is not open yet (where the server can: else HTTP 403)."""
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        await answer(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008})


def _refusal(scope: Scope, settings: Settings) -> PlainTextResponse | None:
    headers = Headers(scope=scope)
    name = name_of(headers.get("host"))
    if name is None or len(headers.getlist("host")) > 1:
        return PlainTextResponse("Expected one Host header with the server's name, got something else.", 400)
    if any(split_origin(origin) is None for origin in headers.getlist("origin")):
        return PlainTextResponse("Expected an Origin like https://lab.example.org, got something else.", 403)
    local = (scope.get("server") or ("", 0))[0]
    if not allowed(name, local, settings):
        return PlainTextResponse("This server is not known by that name; whoever runs it can add the name to "
                                 "LPC_ALLOWED_HOSTS.", 403)
    return None
