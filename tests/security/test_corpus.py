"""Every hostile file is refused in one clean line or read as inert data; none executes, none costs much memory."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lpc_core.checkpoint import Checkpoint, Embeddings, FileRefused, Limits, open_file, sandbox
from lpc_core.film import Film
from tests.core.checkpoint._files import read_here
from tests.security._corpus import CANARY, corpus, good_model
from tests.security._pickles import executing, pickled

GB = 2**30
LIMITS = Limits(file_bytes=2**28, tensor_bytes=2**28, memory_bytes=700 * 2**20, seconds=30)
FILES = corpus()
NAMES = list(FILES)
SANDBOXED = [name for name in NAMES if name.endswith((
    "torch zip: os.system", "torch legacy: os.system as the state", "torch zip: builtins.getattr", "strides 0)",
    "quadratic blow-up of views of one storage", "a billion laughs", "zip: a bomb", "zip: a symbolic link as storage",
    "npz: objects", "npy: 10^12 elements in 100 bytes", "brackets, 1,000,000 deep", "overlapping offsets",
    "onnx: weights at a path", "csv: one line of 8 MB", "parquet: a bomb", "parquet: a broken footer",
    "programs and pickles beside the weights", "script and formulas as class names"))]


def texts_of(found):
    """Every text that a result would show somewhere."""
    if isinstance(found, Embeddings):
        return [*found.class_names, *(found.texts or ()), *found.notes]
    assert isinstance(found, Checkpoint | Film)
    return [*found.tensors, *found.stripped, *found.notes, *texts_in(found.metadata)]


def texts_in(value):
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_in(part)]
    return [text for part in value for text in texts_in(part)] if isinstance(value, list) else [str(value)]


def check(hostile, open_it):
    """Refused in one clean line with the expected reason, or read with nothing but printable texts."""
    try:
        found = open_it()
    except FileRefused as error:
        line = str(error)
        assert hostile.message is not None, f"refused: {line}"
        assert re.search(hostile.message, line), line
        assert line.isprintable()
        assert len(line) < 1_300
        assert re.match("expected .*, got .*; .*", line), line
    else:
        assert hostile.message is None, f"read: {found}"
        assert all(text.isprintable() for text in texts_of(found))


class Watched(subprocess.Popen):
    """A child whose highest resident memory is known at its end (Linux: in kilobytes, and it is forked with little)."""

    peak = 0

    def _try_wait(self, wait_flags):
        pid, status, used = os.wait4(self.pid, wait_flags)
        if sys.platform == "linux":
            Watched.peak = max(Watched.peak, used.ru_maxrss * 1024)
        return pid, status


def memory_of(which):
    """Bytes of this process: VmRSS now, VmHWM at the highest."""
    return int(re.search(rf"{which}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


@pytest.fixture(scope="module")
def grown():
    """How far above what it was before the first file the memory has been (Linux)."""
    again = Path("/proc/self/clear_refs")
    if not again.exists():
        return lambda: 0
    again.write_text("5")  # the highest is counted anew
    before = memory_of("VmRSS")
    return lambda: memory_of("VmHWM") - before


def test_there_are_many_of_them():
    assert len(NAMES) >= 60
    assert len(SANDBOXED) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_it_is_refused_in_one_line_or_read_as_inert_data(name, grown):
    hostile = FILES[name]
    check(hostile, lambda: read_here(hostile.content, hostile.file_name, LIMITS))
    assert not CANARY.exists()
    assert grown() < GB // 2


@pytest.mark.parametrize("name", SANDBOXED)
def test_the_same_through_the_locked_process(name, monkeypatch):
    hostile = FILES[name]
    monkeypatch.setattr(sandbox.subprocess, "Popen", Watched)
    monkeypatch.setattr(Watched, "peak", 0)
    check(hostile, lambda: open_file(hostile.content, hostile.file_name, LIMITS))
    assert not CANARY.exists()
    assert Watched.peak < GB
    assert Watched.peak > 0 or sys.platform != "linux"


def test_a_good_file_passes_the_same_way():
    assert next(iter(open_file(good_model(), "model.pt", LIMITS).tensors)) == "0.weight"


def test_the_calls_in_the_corpus_are_real(tmp_path):
    """Unpickled, they would have made the canary: in another process, one does."""
    canary = tmp_path / "canary"
    program = "import pickle, sys; pickle.loads(sys.stdin.buffer.read())"
    subprocess.run([sys.executable, "-c", program], input=pickled(executing(canary)["os.system"]), check=True)
    assert canary.exists()
