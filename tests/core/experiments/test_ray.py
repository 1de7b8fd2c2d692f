"""The runs of a cluster, with Ray played by a stand-in that runs tasks at once: what they are given, how they end."""

import sys
import types

import pytest

from lpc_core.experiments import Store, plan, run_all
from lpc_core.experiments import _ray as ray_file


class Lost(Exception):
    """What Ray says of a task whose node died too often."""


def stand_in(calls, lost=()):
    """A module with the parts of Ray that are used. Tasks named in ``lost`` end with their node."""
    def remote(**options):
        calls.append(options)
        return lambda function: types.SimpleNamespace(remote=lambda *given: (function, given))

    def get(reference):
        function, (run, *rest) = reference
        if run.key in lost:
            raise Lost("The node died.\nmore")
        return function(run, *rest)

    return types.SimpleNamespace(
        init=lambda **given: calls.append(given), shutdown=lambda: calls.append("shutdown"), remote=remote, get=get,
        cluster_resources=lambda: {"GPU": 2.0}, exceptions=types.SimpleNamespace(RayError=Lost),
        wait=lambda pending, timeout: (pending[:1], pending[1:]))


@pytest.fixture
def ray(monkeypatch):
    def install(**more):
        calls = []
        monkeypatch.setitem(sys.modules, "ray", stand_in(calls, **more))
        return calls

    return install


def test_runs_go_to_the_cluster_and_come_back(ray, tmp_path, few):
    calls = ray(lost=("digits/no-pen",))
    ended = {outcome.run.key: outcome for outcome in
              run_all(plan(["digits/lpc", "digits/no-pen"], scale=0.02), tmp_path / "s", on="ray", device="auto")}
    assert ended["digits/lpc"].status == "done"
    assert ended["digits/no-pen"].status == "failed"
    assert "its node was lost 4 times, or it failed there: The node died." in ended["digits/no-pen"].reason
    assert calls[0]["address"] is None
    assert calls[1] == {"num_cpus": 1, "num_gpus": 0.25, "max_retries": 3}
    assert calls[-1] == "shutdown"
    assert [run.planned.key for run in Store(tmp_path / "s").runs()] == ["digits/lpc"]


def test_a_node_without_the_store_says_so(tmp_path):
    status, reason = ray_file._on_a_node(plan(["digits/lpc"])[0], str(tmp_path / "elsewhere"), "cpu")
    assert status == "failed"
    assert "put it on a disk that all nodes share" in reason


def test_a_run_whose_old_process_lingers_is_waited_for(tmp_path, monkeypatch):
    run, store = plan(["digits/lpc"], scale=0.02)[0], Store(tmp_path / "s", create=True)
    held = store.writing(run)
    held.__enter__()
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            held.__exit__(None, None, None)

    monkeypatch.setattr(ray_file.time, "sleep", wait)
    monkeypatch.setattr(ray_file, "done_or_refused", lambda *_: ("done", ""))
    assert ray_file._on_a_node(run, str(tmp_path / "s"), "cpu") == ("done", "")
    assert len(waits) == 3


def test_without_the_package_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"expected the package ray beside it \(pip install 'lpc-lab\[cluster\]'\)"):
        run_all(plan(["digits/lpc"]), tmp_path / "s", on="ray")
