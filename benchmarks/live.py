"""How fast the server side is: frames and steps per second, answer to γ, ten sessions at once, memory per session.

``python -m benchmarks.live`` talks to a real server over its WebSocket; the answer to γ is measured
in headless Chromium.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from websockets.sync import client
from websockets.typing import Origin

from app.live import hub as hubs
from app.live.frames import decode
from app.live.sessions import SessionHandle
from app.live.socket import live
from app.room import register as registers
from app.room.socket import frames, words
from app.settings import Settings
from benchmarks._browser import chromium, free_port, lab
from lpc_core.config import unflatten
from lpc_core.run_group import alone

SECONDS = 8
SESSIONS = 10
LONG = unflatten({"steps": 10_000_000, "ramp_steps": 50_000})


class Server:
    """A hub with its WebSocket and nothing else, so that the numbers are those of the live half."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def __enter__(self) -> Server:
        self.hub = hubs.Hub(self.settings)
        self.hub.start()
        hubs.install(self.hub)
        self.port = free_port()
        registers.install(registers.Register(self.hub))
        routes = [WebSocketRoute("/lab/ws", live), WebSocketRoute("/lab/room", words),
                  WebSocketRoute("/lab/room/frames", frames)]
        self._serve(Starlette(routes=routes))
        return self

    def _serve(self, app: ASGIApp) -> None:
        config = uvicorn.Config(app, port=self.port, log_level="warning", ws="websockets-sansio")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()), daemon=True)
        self.thread.start()
        while not (self.server.started and hubs.current().workers_ready == self.settings.workers):
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        registers.install(None)
        hubs.install(None)
        self.hub.stop()


def watch(server: Server, seconds: float, speed: float, out: list[tuple[float, float]]) -> None:
    """One page that acknowledges every frame at once; appends (frames per second, steps per second)."""
    handle = server.hub.open(alone(LONG))
    with greeted(server, handle) as socket:
        socket.send(json.dumps({"type": "speed", "steps_per_second": speed}))
        _listen(socket, 2.0)  # settled
        out.append(_listen(socket, seconds))
    server.hub.close(handle.id)


@contextlib.contextmanager
def greeted(server: Server, handle: SessionHandle) -> Iterator[client.ClientConnection]:
    """A connection to the server's WebSocket that shows the session ``handle``."""
    origin = Origin(f"http://127.0.0.1:{server.port}")
    with client.connect(f"ws://127.0.0.1:{server.port}/lab/ws", origin=origin, max_size=None) as socket:
        socket.send(json.dumps({"type": "hello", "token": handle.token}))
        yield socket


def _listen(socket: client.ClientConnection, seconds: float) -> tuple[float, float]:
    steps: list[int] = []
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        kind, info, _ = decode(socket.recv(timeout=10, decode=False))
        if kind == "frame":
            steps.append(info["step"])
            socket.send(json.dumps({"type": "ack", "frame": info["frame"]}))
    took = time.monotonic() - began
    return len(steps) / took, (steps[-1] - steps[0]) / took


def memory_mb() -> float:
    """Proportional memory of this process and all its children, MB (pages they share are counted once)."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        fields = status.read_text().rpartition(")")[2].split()
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    family, queue = [], [os.getpid()]
    while queue:
        family.append(queue.pop())
        queue += children.get(family[-1], [])
    return sum(_pss_kb(pid) for pid in family) / 1024


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except ProcessLookupError:  # it ended just now
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def together(server: Server, count: int, speed: float) -> tuple[list[tuple[float, float]], float]:
    """``count`` pages at once: their rates, and the memory in use while they all run, MB."""
    rates: list[tuple[float, float]] = []
    pages = [threading.Thread(target=watch, args=(server, SECONDS, speed, rates)) for _ in range(count)]
    for page in pages:
        page.start()
    time.sleep(2.0 + SECONDS / 2)
    memory = memory_mb()
    for page in pages:
        page.join()
    return rates, memory


def gamma_latencies(browser: Browser, url: str) -> list[float]:
    """Milliseconds from sending a dragged γ to the first frame trained under it on the screen, many drags."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{url}/play")
    stage = "document.querySelector('[data-testid=lpc-stage]')"
    page.wait_for_function(f"() => {stage}?.lpcStage?.state()?.step > 300", timeout=60_000)
    box = page.locator("[data-testid=lpc-gamma] .lpc-rail").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    for round_ in range(8):
        page.mouse.move(box["x"] + box["width"] * 0.2, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.05 * round_), y, steps=10)
        page.mouse.up()
        page.wait_for_timeout(400)
    latencies: list[float] = page.evaluate(f"() => {stage}.lpcStage.stats().gammaLatenciesMs")
    page.close()
    return latencies


def main() -> None:
    """Measure and print."""
    with Server() as server:
        [(frames, steps)], alone = together(server, 1, speed=0)
        print(f"{'one session, as fast as it goes':44} {frames:7.1f} frames/s {steps:9.0f} steps/s")
        rates, crowd = together(server, SESSIONS, speed=0)
        per_second = sorted(rate[0] for rate in rates)
        median = statistics.median(per_second)
        print(f"{f'{SESSIONS} sessions at once, slowest':44} {per_second[0]:7.1f} frames/s")
        print(f"{f'{SESSIONS} sessions at once, median':44} {median:7.1f} frames/s")
        print(f"{'slowest / median':44} {per_second[0] / median:7.2f}×")
        print(f"{'steps of all sessions together':44} {'':7} {sum(rate[1] for rate in rates):18.0f} steps/s")
        print(f"{'memory per further session':44} {(crowd - alone) / (SESSIONS - 1):7.1f} MB")
    with chromium() as browser, lab() as url:
        latencies = sorted(gamma_latencies(browser, url))
        print(f"{f'γ dragged → frame drawn, median of {len(latencies)}':44} {statistics.median(latencies):7.0f} ms")
        print(f"{'γ dragged → frame drawn, 95th percentile':44} {latencies[int(0.95 * (len(latencies) - 1))]:7.0f} ms")


if __name__ == "__main__":
    main()
