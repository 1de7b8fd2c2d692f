"""Processes that tests start are forked from one that has torch in it: importing it takes most of the time of each.

What asks for ``python -m`` one of `MODULES` with `subprocess` gets such a child, whose status, signals and pipes are
those of any child, and so does `multiprocessing`; a process that reads a file is forked from one with little more in it
than NumPy. So are the processes that `pytest-xdist` has run the tests. Within ``starting()``, for the wheel, and where
there is no Linux, it is started as always.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import json
import multiprocessing.util
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.settings import ONE_THREAD

ROOT = Path(__file__).parents[1]
READER = "lpc_core/checkpoint/_child.py"  # a program, not a module
MODULES = ("app.training.worker", "app.desks.inspecting", "app.offline.page", "app.looks.film_export", "lpc_core",
           "app.cli", "app", READER)
WORKER = "-u"  # how execnet starts a process that runs tests: ``python -u -c``
READ = ("lpc_core.checkpoint._read", "lpc_core.checkpoint._lock")
IMPORTED = ("app.training.worker", "app.desks.file_routes", "lpc_core.engine.trainer", "lpc_core.experiments",
            "sklearn.datasets", "streamlit", "uvicorn", "anyio._backends._asyncio", "typer.rich_utils", "torch._dynamo",
            "tests.app.live._fake")  # `app.server` reads its settings at once
ADOPTS = 36  # PR_SET_CHILD_SUBREAPER: whose grandchildren become its children when their parent ends
_fork_exec = getattr(subprocess, "_fork_exec", None)
_spawn = multiprocessing.util.spawnv_passfds
_lock = threading.Lock()
_lines: dict[tuple[str, bool], socket.socket] = {}  # to the process that forks, by folder and whether it has READ


@pytest.fixture(scope="session", autouse=True)
def forked() -> Iterator[None]:
    """For a ``conftest.py``: processes of the tests beside it are forked."""
    with forking(ROOT, MODULES):
        yield


@pytest.fixture(autouse=True)
def started() -> Iterator[None]:
    """For a module of tests: its processes are started as always."""
    with starting():
        yield


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """In here, processes are started as always again."""
    with pytest.MonkeyPatch.context() as patch:
        if _fork_exec is not None:
            patch.setattr(subprocess, "_fork_exec", _fork_exec)
        patch.setattr(multiprocessing.util, "spawnv_passfds", _spawn)
        yield


@contextlib.contextmanager
def forking(root: Path, modules: Sequence[str]) -> Iterator[None]:
    """In here, processes of the code in ``root`` are forked that run one of ``modules``."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "linux":
            _fork(root, modules, patch)
        yield


def _fork(root: Path, modules: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subprocess, "_fork_exec", functools.partial(_start, root, modules))
    patch.setattr(multiprocessing.util, "spawnv_passfds", functools.partial(_start_one_of_many, root, modules))


def _start(root: Path, modules: Sequence[str], args: list, *rest: object) -> int:
    """As ``_posixsubprocess.fork_exec``; an order that a fork cannot obey to the letter is done as always."""
    (_, _, kept, cwd, env, stdin, _, _, stdout, _, stderr, _, _, _, session, group, gid, gids, uid, umask,
     before, *_) = rest
    words = [os.fsdecode(word) for word in args]
    plain = (group, gid, gids, uid, umask, before) == (-1, None, None, None, -1, None) and len(kept) <= 1
    name = _named(words, root) if words[0] == sys.executable and len(words) > 2 else ""
    if not plain or name not in modules:
        return _fork_exec(args, *rest)
    given = dict(os.fsdecode(pair).split("=", 1) for pair in env) if env is not None else dict(os.environ)
    here = Path(cwd or os.getcwd()) == root or str(root) in given.get("PYTHONPATH", "").split(os.pathsep)
    if name != READER and not here:
        return _fork_exec(args, *rest)  # the code of another folder
    order = {"argv": words[1:], "cwd": os.fsdecode(cwd or os.getcwd()), "env": given, "session": bool(session),
             "root": str(root), "modules": modules}
    files = {own: own if given == -1 else given for own, given in enumerate((stdin, stdout, stderr))}
    return _ask((str(root), name == READER), order, files)


def _start_one_of_many(root: Path, modules: Sequence[str], path: str, args: list, kept: Sequence[int]) -> int:
    """As ``multiprocessing.util.spawnv_passfds``; what watches over shared memory is started as always."""
    words = [os.fsdecode(word) for word in args]
    if words[-1] != "--multiprocessing-fork":
        return _spawn(path, args, kept)
    order = {"argv": words[words.index("-c"):], "cwd": os.getcwd(), "env": dict(os.environ), "session": False,
             "root": str(root), "modules": modules}
    return _ask((str(root), False), order, {number: number for number in (0, 1, 2, *map(int, kept))})


def _ask(key: tuple[str, bool], order: dict, files: dict[int, int]) -> int:
    """The number of the process that ``order`` describes, with these files by the numbers that it has for them."""
    with _lock:
        _adopt(True)
        try:
            line = _lines.get(key) or _new_parent(*key)
            socket.send_fds(line, [json.dumps(order | {"files": [*files]}).encode()], [*files.values()])
            return int(line.recv(32))
        finally:
            _adopt(False)


def _named(words: list[str], root: Path) -> str:
    """The module or isolated program that a command line runs, "-c" for code in it, "" for anything else."""
    return {"-c": "-c", WORKER: WORKER, "-m": words[2], "-I": words[2].removeprefix(f"{root}/")}.get(words[1], "")


def _adopt(whether: bool) -> None:
    ctypes.CDLL(None).prctl(ADOPTS, int(whether), 0, 0, 0)


def _new_parent(root: str, reads: bool) -> socket.socket:
    """The line to a new process that forks, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = os.environ | ONE_THREAD | {"PYTHONPATH": root}
    code = f"from tests.forks import *; serve({theirs.fileno()}, {'READ' if reads else 'IMPORTED'})"
    with theirs, starting():
        process = subprocess.Popen([sys.executable, "-c", code], env=env, pass_fds=[theirs.fileno()], cwd=root)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    _lines[root, reads] = ours
    return ours


# ---- in the process that forks -----------------------------------------------------------------------------------


def serve(number: int, modules: Sequence[str]) -> None:
    """Import ``modules``, which takes long, then fork a child for each order on the socket ``number``."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as in tests, which find them imported
        for name in modules:
            importlib.import_module(name)
    if modules is IMPORTED:
        from app.looks.bundling import plotly_gzipped

        plotly_gzipped()  # every lab does at its start, each time the same
    for end in weakref.finalize._registry:
        end.atexit = False  # torch's libraries would take leave of each child, for longer than many of them live
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1
    _serve(socket.socket(fileno=number))


def _serve(line: socket.socket) -> None:
    while True:
        data, files, _, _ = socket.recv_fds(line, 1_000_000, 16)
        if not data:
            return
        heard, says = os.pipe()
        between = os.fork()
        if not between:
            _leave_behind(json.loads(data), files, says, line)
        for file in (*files, says):
            os.close(file)
        os.waitpid(between, 0)
        with open(heard, "rb") as told:
            line.send(told.read())


def _leave_behind(order: dict, files: list[int], says: int, line: socket.socket) -> None:
    """Fork once more and end, so that whoever adopts is the parent of the child, which begins only then."""
    begins, begin = os.pipe()
    if os.fork():
        os._exit(0)
    os.close(begin)
    line.close()
    os.read(begins, 1)  # its end: the process between is gone
    os.close(begins)
    if order["session"]:
        os.setsid()
    above = max(order["files"]) + 1
    says, *files = (_higher(file, above) for file in (says, *files))  # before one of them is in another's place
    for own, file in zip(order["files"], files, strict=True):
        os.dup2(file, own)
        os.close(file)
    os.write(says, str(os.getpid()).encode())
    os.close(says)
    _be(order)


def _higher(file: int, above: int) -> int:
    """The file under a number that no order asks for."""
    import fcntl  # which Windows has not

    moved = fcntl.fcntl(file, fcntl.F_DUPFD, above)
    os.close(file)
    return moved


def _be(order: dict) -> None:
    """The process that was asked for, to its end."""
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    tempfile.tempdir = None
    how, name, *arguments = order["argv"]
    if how == WORKER:  # its tests say which of their processes are forked
        _have_forks(order["root"])
        how, name, *arguments = name, *arguments
    sys.argv = [how if how == "-c" else name, *arguments]
    if how != "-I":
        sys.path[0] = order["cwd"]
    if name in ("app", "lpc_core") or how in order["modules"]:  # which start processes too
        _have_forks(order["root"])
        _fork(Path(order["root"]), order["modules"], pytest.MonkeyPatch())
    warnings.filterwarnings("ignore", "'.*' found in sys.modules", RuntimeWarning)
    code: object = 0
    try:
        if how == "-c":
            exec(compile(name, "<string>", "exec"), {"__name__": "__main__"})
        elif how == "-I":
            runpy.run_path(name, run_name="__main__")
        else:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            sys.stderr.write(f"{code}\n")
            code = 1
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # as the interpreter does
        sys.excepthook(*sys.exc_info())
        code = 1
    with contextlib.suppress(Exception):
        threading._shutdown()
        atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(int(code or 0))


def _have_forks(root: str) -> None:
    """Leave a process behind that forks for this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not os.fork():
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for own in range(3):
            os.dup2(nothing, own)
        _serve(theirs)
        os._exit(0)
    theirs.close()
    _lines[root, False] = ours
