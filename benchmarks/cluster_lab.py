"""A run of the lab trains on a Ray cluster of two nodes here, and the node it is on is killed: does it go on?

    python -m benchmarks.cluster_lab

Needs the extra ``cluster``. A hub as ``lpc serve --on ray:HOST:PORT`` starts it, with the real engine and a page that
takes frames. Prints from which step the run goes on after the loss, and how long its page saw nothing new.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import ray
from ray.cluster_utils import Cluster

from app.live import makers
from app.live.frames import decode
from app.live.hub import Hub
from app.live.messages import Ack
from app.settings import Settings
from lpc_core.config import unflatten
from lpc_core.run_group import alone

SAVED_S = 12.0  # of training before the loss: states are kept every few seconds
PATIENCE_S = 500.0


class Page:
    """Takes every frame and notes when it came, and for which step."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.session = hub, hub.open(alone(unflatten({"steps": 10_000_000})))
        self.frames: list[tuple[float, int]] = []
        self.notices: list[str] = []
        self.news = threading.Condition()
        hub.connect(self.session.token, self)

    def put(self, slot: str, raw: bytes) -> None:
        """From the hub's thread."""
        kind, info, _ = decode(raw)
        with self.news:
            if kind == "frame":
                self.frames.append((time.monotonic(), info["panels"][0]["step"]))
            elif kind == "notice":
                self.notices.append(str(info["state"]))
            self.news.notify_all()
        if kind == "frame":
            self.hub.say(self.session.id, Ack(type="ack", frame=info["frame"]))

    def close(self, code: int, reason: str) -> None:
        """The hub has done with this page."""
        print(f"closed: {code} {reason}")

    def wait(self, met: Callable[[], bool]) -> None:
        """Until something of it is so."""
        with self.news:
            if not self.news.wait_for(met, PATIENCE_S):
                raise SystemExit(f"nothing for {PATIENCE_S:.0f} s; {len(self.frames)} frames, notices: {self.notices}")


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    first = cluster.add_node(num_cpus=1)
    hub = None
    try:
        settings = Settings(on=f"ray:{cluster.address}", device="cpu", spare=False, connect_s=600.0,
                            heartbeat_s=600.0, silent_s=600.0)  # this page does not say that it is there
        hub = Hub(settings, makers.maker(settings))
        begin = time.monotonic()
        hub.start()
        page = Page(hub)
        page.wait(lambda: bool(page.frames))
        print(f"first frame after {page.frames[0][0] - begin:.1f} s")
        begin = time.monotonic()
        page.wait(lambda: time.monotonic() - begin > SAVED_S)
        cluster.add_node(num_cpus=1)  # where it can go on
        begin = time.monotonic()
        cluster.remove_node(first, allow_graceful=False)
        page.wait(lambda: "restarting" in page.notices)
        noticed, seen = time.monotonic(), len(page.frames)
        page.wait(lambda: len(page.frames) > seen)
        print(f"killed; noticed after {noticed - begin:.1f} s, at step {page.frames[seen - 1][1]:,}; goes on from step "
              f"{page.frames[seen][1]:,} after {page.frames[seen][0] - noticed:.1f} s more; notices: {page.notices}")
    finally:
        if hub is not None:
            hub.stop()
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
