"""Workers on a Ray cluster, with Ray played by a stand-in: runs train there and survive a lost node; refusals."""

import math
import os
import runpy
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

from app.live import clusters, makers, orders
from app.live.clusters import Host, RayWorker
from app.live.hub import Hub
from app.live.processes import LocalWorker
from app.settings import Settings
from app.training import worker
from lpc_core.config import ConfigError, unflatten
from lpc_core.run_group import alone
from tests.app.live._page import Page, until
from tests.patience import PATIENCE_S


class RayError(Exception):
    """What Ray raises of an actor that is gone."""


class GetTimeoutError(RayError):
    """What Ray raises of an answer that does not come."""


def stand_in(log):
    """The parts of Ray that are used: actors are objects here, whose methods run in the thread that waits for them."""
    killed, made = set(), []

    class Actor:
        def __init__(self, host):
            self.host = host
            made.append(self)

        def __getattr__(self, name):
            return types.SimpleNamespace(remote=lambda *given: (self, name, given))

    def get(reference, timeout=None):
        actor, name, given = reference
        if actor in killed:
            raise RayError("The actor died.\nat 0x7f in /home/somebody")
        try:
            return getattr(actor.host, name)(*given)
        except OSError as error:
            raise RayError(str(error)) from None

    def remote(**options):
        log.append(options)
        return lambda kind: types.SimpleNamespace(remote=lambda *given: Actor(kind(*given)))

    return types.SimpleNamespace(
        get=get, remote=remote, kill=killed.add, made=made, init=lambda **given: log.append(given),
        cluster_resources=lambda: {"GPU": 1.0},
        exceptions=types.SimpleNamespace(RayError=RayError, GetTimeoutError=GetTimeoutError))


def test_a_run_trains_on_the_cluster_and_goes_on_when_its_node_is_lost():
    log = []
    ray = stand_in(log)
    hub = Hub(Settings(spare=False, connect_s=600.0, silent_s=600.0),
              lambda folder: RayWorker(ray, folder, "auto", 0.25, "tests.app.live._fake:engine"))
    hub.start()
    try:
        until(lambda: hub.workers_ready == 1)
        page = Page(hub, hub.open(alone(unflatten({"dataset": "fake", "steps": 1_000_000}))))
        page.wait("frame", lambda info: info["step"] > 50)
        lost, seen = ray.made[0], len(page.seen)
        os.kill(lost.host.process.pid, signal.SIGKILL)
        ray.kill(lost)
        page.wait("notice", lambda info: info["state"] == "restarting", since=seen)
        page.wait("frame", lambda info: info["step"] > 50, since=len(page.seen))
        assert len(ray.made) == 2
        assert log[0] == {"num_cpus": 1, "num_gpus": 0.25, "max_concurrency": clusters.AT_ONCE, "max_restarts": 0}
    finally:
        hub.stop()
    assert not any(actor.host.alive() for actor in ray.made)
    close(ray)


def close(ray):
    """What ends with an actor's process."""
    for actor in ray.made:
        actor.host.close()


def test_a_node_without_the_folder_says_what_to_do(tmp_path):
    with pytest.raises(OSError, match="TMPDIR on a disk that all nodes share"):
        Host(str(tmp_path / "elsewhere"), "cpu")


def test_a_worker_whose_relay_is_gone_leaves_the_shared_folder_to_the_others(tmp_path):
    """A process of its own is alone with its folder; on a cluster others still need it."""
    for stays in (True, False):
        folder = tmp_path / str(stays)
        folder.mkdir()
        link = LocalWorker(folder, "tests.app.live._fake:engine", keep_s=math.inf if stays else 0.0)
        link.receive()
        link.process.stdin.close()
        link.process.wait(PATIENCE_S)
        assert folder.exists() is stays
        link.process.stdout.close()


def test_an_actor_that_does_not_answer_yet_is_alive_and_one_that_is_gone_is_not(tmp_path):
    ray = stand_in([])
    link = RayWorker(ray, tmp_path, "cpu", 0.0, "tests.app.live._fake:engine")
    assert link.alive()
    ray.kill(ray.made[0])
    assert not link.alive()
    with pytest.raises(EOFError, match="a worker of the cluster is gone"):
        link.receive()
    with pytest.raises(OSError, match=r"a worker of the cluster is gone: The actor died\.$"):
        link.send(None)
    ray.made[0].host.end(0.0)
    link.end(0.0)

    def slow(reference, timeout=None):
        raise GetTimeoutError

    ray.get = slow
    assert RayWorker(ray, tmp_path, "cpu", 0.0, "tests.app.live._fake:engine").alive()
    ray.made[1].host.end(0.0)
    close(ray)


@pytest.mark.parametrize("on", ["elsewhere", "ray:", "processes:3", ""])
def test_other_places_are_refused(on):
    with pytest.raises(ConfigError, match="on: expected processes, ray or ray:HOST:PORT"):
        makers.check(on)


def test_a_cluster_that_nobody_answers_at_and_a_missing_package_are_said_before_the_server_starts(monkeypatch):
    with pytest.raises(ConfigError, match="nobody does there"):
        makers.check("ray:127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "ray", None)
    told = subprocess.run([sys.executable, "-c", "import sys; sys.modules['ray'] = None; "
                           "from app.__main__ import main; main(['--on', 'ray'])"], capture_output=True,
                          text=True, check=False, cwd=Path(makers.__file__).parents[2])
    assert told.returncode == 2
    assert told.stderr.strip().startswith("on: expected the package ray beside it")


def test_the_setting_makes_workers_of_the_cluster_and_joins_it_once(monkeypatch, tmp_path):
    log = []
    ray = stand_in(log)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(clusters, "ENGINE", "tests.app.live._fake:engine")
    make = makers.maker(Settings(on="ray", device="auto"))
    links = [make(tmp_path), make(tmp_path)]
    assert [entry.get("address", "actor") for entry in log] == [None, "actor", "actor"]
    for link in links:
        link.end(0.0)
    assert not any(link.alive() for link in links)
    close(ray)


def test_the_signals_that_end_the_server_stay_its_own(monkeypatch):
    """Ray's core takes them over and aborts the process, and two of Ray's agents outlive that."""
    ray = stand_in([])
    ray.init = lambda **given: [signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setitem(sys.modules, "ray", ray)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    own = {number: lambda *_: None for number in before}
    try:
        for number, handler in own.items():
            signal.signal(number, handler)
        makers.maker(Settings(on="ray"))
        assert {number: signal.getsignal(number) for number in own} == own
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_worker_is_told_its_number(monkeypatch):
    """By which workers share out the GPUs of a machine."""
    told = []
    monkeypatch.setattr(worker, "main", lambda *given: told.append(given))
    monkeypatch.setattr(sys, "argv", ["worker", "folder", "engine", "cuda", "3", "stays"])
    runpy.run_path(worker.__file__, run_name="__main__")
    assert told == [("folder", "engine", "cuda", "3", "stays")]


def test_with_ray_itself(tmp_path):
    ray = pytest.importorskip("ray", reason="the extra cluster is not installed")
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        link = RayWorker(ray, tmp_path, "cpu", 0.0, "tests.app.live._fake:engine")
        while isinstance(report := link.receive(), orders.Beat):
            pass  # a sign of life while it is being made ready
        assert isinstance(report, orders.Ready)
        link.send(orders.Stop())
        link.end(PATIENCE_S)
        assert not link.alive()
    finally:
        ray.shutdown()
