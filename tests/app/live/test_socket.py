"""The WebSocket on a real server in this process, with a real client; the hub has a fake engine."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.live import hub as hubs
from app.live.frames import decode
from app.live.hub import Hub
from app.live.messages import Ping
from app.live.outbox import Outbox
from app.live.socket import converse, live, origin_allowed
from app.settings import Settings
from lpc_core.config import DataConfig, RunConfig
from lpc_core.run_group import alone
from tests.app.live._page import as_one
from tests.app.live._served import closing_code, served
from tests.patience import PATIENCE_S, looks, until

RUN = RunConfig(data=DataConfig(dataset="fake"), steps=1_000_000)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Hub, int]]:
    settings = Settings(spare=False, heartbeat_s=600.0, messages_per_s=40.0, allowed_origins=("https://lab.example.org",))
    with served(settings, [WebSocketRoute("/lab/ws", live)]) as (hub, port):
        yield hub, port


def dial(port: int, **options: Any) -> ClientConnection:
    return connect(f"ws://localhost:{port}/lab/ws", **({"origin": f"http://localhost:{port}"} | options))


class Tab:
    """A browser's side: reads what comes and acknowledges frames."""

    def __init__(self, port: int, token: str) -> None:
        self._line = dial(port)
        self.socket = self._line.__enter__()
        self.say(type="hello", token=token)

    def end(self) -> int:
        return closing_code(self.socket)

    def close(self) -> None:
        self._line.__exit__(None, None, None)

    def say(self, **message: object) -> None:
        self.socket.send(json.dumps(message))

    def next(self, kind: str, ack: bool = True, seconds: float = PATIENCE_S) -> dict[str, Any]:
        for _ in looks(seconds, lambda _: None):
            seen, info, _ = decode(self.socket.recv(timeout=seconds))
            info = as_one(info)
            if seen == "frame" and ack:
                self.say(type="ack", frame=info["frame"])
            if seen == kind:
                return info
        raise AssertionError(f"no {kind} within {seconds} s")


@pytest.fixture
def opened(server: tuple[Hub, int]) -> Iterator[tuple[Hub, int, hubs.SessionHandle]]:
    hub, port = server
    session = hub.open(alone(RUN))
    yield hub, port, session
    hub.close(session.id)


@pytest.mark.parametrize("options", [{"origin": "http://evil.example"}, {"origin": None}, {"origin": "null"},
                                     {"origin": "http://localhost:1"}, {"origin": "https://lab.example.org.evil.org"}])
def test_a_foreign_or_missing_origin_is_refused_before_anything_is_said(server, options):
    with pytest.raises(InvalidStatus) as refused:
        dial(server[1], **options)
    assert refused.value.response.status_code == 403


def test_a_named_origin_may_come_in(opened):
    with dial(opened[1], origin="https://lab.example.org") as socket:
        socket.send(json.dumps({"type": "hello", "token": opened[2].token}))
        assert decode(socket.recv(timeout=PATIENCE_S))[0] in ("setup", "notice")


@pytest.mark.parametrize(("origin", "host", "fine"), [
    ("http://a", "a", True), ("http://a", "a:80", True), ("https://a", "a:443", True),
    ("http://A:8501", "a:8501", True),
    ("http://[::1]:8501", "[::1]:8501", True), ("http://[::1]", "[::1]", True), ("https://a", "a:80", False),
    ("ftp://a", "a", False), ("http://", "", False), ("http://a", None, False), (None, "a", False)])
def test_same_origin_means_same_host_and_port(origin, host, fine):
    assert origin_allowed(origin, host, Settings()) is fine


def test_a_missing_origin_may_be_allowed():
    assert origin_allowed(None, "a", Settings(allow_missing_origin=True))


@pytest.mark.parametrize("first", ['{"type": "hello", "token": "wrong"}', '{"type": "play"}', "?", b"\0", "x" * 9000])
def test_without_the_token_the_line_is_cut(server, first):
    with dial(server[1]) as socket:
        socket.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE_S)
    assert closed.value.rcvd.code == 4401


def test_frames_come_and_bad_messages_only_bring_a_notice(opened):
    tab = Tab(opened[1], opened[2].token)
    tab.next("setup")
    bad = ["{", "x" * 50_000, b"\0" * 10, '{"type": "gamma", "value": -1}', '{"type": "hello", "token": "again"}']
    told = []
    for message in bad:
        tab.socket.send(message)
        told.append(tab.next("notice")["text"])
    wanted = ["Invalid JSON", "at most 4096 bytes, got 50000", "binary", "gamma.value", "one hello"]
    for text, says in zip(told, wanted, strict=True):
        assert says in text
    tab.say(type="gamma", value=2.0, seq=11)
    while tab.next("frame")["gamma_seq"] != 11:
        pass
    tab.close()


def test_a_flood_is_dropped_with_one_notice_and_the_line_lives(opened):
    tab = Tab(opened[1], opened[2].token)
    tab.next("setup")
    for seq in range(400):
        tab.say(type="gamma", value=1.0, seq=seq)
    assert "More than 40 messages a second" in tab.next("notice")["text"]
    time.sleep(1.2)
    for _ in range(3):
        tab.say(type="ack", frame=2**50)
        tab.next("frame")
    tab.close()


def test_a_slow_page_costs_two_frames_and_no_more(opened):
    hub, port, session = opened
    tab = Tab(port, session.token)
    tab.next("setup")
    outbox = hub._sessions[session.id].page
    most = 0
    for _ in range(5):  # acknowledges ten times slower than frames are due
        frame = tab.next("frame", ack=False)
        for _ in range(6):
            time.sleep(0.05)
            most = max(most, sum(map(len, list(outbox._slots.values()))))
        tab.say(type="ack", frame=frame["frame"])
    assert most <= 2 * 4_000
    assert len(outbox._slots) <= 1
    behind = hub._sessions[session.id].frame - frame["frame"]
    assert behind <= 2
    tab.close()


def test_a_reload_goes_on_and_a_second_tab_takes_over(opened):
    hub, port, session = opened
    first = Tab(port, session.token)
    step = first.next("frame")["step"]
    first.close()
    until(lambda: hub._sessions[session.id].page is None)
    second = Tab(port, session.token)
    assert second.next("setup")["run"] == 1
    assert second.next("frame")["step"] >= step
    third = Tab(port, session.token)
    assert second.end() == 4409
    second.close()
    third.next("frame")
    assert hub.alive(session.id)
    third.close()


def test_a_line_that_broke_is_no_closed_tab(opened, monkeypatch):
    hub, port, session = opened
    other = hub.open(alone(RUN))
    broken, left = Tab(port, session.token), Tab(port, other.token)
    for tab in (broken, left):
        tab.next("frame")
    broken.socket.socket.shutdown(socket.SHUT_RDWR)  # no goodbye
    left.close()
    until(lambda: hub._sessions[session.id].page is None)
    monkeypatch.setattr(hub, "settings", dataclasses.replace(hub.settings, heartbeat_s=0.5, silent_s=3_000.0))
    until(lambda: not hub.alive(other.id))
    again = Tab(port, session.token)
    assert again.next("frame")["run"] == 1
    again.close()
    broken.close()


def test_a_tab_closed_just_as_a_frame_is_sent_has_said_goodbye():
    """The frame finds nobody before the goodbye is read."""

    class Closing:
        async def send_bytes(self, raw: bytes) -> None:
            raise WebSocketDisconnect(1006)

        async def receive(self) -> dict[str, Any]:
            await asyncio.sleep(0.02)
            return {"type": "websocket.disconnect", "code": 1001}

    async def code() -> int | None:
        outbox = Outbox(asyncio.get_running_loop())
        outbox.put("frame", b"a frame")
        return await converse(cast("WebSocket", Closing()), outbox, 40.0, lambda _: Ping(type="ping"))

    assert asyncio.run(code()) == 1001


def test_a_closed_tab_ends_the_run_after_the_heartbeat(opened, monkeypatch):
    hub, port, session = opened
    tab = Tab(port, session.token)
    tab.next("frame")
    tab.close()
    monkeypatch.setattr(hub, "settings", dataclasses.replace(hub.settings, heartbeat_s=0.5))
    until(lambda: not hub.alive(session.id))
    late = Tab(port, session.token)
    assert late.end() == 4401
    late.close()
