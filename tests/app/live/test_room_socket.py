"""A room over real WebSockets: a leader, who follows, the very frames; refusals, floods, and lines that end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect, WebSocketState
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.live.frames import decode
from app.live.hub import Hub
from app.room import register, socket
from app.settings import Settings
from tests.app.live._page import Page
from tests.app.live._served import closing_code, served
from tests.app.live.test_hub import config
from tests.patience import PATIENCE_S, looks

WHERE = {"page": "play", "lesson": "", "index": 0}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Hub, int]]:
    routes = [WebSocketRoute("/room", socket.words), WebSocketRoute("/frames", socket.frames)]
    with served(Settings(spare=False, heartbeat_s=600.0, silent_s=600.0), routes) as (hub, port):
        register.install(register.Register(hub))
        yield hub, port
        register.install(None)


class Line:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def say(self, **message: object) -> None:
        self.socket.send(json.dumps(message))

    def next(self, kind: str, fits: Any = lambda info: True) -> dict[str, Any]:
        for _ in looks(PATIENCE_S, lambda _: None):
            seen, info, _ = decode(self.socket.recv(timeout=PATIENCE_S))
            if seen == kind and fits(info):
                return info
        raise AssertionError(f"no such {kind}")

    def end(self) -> int:
        return closing_code(self.socket)


@pytest.fixture
def dial(server: tuple[Hub, int]) -> Iterator[Callable[..., Line]]:
    """``dial(path, first word)`` gives a line; all end with the test."""
    with contextlib.ExitStack() as lines:
        def made(path: str, **first: object) -> Line:
            url = f"localhost:{server[1]}"
            line = Line(lines.enter_context(connect(f"ws://{url}/{path}", origin=f"http://{url}")))
            line.say(**first)
            return line

        yield made


def test_a_room_from_its_opening_to_its_end(server, dial):
    hub, _ = server
    run = hub.open(config(steps=1_000_000))
    page = Page(hub, run)
    page.wait("frame")  # before it, its own setup may come twice
    setups = len(page.of("setup"))
    leader = dial("room", type="open", run=run.token, tab="a", where=WHERE)
    code = leader.next("room")["code"]

    one = dial("room", type="join", code=code, tab="b")
    assert one.next("room")["where"] == WHERE
    frames = dial("frames", type="hello", token=code.lower())
    setup = frames.next("setup")
    assert frames.next("frame")["run"] == setup["run"] == page.wait("setup")["run"]
    assert len(page.of("setup")) == setups  # the page whose run it is was not disturbed
    frames.say(type="pause")  # whoever watches has no say
    step = frames.next("frame")["step"]
    frames.next("frame", lambda info: info["step"] > step + 100)

    one.say(type="name", name="<b>Ada</b>\n")
    leader.next("room", lambda info: info["members"] and info["members"][0]["name"] == "<b>Ada</b>")
    leader.say(type="halt", halted=True)
    one.next("room", lambda info: info["halted"])
    frames.next("frame", lambda info: info["state"] == "paused")
    late = dial("frames", type="hello", token=code)
    late.next("setup")
    late.next("frame", lambda info: info["state"] == "paused")

    for line in (leader, one, frames):  # who hears nothing after a ping knows that the line is dead
        line.say(type="ping")
        line.next("pong")

    for _ in range(300):
        one.say(type="name", name="x")
    assert "messages a second" in one.next("notice")["text"]
    one.say(type="halt", halted=False)
    leader.say(type="end")
    assert "ended this room" in one.next("room", lambda info: "over" in info)["over"]
    assert [line.end() for line in (leader, one, frames, late)] == [4401] * 4
    hub.close(run.id)


def test_pictures_are_made_once_for_all_who_watch(server, dial):
    hub, _ = server
    run = hub.open(config("pictures"))
    page = Page(hub, run)
    code = dial("room", type="open", run=run.token, tab="a", where=WHERE).next("room")["code"]
    watching = [dial("frames", type="hello", token=code) for _ in range(2)]
    for line in watching:
        line.next("setup")
        line.say(type="thumbs")
        line.next("thumbs")
    assert len(page.of("thumbs")) == 1
    hub.close(run.id)


@pytest.mark.parametrize(("first", "text"), [
    ({"type": "join", "code": "BCDF", "tab": "a"}, "There is no room by this code"),
    ({"type": "lead", "code": "BCDF", "secret": "x", "tab": "a"}, "This room is over. Open a new one"),
    ({"type": "open", "run": "x", "tab": "a", "where": WHERE}, "Expected the run of a page that is open"),
    ({"type": "join", "code": "B" * 1_000, "tab": "a"}, "should have at most 128 characters"),
    ({"type": "open", "run": "x", "tab": "a", "where": {"page": "<b>"}}, "page"),
    ({"type": "open", "run": "x", "tab": "a", "where": {"page": "learn", "lesson": "forces", "index": 50}},
     "expected a step from 0 to 2, got 50"),
    ({"type": "ping"}, "does not match any of the expected tags")])
def test_who_cannot_come_in_is_told_why(dial, first, text):
    line = dial("room", **first)
    assert text in line.next("room")["refused"]
    assert line.end() == 4401


def test_who_is_gone_before_a_refusal_is_no_flaw(server):
    class Gone:
        headers, application_state = {"origin": "http://a", "host": "a"}, WebSocketState.CONNECTED

        async def accept(self) -> None:
            pass

        async def receive(self) -> dict[str, str]:
            return {"type": "websocket.receive", "text": "?"}

        async def send_bytes(self, raw: bytes) -> None:
            raise WebSocketDisconnect(1006)

        async def close(self, code: int, reason: str) -> None:
            raise RuntimeError("it is closed")

    asyncio.run(socket.words(Gone()))


def test_frames_are_for_who_knows_the_code_and_nothing_is_for_other_sites(server, dial):
    assert dial("frames", type="hello", token="BCDF").end() == 4401
    for path in ("room", "frames"):
        url = f"ws://localhost:{server[1]}/{path}"
        with pytest.raises(InvalidStatus) as refused, connect(url, origin="http://evil.example"):
            pass
        assert refused.value.response.status_code == 403
