"""The lock itself: a reader that was taken over can't write, look, call out, start anything or mislead who asked."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lpc_core.checkpoint import Checkpoint, Embeddings, FileRefused, Limits, open_file, open_tree, sandbox
from lpc_core.checkpoint._results import result
from tests.core.checkpoint._files import good_files, model, saved
from tests.forks import started  # noqa: F401
from tests.security import _evil

ROOTS = (Path(__file__).parents[2],)
LIMITS = Limits(tensor_bytes=2**26, memory_bytes=2**30, seconds=20)
ON_LINUX = pytest.mark.skipif(sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
                              reason="the seccomp filter is for Linux on x86-64 and arm64")


def attempt(name, tmp_path, limits=LIMITS):
    """The message of the evil reader after it tried ``name``."""
    (tmp_path / "victim").write_text("here")
    job = {"attempt": name, "canary": str(tmp_path / "canary"), "victim": str(tmp_path / "victim")}
    return sandbox.call("tests.security._evil", b"a file", job, limits, ROOTS)


def outcome(name, tmp_path):
    [text] = attempt(name, tmp_path).facts["entries"]
    assert not (tmp_path / "canary").exists()
    assert (tmp_path / "victim").read_text() == "here"
    return text


@pytest.mark.parametrize("name", ["open for writing", "open for reading", "os.open", "socket", "name look-up",
                                  "subprocess", "os.system", "os.fork", "exec of a text", "eval of a text", "import",
                                  "ctypes.CDLL", "os.listdir", "os.remove"])
def test_python_refuses(name, tmp_path):
    assert re.match(r"PermissionError: [\w.]+ while reading a file$", outcome(name, tmp_path))


@ON_LINUX
@pytest.mark.parametrize("name", ["open for writing", "open for reading", "socket", "fork", "execv", "kill", "ptrace",
                                  "unlink", "executable memory", "a higher limit", "another namespace", "prctl"])
def test_the_kernel_refuses_what_bypasses_python(name, tmp_path):
    assert outcome(f"kernel: {name}", tmp_path) == "EPERM"


@ON_LINUX
@pytest.mark.parametrize("name", ["kill", "executable memory", "prctl"])
def test_without_the_lock_the_kernel_would_not_refuse(name):
    """The attempts above are real. (Those that leave something behind are not made here.)"""
    assert _evil.ATTEMPTS[f"kernel: {name}"]({}).startswith("done: ")


@ON_LINUX
def test_all_locks_hold_here():
    assert set(sandbox.locks()) >= {"memory", "seccomp", "audit"}


def test_the_reading_process_needs_no_torch(tmp_path):
    """It would take ten times as long to start, and there would be much more in it."""
    program = "import sys, lpc_core.checkpoint._read; print('torch' in sys.modules, 'pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOTS[0])
    assert done.stdout == "False False\n"


def test_nothing_of_the_parent_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    names = outcome("environment", tmp_path)
    assert "NUM_THREADS" in names
    assert "SECRET_TOKEN" not in names
    assert "PATH'" not in names.replace("LD_LIBRARY_PATH'", "")
    with open(__file__, "rb") as file:
        os.set_inheritable(file.fileno(), True)
        assert outcome("open files", tmp_path) == "[0, 1, 2, 3]"  # the last is that of the map of the file


@pytest.mark.parametrize(("name", "message"), [
    ("crash", "ended by signal 11"),
    ("exit with a status", "on which it failed .without a word."),
    ("exit without an answer", "expected an answer of the reading process, got none"),
    ("garbage", "expected a safetensors file with its whole header, got a header of"),
    ("another safetensors file", "the reading process's message in JSON"),
    ("endless answer", r"on which it failed \(OSError\)"),
    ("a view beyond its storage", "expected tensors no larger than their bytes in the file"),
    ("a view of no storage", "expected tensors in storages that the file has, got a missing one"),
    ("a view of -1", r"expected sizes, strides and an offset from 0 to 2\^62"),
    ("a storage that is a text", "expected a message of the reading process, got something else"),
    ("a name that is a list", "expected a message of the reading process, got something else"),
    ("sizes that are texts", r"expected sizes, strides and an offset from 0 to 2\^62"),
    ("an unknown type", "expected one of the types float64"),
    ("facts that are missing", r"expected a whole message of the reading process, got one with KeyError"),
    ("class names that are none", "expected a whole message of the reading process, got one with TypeError"),
    ("a film that is none", "expected a whole message of the reading process, got one with KeyError"),
    ("an unknown kind", "expected a message of the reading process, got something else"),
    ("a refusal of escapes", "\ufffd\\[2J\ufffdline"),
])
def test_crashes_and_lies_become_refusals(name, message, tmp_path):
    with pytest.raises(FileRefused, match=message) as refusal:
        result(attempt(name, tmp_path))
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) <= 1_300


@ON_LINUX
def test_memory_is_limited(tmp_path):
    assert outcome("too much memory", tmp_path) == "MemoryError: "
    large = saved({"w": torch.zeros(1000, 1000)})
    with pytest.raises(FileRefused, match="expected a file that can be read in 100,000 bytes of memory, got one that"):
        open_file(large, limits=Limits(memory_bytes=100_000))


def test_processor_time_is_limited(tmp_path):
    with pytest.raises(FileRefused, match="got one that takes longer than 1 s; save it as safetensors or npz"):
        attempt("busy", tmp_path, Limits(seconds=1))


def test_waiting_is_limited_too(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "START_SECONDS", 2.0)
    with pytest.raises(FileRefused, match=r"got one that takes longer than 0\.5 s"):
        attempt("asleep", tmp_path, Limits(seconds=0.5))


def test_a_flaw_in_the_reader_names_its_kind_and_keeps_the_rest_for_the_log(tmp_path):
    with pytest.raises(FileRefused, match=r"on which it failed \(KeyError\)") as refusal:
        sandbox.call("lpc_core.checkpoint._read", b"x", {}, LIMITS)
    assert isinstance(refusal.value.__cause__, sandbox.ReaderFailed)
    assert "Traceback" in str(refusal.value.__cause__)


@pytest.mark.parametrize("name", good_files())
def test_every_format_is_read_within_the_lock(name, tmp_path):
    """Nothing that reading needs is left to be imported or opened after the lock."""
    (tmp_path / name).write_bytes(good_files()[name])
    kind = Checkpoint if name.startswith("model") else Embeddings
    assert isinstance(open_file(tmp_path / name), kind)
    assert open_tree(str(tmp_path / name))


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in ((tmp_path, "expected a folder with a checkpoint in it, got '.*' without any"),
                          (tmp_path / "pipe", "a folder or a"),
                          (Path("/dev/zero"), "a folder or a device"), (tmp_path / "none", "got No such file or direc"),
                          (Path("a\0b"), "got a name that no file can have")):
        with pytest.raises(FileRefused, match=message) as refusal:
            open_file(path)
        assert str(refusal.value).isprintable()
    (tmp_path / "empty").touch()
    for source in (b"", tmp_path / "empty"):
        with pytest.raises(FileRefused, match="expected a file with something in it, got an empty one"):
            open_file(source)
    for source in (b"x" * 11, saved({})):
        with pytest.raises(FileRefused, match=r"expected a file of at most 10 bytes, got [\d,]+ bytes; raise the limi"):
            open_file(source, limits=Limits(file_bytes=10))


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = set(os.listdir("/proc/self/fd")) if sys.platform == "linux" else set()
    open_file(saved(model().state_dict()))
    with pytest.raises(FileRefused, match="expected at least one row under the header"):
        open_file(b"garbage, and more")
    assert os.listdir(tmp_path) == []
    assert sys.platform != "linux" or len(set(os.listdir("/proc/self/fd")) - before) <= 1
