"""A room of readers: many pages at once on a real server, for minutes, beside the machine's own speed.

``python -m benchmarks.room --sessions 30 --minutes 1 --workers 1`` prints frames and steps per second, how long γ takes
to be answered, memory over time and errors. ``--browsers 2`` puts real Chromium pages among them, on the whole lab. It
talks to nobody but this machine and stops by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from dataclasses import dataclass, field

import torch
from playwright.sync_api import Error
from websockets.exceptions import WebSocketException
from websockets.sync import client

from app.live import hub as hubs
from app.live.frames import decode
from app.settings import Settings
from benchmarks._browser import chromium, free_port
from benchmarks.live import LONG, Server, greeted, memory_mb
from lpc_core.config import unflatten
from lpc_core.engine.trainer import Trainer
from lpc_core.run_group import alone

MOST_SESSIONS, MOST_MINUTES, MOST_WORKERS = 100, 30.0, 16
SETTLE_S = 5.0  # before anything is counted
GAMMA_EVERY_S = 2.0  # between two moves of one page's γ; it waits for the answer to the first
LOOKS = 12  # at the memory
PATIENCE_S = 60.0  # for a frame
BROWSERS, OPEN_S = 4, 40.0  # and until they have opened their pages, beside all others
DRAWN = "() => document.querySelector('[data-testid=lpc-stage]')?.lpcStage?.stats().frameDraws ?? 0"


@dataclass
class Reader:
    """What one page saw while it was counted."""

    frames: int = 0
    steps: int = 0
    waits_ms: list[float] = field(default_factory=list)  # γ sent → first frame trained under it
    errors: list[str] = field(default_factory=list)


def lone_speed(seconds: float = 3.0) -> float:
    """Steps per second of one run in a plain loop, without a server: the machine's own speed."""
    torch.set_num_threads(1)
    run = Trainer(LONG, "cpu")
    run.advance(200)
    step, begun = run.step, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        run.advance(100)
    return (run.step - step) / (time.perf_counter() - begun)


def read(server: Server, seed: int, begin: float, end: float, reader: Reader) -> None:
    """One page: draws what comes, moves γ now and then; counts from ``begin`` to ``end`` (of `time.monotonic`)."""
    try:
        handle = server.hub.open(alone(unflatten({"seed": seed}, LONG)))
        with greeted(server, handle) as socket:
            _watch(socket, begin, end, reader)
        server.hub.close(handle.id)
    except (OSError, RuntimeError, TimeoutError, WebSocketException) as error:
        reader.errors.append(f"{type(error).__name__}: {error}")


def _watch(socket: client.ClientConnection, begin: float, end: float, reader: Reader) -> None:
    sequence, asked, first, last = 0, 0.0, None, None
    next_move = begin
    while (now := time.monotonic()) < end:
        if now >= next_move and not asked:
            sequence, asked = sequence + 1, now
            socket.send(json.dumps({"type": "gamma", "value": 10.0 ** (sequence % 4 - 2), "seq": sequence}))
        kind, info, _ = decode(socket.recv(timeout=PATIENCE_S, decode=False))
        if kind == "notice" and info["level"] != "info":
            reader.errors.append(info["text"])
        if kind != "frame":
            continue
        socket.send(json.dumps({"type": "ack", "frame": info["frame"]}))
        now = time.monotonic()
        if asked and info["gamma_seq"] >= sequence:
            reader.waits_ms.append(1000 * (now - asked))
            asked, next_move = 0.0, now + GAMMA_EVERY_S
        if now >= begin:
            first = info["step"] if first is None else first
            last = info["step"]
            reader.frames += 1
    reader.steps = (last or 0) - (first or 0)


class WholeLab(Server):
    """The lab as a reader gets it, pages and all, in this process."""

    def __enter__(self) -> WholeLab:
        os.environ |= {"LPC_WORKERS": str(self.settings.workers), "LPC_MAX_SESSIONS": str(self.settings.max_sessions)}
        from app.server import app

        self.port = free_port()
        self._serve(app)
        self.hub = hubs.current()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()


def browse(server: Server, begin: float, end: float, reader: Reader) -> None:
    """One page in a real Chromium of its own: what it draws from ``begin`` to ``end``."""
    try:
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.on("pageerror", lambda error: reader.errors.append(str(error)))
            page.goto(f"http://127.0.0.1:{server.port}/play?steps=1000000")
            page.wait_for_function(DRAWN, timeout=1_000 * PATIENCE_S)
            for at in (begin, end):
                page.wait_for_timeout(max(0.0, 1_000 * (at - time.monotonic())))
                reader.frames = page.evaluate(DRAWN) - reader.frames
    except Error as error:
        reader.errors.append(f"browser: {error.message}")


def room(server: Server, sessions: int, seconds: float, browsers: int = 0,
         ) -> tuple[list[Reader], list[Reader], list[float]]:
    """``sessions`` pages and ``browsers`` for ``seconds``: what each saw, and memory, MB, at `LOOKS` moments."""
    readers, seers = [Reader() for _ in range(sessions)], [Reader() for _ in range(browsers)]
    begin = time.monotonic() + (OPEN_S if browsers else SETTLE_S)
    end = begin + seconds
    pages = [threading.Thread(target=read, args=(server, seed, begin, end, reader), daemon=True)
             for seed, reader in enumerate(readers)]
    pages += [threading.Thread(target=browse, args=(server, begin, end, seer), daemon=True) for seer in seers]
    for page in pages:
        page.start()
    memory = []
    for look in range(LOOKS):
        time.sleep(max(0.0, begin + (look + 0.5) * seconds / LOOKS - time.monotonic()))
        memory.append(memory_mb())
    for page in pages:
        page.join(max(0.0, end + 2 * PATIENCE_S - time.monotonic()))
    return readers, seers, memory


def report(readers: list[Reader], seers: list[Reader], memory: list[float], seconds: float, own: float) -> None:
    """Print what was found."""
    frames = sorted(reader.frames / seconds for reader in readers)
    steps = sum(reader.steps for reader in readers) / seconds
    waits = sorted(wait for reader in readers for wait in reader.waits_ms)
    errors = [error for reader in (*readers, *seers) for error in reader.errors]
    print(f"{'the machine: one run alone, without a server':48} {own:9.0f} steps/s")
    print(f"{'frames per second of the slowest (the median)':48} {frames[0]:9.1f} ({statistics.median(frames):.1f})")
    for seer in seers:
        print(f"{'frames per second that a browser drew':48} {seer.frames / seconds:9.1f}")
    print(f"{'steps of all sessions together':48} {steps:9.0f} steps/s, {steps / own:.2f} of one run alone")
    print(f"{'steps of one session, slowest (median)':48} {min(r.steps for r in readers) / seconds:9.1f} "
          f"({statistics.median(r.steps for r in readers) / seconds:.1f}) steps/s")
    for share in (0.5, 0.95) if waits else ():
        print(f"{f'γ sent → first frame under it, p{100 * share:.0f} of {len(waits)}':48} "
              f"{waits[round(share * (len(waits) - 1))]:9.0f} ms")
    print(f"{'memory of the server and this program over time':48} {' '.join(f'{m:.0f}' for m in memory)} MB")
    print(f"{'errors':48} {len(errors):9}" + "".join(f"\n  {error}" for error in sorted(set(errors))[:10]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room", description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=30, help=f"pages at once, at most {MOST_SESSIONS}")
    parser.add_argument("--minutes", type=float, default=1.0, help=f"how long, at most {MOST_MINUTES:g}")
    parser.add_argument("--workers", type=int, default=1, help=f"training processes, at most {MOST_WORKERS}")
    parser.add_argument("--browsers", type=int, default=0, help=f"real Chromium pages among them, at most {BROWSERS}")
    given = parser.parse_args()
    if not 0 <= given.browsers <= BROWSERS:
        parser.error(f"--browsers: expected 0 to {BROWSERS}, got {given.browsers}")
    for name, most in (("sessions", MOST_SESSIONS), ("minutes", MOST_MINUTES), ("workers", MOST_WORKERS)):
        if not 0 < getattr(given, name) <= most:
            parser.error(f"--{name}: expected more than 0 and at most {most:g}, got {getattr(given, name)}")
    own = lone_speed()
    kind = WholeLab if given.browsers else Server
    with kind(Settings(workers=given.workers, max_sessions=given.sessions + given.browsers)) as server:
        readers, seers, memory = room(server, given.sessions, 60 * given.minutes, given.browsers)
    report(readers, seers, memory, 60 * given.minutes, own)


if __name__ == "__main__":
    main()
