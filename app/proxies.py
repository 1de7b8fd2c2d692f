"""Proxies: what a trusted one says of the page's real address, and the path below which the lab is served.

Only a connection from an address in ``LPC_TRUSTED_PROXIES`` is believed: its ``Forwarded`` header (RFC 7239), or else
its ``X-Forwarded-…`` ones, replace the client, the scheme and the Host of a request before anything else sees them.
``LPC_PREFIX`` is a path that a proxy leaves in front of ours; ``X-Forwarded-Prefix`` one that it has taken away.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.reach import ip_of
from app.settings import ANY_HOST, PREFIX, Settings

_PORTS = {"http": "80", "https": "443"}
_SOCKET_SCHEMES = {"http": "ws", "https": "wss"}
_PAIR = re.compile(r'\s*([A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*')


@dataclass(frozen=True)
class Told:
    """What a proxy says of a request; empty where it says nothing."""

    client: str = ""
    scheme: str = ""
    host: str = ""  # with its port, where that is not the scheme's own
    prefix: str = ""


def trusted(address: str, settings: Settings) -> bool:
    """Whether who connects from ``address`` is a proxy of ours."""
    if ANY_HOST in settings.trusted_proxies:
        return True
    given = ip_of(address)  # None of a unix socket's empty one
    return given is not None and any(given in ipaddress.ip_network(network, strict=False)
                                     for network in settings.trusted_proxies)


def told(headers: Headers, settings: Settings) -> Told:
    """What the nearest trusted proxies say: from the right, until one was called by somebody who is none of them."""
    hops = list(_forwarded(headers)) or list(_x_forwarded(headers))
    outermost = Told()
    for hop in reversed(hops):
        outermost = hop
        if not trusted(hop.client, settings):
            break
    prefix = headers.get("x-forwarded-prefix", "").strip().rstrip("/")
    return Told(outermost.client, outermost.scheme if outermost.scheme in _PORTS else "", outermost.host,
                prefix if PREFIX.fullmatch(prefix) else "")


def _forwarded(headers: Headers) -> Iterator[Told]:
    for hop in _split(",".join(headers.getlist("forwarded")), ","):
        found = filter(None, map(_PAIR.fullmatch, _split(hop, ";")))
        pairs = {pair[1].lower(): _unquoted(pair[2]) for pair in found}
        if pairs:
            yield Told(_address(pairs.get("for", "")), pairs.get("proto", "").lower(), pairs.get("host", ""))


def _x_forwarded(headers: Headers) -> Iterator[Told]:
    """One for each client that is named; of a list of another length the last word, the nearest proxy's, is for all."""
    clients, *lists = ([part.strip() for part in ",".join(headers.getlist(f"x-forwarded-{name}")).split(",")]
                       for name in ("for", "proto", "host", "port"))
    for i, client in enumerate(clients):
        scheme, host, port = (values[i if len(values) == len(clients) else -1] for values in lists)
        yield Told(_address(client), scheme.lower(), _with_port(host, port, scheme.lower()))


def _split(text: str, at: str) -> list[str]:
    """The parts of ``text`` between ``at``, which may also stand inside quotes."""
    return [part for part in re.findall(rf'(?:"(?:[^"\\]|\\.)*"|[^{at}"])+', text) if part.strip()]


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _address(text: str) -> str:
    """An address without brackets and port."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::\d+)?", text)
    return bracketed[1] if bracketed else text.partition(":")[0] if text.count(":") == 1 else text


def _with_port(host: str, port: str, scheme: str) -> str:
    named = ":" in host.rpartition("]")[2]
    return host if not host or not port or named or port == _PORTS.get(scheme) else f"{host}:{port}"


class Proxied:
    """Puts right what stands in a request behind proxies, and the addresses in the answers to it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        found = Told()
        if trusted((scope.get("client") or ("", 0))[0], self._settings):
            found = told(Headers(scope=scope), self._settings)
            scope = _as_told(scope, found)
        prefix = self._settings.prefix.rstrip("/")
        if prefix and scope["path"] == prefix and scope["type"] == "http":
            query = scope.get("query_string", b"").decode("latin-1")
            await RedirectResponse(f"{prefix}/" + (f"?{query}" if query else ""))(scope, receive, send)
            return
        carried = bool(prefix) and scope["path"].startswith(f"{prefix}/")
        home = prefix if carried else found.prefix
        scope = _below(scope, prefix) if carried else scope

        async def send_home(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "location" in headers:
                    headers["location"] = _home(headers["location"], home, Headers(scope=scope).get("host", ""))
            await send(message)

        await self._app(scope, receive, send_home if home else send)


def _as_told(scope: Scope, found: Told) -> Scope:
    headers = list(scope["headers"])
    if found.host:
        headers = [(n, v) for n, v in headers if n != b"host"] + [(b"host", found.host.encode("latin-1", "replace"))]
    spoken = _SOCKET_SCHEMES.get(found.scheme) if scope["type"] == "websocket" else found.scheme
    scheme = {"scheme": spoken} if spoken else {}
    client = {"client": (found.client, 0)} if found.client else {}
    return {**scope, "headers": headers, **scheme, **client}


def _below(scope: Scope, prefix: str) -> Scope:
    """The request as if ``prefix`` were not in front of its path."""
    raw = scope.get("raw_path") or scope["path"].encode()
    mine = prefix.encode()
    path = scope["path"][len(prefix):]
    return {**scope, "path": path, "raw_path": raw[len(mine):] if raw.startswith(mine) else raw}


def _home(location: str, prefix: str, host: str) -> str:
    """Where a redirect to ``location``, a path of ours or an address with our ``host``, leads below ``prefix``."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return location
    ours = parts.path.startswith("/") and parts.netloc in ("", host)
    return parts._replace(path=prefix + parts.path).geturl() if ours else location
