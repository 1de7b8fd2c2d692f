"""A hub with a fake engine behind a real server in this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed
from websockets.sync.connection import Connection

from app.live import hub as hubs
from app.live.hub import Hub
from app.live.processes import LocalWorker
from app.settings import Settings
from tests.patience import PATIENCE_S, until


@contextlib.contextmanager
def served(settings: Settings, routes: Sequence[WebSocketRoute]) -> Iterator[tuple[Hub, int]]:
    """The hub, ready to train, and the port that answers ``routes``."""
    hub = Hub(settings, lambda folder: LocalWorker(folder, "tests.app.live._fake:engine"))
    hub.start()
    hubs.install(hub)
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="error",
                                           ws="websockets-sansio"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started and hub.workers_ready == 1)
    yield hub, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(5)
    hubs.install(None)
    hub.stop()


def closing_code(socket: Connection) -> int:
    """The code the server hangs up with."""
    try:
        while True:
            socket.recv(timeout=PATIENCE_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code
