"""A led room: one leads, thirty follow, two hundred come in at once; beside the machine's own speed.

``python -m benchmarks.led --followers 30 --seconds 20`` prints how long 200 took to come in, what each who follows
sees, how long the leader's γ takes to reach them, and what they cost the run. It talks to nobody but this machine and
stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from app.live.frames import decode
from app.settings import Settings
from benchmarks.live import LONG, Server
from benchmarks.room import lone_speed
from lpc_core.run_group import alone

MOST_FOLLOWERS, MOST_SECONDS = 200, 600.0
JOINS = 200
PATIENCE_S = 60.0
GAMMA_EVERY_S = 1.0
WHERE = {"page": "play", "lesson": "", "index": 0}


@dataclass
class Seen:
    """What one page saw while it was counted."""

    frames: int = 0
    first: int = 0
    last: int = 0
    answered: dict[int, float] = field(default_factory=dict)  # when the first frame under each γ came

    def take(self, info: dict[str, Any]) -> None:
        """A frame has come."""
        self.first = self.first or info["step"]
        self.frames, self.last = self.frames + 1, info["step"]
        self.answered.setdefault(info["gamma_seq"], time.monotonic())


async def dial(server: Server, path: str, **first: object) -> ClientConnection:
    """A line to the server that has said its first word."""
    origin = Origin(f"http://127.0.0.1:{server.port}")
    line = await connect(f"ws://127.0.0.1:{server.port}/lab/{path}", origin=origin, max_size=None)
    await line.send(json.dumps(first))
    return line


async def hear(line: ClientConnection, kind: str) -> dict[str, Any]:
    """The next of that kind."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            seen, info, _ = decode(await line.recv(decode=False))
            if seen == kind:
                return info


async def come_in(server: Server, code: str) -> tuple[float, list[ClientConnection]]:
    """`JOINS` members at once: the seconds until the last one knows what is shown, and their lines."""
    async def join(number: int) -> ClientConnection:
        line = await dial(server, "room", type="join", code=code, tab=str(number))
        await hear(line, "room")
        return line

    begun = time.monotonic()
    lines = await asyncio.gather(*map(join, range(JOINS)))
    return time.monotonic() - begun, lines


async def look(line: ClientConnection, seconds: float, *, acks: bool) -> Seen:
    """What comes on ``line`` for so long."""
    seen, end = Seen(), time.monotonic() + seconds
    while time.monotonic() < end:
        info = await hear(line, "frame")
        seen.take(info)
        if acks:
            await line.send(json.dumps({"type": "ack", "frame": info["frame"]}))
    return seen


async def move_gamma(line: ClientConnection, seconds: float) -> dict[int, float]:
    """Move γ every second; when each was sent."""
    sent: dict[int, float] = {}
    for number in range(1, max(2, int(seconds / GAMMA_EVERY_S))):
        sent[number] = time.monotonic()
        await line.send(json.dumps({"type": "gamma", "value": 10.0 ** (number % 4 - 2), "seq": number}))
        await asyncio.sleep(GAMMA_EVERY_S)
    return sent


async def lead(server: Server, followers: int, seconds: float) -> None:
    """A leader with and without those who follow."""
    handle = server.hub.open(alone(LONG))
    leader = await dial(server, "ws", type="hello", token=handle.token)
    await leader.send(json.dumps({"type": "speed", "steps_per_second": 0}))
    room = await dial(server, "room", type="open", run=handle.token, tab="leader", where=WHERE)
    code = (await hear(room, "room"))["code"]
    await look(leader, 2.0, acks=True)  # settled
    by_itself = await look(leader, seconds / 2, acks=True)

    took, members = await come_in(server, code)
    print(f"{f'{JOINS} joins at once, until the last is in':48} {took:9.2f} s")
    watching = [await dial(server, "room/frames", type="hello", token=code) for _ in range(followers)]
    hand = asyncio.create_task(move_gamma(leader, seconds - 2))
    own, *seen = await asyncio.gather(look(leader, seconds, acks=True),
                                      *(look(line, seconds, acks=False) for line in watching))
    report(by_itself, own, await hand, seen, seconds)
    for line in (leader, room, *members, *watching):
        await line.close()
    server.hub.close(handle.id)


def report(by_itself: Seen, own: Seen, sent: dict[int, float], seen: list[Seen], seconds: float) -> None:
    """Print what was found."""
    frames = sorted(one.frames / seconds for one in seen)
    waits = sorted(1000 * (one.answered[number] - at) for one in seen for number, at in sent.items()
                   if number in one.answered)
    alone_rate = (by_itself.last - by_itself.first) / (seconds / 2)
    rate = (own.last - own.first) / seconds
    print(f"{'frames per second of the leader':48} {own.frames / seconds:9.1f}")
    print(f"{'of who follows, slowest (median)':48} {frames[0]:9.1f} ({statistics.median(frames):.1f})")
    print(f"{'steps of the led run, nobody following':48} {alone_rate:9.0f} steps/s")
    print(f"{f'the same with {len(seen)} following':48} {rate:9.0f} steps/s, {rate / alone_rate:.2f} of that")
    for share in (0.5, 0.95):
        print(f"{f'γ sent → first frame under it, p{100 * share:.0f} of {len(waits)}':48} "
              f"{waits[round(share * (len(waits) - 1))]:9.0f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.led", description=__doc__.splitlines()[0])
    parser.add_argument("--followers", type=int, default=30, help=f"at most {MOST_FOLLOWERS}")
    parser.add_argument("--seconds", type=float, default=20.0, help=f"at most {MOST_SECONDS:g}")
    given = parser.parse_args()
    for name, most in (("followers", MOST_FOLLOWERS), ("seconds", MOST_SECONDS)):
        if not 0 < getattr(given, name) <= most:
            parser.error(f"--{name}: expected more than 0 and at most {most:g}, got {getattr(given, name)}")
    print(f"{'the machine: one run alone, without a server':48} {lone_speed():9.0f} steps/s")
    with Server(Settings(room_members=JOINS)) as server:
        asyncio.run(lead(server, given.followers, given.seconds))


if __name__ == "__main__":
    main()
