"""Private folders: a killed server's are removed, by its workers or the next server; nobody else's ever are."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.sync.client import connect

from app.live import rooms
from tests.app.test_server import address, children, get, start
from tests.patience import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[2]
HOLD = "import sys; from app.live import rooms; print(rooms.folder('desk'), flush=True); sys.stdin.read()"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def server(place):
    """Another process with a folder that it holds."""
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True, env=os.environ | {"TMPDIR": str(place)}) as process:
        process.room = Path(process.stdout.readline().strip())
        yield process
        process.kill()


@contextlib.contextmanager
def running(tmp, *options):
    """A server, which does not outlive the test whatever happens, and its address."""
    with start(tmp, *options) as process:
        try:
            yield process, address(process)
        finally:
            process.kill()


@contextlib.contextmanager
def visit_inspect(at):
    """What a browser says first on the inspection page."""
    said = BackMsg()
    said.rerun_script.page_name = "inspect"
    with connect(at.replace("http", "ws") + "/_stcore/stream", origin=at, max_size=None) as page:
        page.send(said.SerializeToString())
        yield


def stop(pid):
    """Return when every thread of ``pid`` stands: the signal reaches one, and the others go on until that has it."""

    def stands():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended while it was looked at
            return all((task / "stat").read_text().rpartition(")")[2].split()[0] in "TZ" for task in tasks.iterdir())

    tasks = Path(f"/proc/{pid}/task")
    os.kill(pid, signal.SIGSTOP)
    until(stands)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("with_its_workers", [False, True])
def test_a_servers_uploads_do_not_outlive_a_sigkill(tmp_path, with_its_workers):
    with running(tmp_path) as (process, at), visit_inspect(at):
        until(lambda: get(at + "/lab/health")[0] == 200)  # its workers are there
        until(lambda: list(tmp_path.glob("lpc-desk-*")))
        upload = next(tmp_path.glob("lpc-desk-*")) / "upload-1.npz"
        upload.write_bytes(b"somebody's file")
        if with_its_workers:
            stop(process.pid)
            for pid in (helpers := children(process.pid)):
                stop(pid)
        process.kill()
        process.wait()
    if not with_its_workers:
        until(lambda: not list(tmp_path.glob("lpc-*")))
        return
    for pid in helpers:
        os.kill(pid, signal.SIGKILL)
    assert upload.exists()
    with running(tmp_path) as (process, at):
        until(lambda: get(at + "/lab/health")[0] == 200)
        assert not upload.parent.exists()
        assert len(list(tmp_path.glob("lpc-*"))) == 2  # its own
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert list(tmp_path.glob("lpc-*")) == []


def test_a_living_servers_folder_stays(server, place):
    rooms.sweep()
    rooms.clear(server.room, 0.1)
    assert server.room.is_dir()
    server.kill()
    server.wait()
    rooms.sweep()
    assert list(place.iterdir()) == []


def test_states_of_runs_wait_for_a_while_and_nothing_else_does(server, place):
    lab = server.room.with_name(server.room.name.replace("-desk-", "-lab-"))
    lab.mkdir(mode=0o700)
    for name in ("a.safetensors", ".a.safetensors.x.7.new", "node.7.serving"):
        (lab / name).write_bytes(b"x")
    server.kill()
    server.wait()
    rooms.clear(server.room, 600.0)
    assert [path.name for path in place.glob("lpc-*/*")] == ["a.safetensors"]
    rooms.sweep(600.0)
    assert (lab / "a.safetensors").exists()
    (mine := place / "mine").mkdir(mode=0o700)
    (place / "lpc-lab-open").mkdir()
    (place / "lpc-lab-open" / "b.safetensors").write_bytes(b"x")
    assert not rooms.claim("b", mine)  # somebody else's, or not private
    alive = next(place.glob("lpc-alive-*"))
    os.utime(alive, (alive.stat().st_mtime - 601,) * 2)
    rooms.sweep(600.0)
    assert not lab.exists()
    assert not alive.exists()


def test_clearing_waits_for_a_server_that_is_about_to_end(server, place):
    server.terminate()
    rooms.clear(server.room, 30)
    assert list(place.iterdir()) == []


def test_links_are_neither_followed_nor_taken_for_folders(server, place, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "precious").write_text("mine")
    (server.room / "link").symlink_to(outside)
    prefix = server.room.name.rpartition("-")[0]
    (place / f"{prefix}-link").symlink_to(outside)
    server.kill()
    server.wait()
    rooms.sweep()
    assert (outside / "precious").read_text() == "mine"
    assert not server.room.exists()
    assert (place / f"{prefix}-link").is_symlink()


def test_folders_of_others_and_those_nothing_is_known_of_stay(server, place, monkeypatch):
    prefix = server.room.name.rpartition("-")[0]
    kept = [place / f"{prefix}-open", place / "lpc-desk-old", place / f"lpc-desk-{'0' * 16}-x", place / "lpc-other"]
    for path in kept:
        path.mkdir(mode=0o700)
    kept[0].chmod(0o755)
    (place / f"{prefix}-file").write_text("no folder")
    server.kill()
    server.wait()
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    rooms.sweep()
    assert server.room.exists()
    monkeypatch.setattr(os, "getuid", lambda: mine)
    rooms.sweep()
    assert not server.room.exists()
    assert all(path.is_dir() for path in kept)
    assert (place / f"{prefix}-file").exists()


def test_a_lock_that_is_a_link_is_not_opened(place):
    room = place / f"lpc-desk-{'a' * 16}-x"
    room.mkdir(mode=0o700)
    (place / f"lpc-alive-{'a' * 16}").symlink_to(place / "target")
    (place / "target").touch()
    rooms.sweep()
    assert room.exists()
