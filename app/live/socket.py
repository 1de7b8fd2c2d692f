"""Socket: the WebSocket a page's live view talks through. Checks who is asking; passes messages in and frames out."""

from __future__ import annotations

import asyncio
import contextlib
import time

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.hosts import name_of, split_origin
from app.live.frames import encode_notice
from app.live.hub import Hub, current
from app.live.messages import Control, Hello, MessageError, parse
from app.live.outbox import Hangup, Outbox
from app.settings import Settings

HELLO_S = 5.0
CLOSE_TOKEN = 4401
GOODBYES = (1000, 1001)  # a page that was left or closed; any other code, or none, is a line that broke
_PORTS = {"http": 80, "https": 443}


class Flood(Exception):
    """More messages than are allowed; raised once per flood, then they are dropped in silence."""


class Meter:
    """Lets ``rate`` messages per second through, and a second's worth at once."""

    def __init__(self, rate: float) -> None:
        self._rate, self._tokens, self._at = rate, rate, time.monotonic()
        self._flooded = False

    def admit(self) -> bool:
        """Whether this message may pass; the first that may not raises `Flood`."""
        now = time.monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            self._flooded = self._flooded and self._tokens < self._rate / 2
            return True
        if not self._flooded:
            self._flooded = True
            raise Flood(f"More than {self._rate:g} messages a second; the rest is dropped.")
        return False


def origin_allowed(origin: str | None, host: str | None, settings: Settings) -> bool:
    """Whether a page of ``origin`` may talk to the server it called ``host``: the same one, or one that is named."""
    if origin is None:
        return settings.allow_missing_origin
    if origin in settings.allowed_origins:
        return True
    parts = split_origin(origin)
    if parts is None or parts.scheme not in _PORTS or name_of(host) is None or host is None:
        return False
    return _with_port(parts.netloc, parts.scheme) == _with_port(host, parts.scheme)


def _with_port(place: str, scheme: str) -> str:
    place = place.lower()
    named = ":" in place.rpartition("]")[2]  # [::1]:8501 as well as localhost:8501
    return place if named else f"{place}:{_PORTS[scheme]}"


async def live(socket: WebSocket) -> None:
    """The endpoint: Origin, then the token, then frames until someone hangs up."""
    hub = current()
    if not origin_allowed(socket.headers.get("origin"), socket.headers.get("host"), hub.settings):
        await socket.close()  # before accepting: the browser gets HTTP 403
        return
    await socket.accept()
    outbox = Outbox(asyncio.get_running_loop())
    session = await _greet(socket, hub, outbox)
    if session is None:
        await _hang_up(socket, Hangup(CLOSE_TOKEN, "expected a hello with this run's token; reload the page"))
        return
    code = None
    try:
        code = await _converse(socket, hub, session, outbox)
    finally:
        hub.disconnect(session, outbox, lost=code not in GOODBYES)


async def _greet(socket: WebSocket, hub: Hub, outbox: Outbox) -> str | None:
    """The session that the first message's token opens, or None."""
    with contextlib.suppress(MessageError, TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(HELLO_S):
            message = parse(await _text(socket))
        if isinstance(message, Hello):
            return hub.connect(message.token, outbox)
    return None


async def _converse(socket: WebSocket, hub: Hub, session: str, outbox: Outbox) -> int | None:
    """Both directions at once, until one ends; the code that the page closed with, if it did."""
    tasks = [asyncio.create_task(_send(socket, outbox)), asyncio.create_task(_listen(socket, hub, session, outbox))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next((task.result() for task in done), None)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(socket: WebSocket, outbox: Outbox) -> None:
    try:
        while True:
            for raw in await outbox.take():
                await socket.send_bytes(raw)
    except Hangup as hangup:
        await _hang_up(socket, hangup)
    except (WebSocketDisconnect, RuntimeError):  # the page has gone; Starlette says RuntimeError to a second send
        pass


async def _listen(socket: WebSocket, hub: Hub, session: str, outbox: Outbox) -> int:
    """Take what the page says; returns the code it closes with."""
    meter = Meter(hub.settings.messages_per_s)
    while True:
        try:
            text = await _text(socket)
            if meter.admit():
                hub.say(session, _control(text))
        except (MessageError, Flood) as problem:
            outbox.put("notice-warning", encode_notice("warning", str(problem), state=""))
        except WebSocketDisconnect as end:
            return end.code


async def _text(socket: WebSocket) -> str:
    """The next text message; `MessageError` for a binary one."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    if not isinstance(text, str):
        raise MessageError("expected a text message, got a binary one")
    return text


def _control(text: str) -> Control:
    message = parse(text)
    if isinstance(message, Hello):
        raise MessageError("expected one hello on a connection, got another")
    return message


async def _hang_up(socket: WebSocket, hangup: Hangup) -> None:
    if socket.application_state != WebSocketState.DISCONNECTED:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(hangup.code, hangup.reason)
