"""Socket: the WebSocket a page's live view talks through. Checks who is asking; passes messages in and frames out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.hosts import name_of, split_origin
from app.live.frames import encode, encode_notice
from app.live.hub import Hub, current
from app.live.messages import CONTROL, Control, Hello, Message, MessageError, Ping, read
from app.live.outbox import Hangup, Outbox
from app.settings import Settings

HELLO_S = 5.0
LAST_WORD_S = 1.0  # how long the goodbye of a page may take that was already found gone
CLOSE_TOKEN = 4401
GOODBYES = (1000, 1001)  # a page that was left or closed; any other code, or none, is a line that broke
PONG = encode("pong", {}, ())  # to each ping: a page that hears nothing knows that its line is dead
Hear = Callable[[str], Message]  # takes in what a page says, and returns it as it was understood
_PORTS = {"http": 80, "https": 443}


class Meter:
    """Lets ``rate`` messages per second through, and a second's worth at once."""

    def __init__(self, rate: float) -> None:
        self._rate, self._tokens, self._at = rate, rate, time.monotonic()
        self._flooded = False

    def admit(self) -> bool:
        """Whether this message may pass; `MessageError` for the first of a flood, whose rest is dropped in silence."""
        now = time.monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            self._flooded = self._flooded and self._tokens < self._rate / 2
            return True
        if not self._flooded:
            self._flooded = True
            raise MessageError(f"More than {self._rate:g} messages a second; the rest is dropped.")
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
    if not await accepted(socket, hub.settings):
        return
    outbox = Outbox(asyncio.get_running_loop())
    hello = await hello_of(socket)
    session = None if hello is None else hub.connect(hello.token, outbox, hello.before)
    if session is None:
        await hang_up(socket, Hangup(CLOSE_TOKEN, "expected a hello with this run's token; reload the page"))
        return
    code = None
    try:
        code = await converse(socket, outbox, hub.settings.messages_per_s, lambda text: _hear(hub, session, text))
    finally:
        hub.disconnect(session, outbox, lost=code not in GOODBYES)


def _hear(hub: Hub, session: str, text: str) -> Control:
    message = control_in(text)
    hub.say(session, message)
    return message


async def accepted(socket: WebSocket, settings: Settings) -> bool:
    """Accept the connection if one of our own pages asks for it; else the browser gets HTTP 403."""
    allowed = origin_allowed(socket.headers.get("origin"), socket.headers.get("host"), settings)
    await (socket.accept() if allowed else socket.close())
    return allowed


async def hello_of(socket: WebSocket) -> Hello | None:
    """The hello that comes first, or None."""
    with contextlib.suppress(MessageError, TimeoutError, WebSocketDisconnect):
        message = read(CONTROL, await first_word(socket))
        return message if isinstance(message, Hello) else None
    return None


async def first_word(socket: WebSocket) -> str:
    """The text that comes first; `TimeoutError` if none does."""
    async with asyncio.timeout(HELLO_S):
        return await _text(socket)


async def converse(socket: WebSocket, outbox: Outbox, rate: float, hear: Hear) -> int | None:
    """Both directions at once, until one ends; the code that the page closed with, if it did.

    ``hear`` gets what comes, at most ``rate`` texts a second; it raises `MessageError` for what it does not understand.
    """
    sending = asyncio.create_task(_send(socket, outbox))
    listening = asyncio.create_task(_listen(socket, outbox, rate, hear))
    try:
        await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and sending.result():
            await asyncio.wait((listening,), timeout=LAST_WORD_S)
        return listening.result() if listening.done() else None
    finally:
        for task in (sending, listening):
            task.cancel()
        await asyncio.gather(sending, listening, return_exceptions=True)


async def _send(socket: WebSocket, outbox: Outbox) -> bool:
    """Send what comes until the line ends: whether the page ended it, whose last word is then still to be heard."""
    try:
        while True:
            for raw in await outbox.take():
                await socket.send_bytes(raw)
    except Hangup as hangup:
        await hang_up(socket, hangup)
        return False
    except (WebSocketDisconnect, RuntimeError):  # Starlette says RuntimeError to a second send
        return True


async def _listen(socket: WebSocket, outbox: Outbox, rate: float, hear: Hear) -> int:
    """Take what the page says; returns the code it closes with."""
    meter = Meter(rate)
    while True:
        try:
            text = await _text(socket)
            if meter.admit() and isinstance(hear(text), Ping):
                outbox.put("pong", PONG)
        except MessageError as problem:
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


def control_in(text: str) -> Control:
    """What a page says to its run once it has said hello."""
    message = read(CONTROL, text)
    if isinstance(message, Hello):
        raise MessageError("expected one hello on a connection, got another")
    return message


async def hang_up(socket: WebSocket, hangup: Hangup) -> None:
    """Close the connection, if it still is one."""
    if socket.application_state != WebSocketState.DISCONNECTED:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(hangup.code, hangup.reason)
