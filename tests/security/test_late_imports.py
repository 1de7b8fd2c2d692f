"""Nothing that the locked reader needs is imported after the lock: damaged files never make it ask for a module."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lpc_core.checkpoint import FileRefused, open_file
from tests.core.checkpoint._files import npy, saved, zipped
from tests.forks import started  # noqa: F401

PROGRAM = """
import pickle, sys
sys.path.insert(0, sys.argv[1])
from lpc_core.checkpoint import _read
from lpc_core.checkpoint._base import FileRefused, Limits
from lpc_core.checkpoint._lock import EVENTS
asked, files = set(), pickle.load(sys.stdin.buffer)
for raw in files:
    _read.prepare(raw[:4096])
sys.addaudithook(lambda event, values: asked.add((event, str(values)[:80])) if event not in EVENTS else None)
for raw in files:
    try:
        _read.read(memoryview(raw), {"name": "", "picked": {}, "tree": False}, Limits())
    except FileRefused:
        pass
print(sorted(asked))
"""
HEADER = npy(np.zeros(3))
LATE = [HEADER.replace(b"(3,)", b"\xf63, "), HEADER.replace(b"descr'", b"des<r'"),
        HEADER.replace(b"'<f8'", b"\xb2<f8'"),
        zipped({"a/data.pkl": b"\x80\x02Va\n.", "a/version": b"3\n"}), zipped({"a/data.pkl": b"\x80\x02V\\u00e9\n."}),
        (8).to_bytes(8, "little") + b'{\x00\x00\x00"\x00\x00\x00', (8).to_bytes(8, "little") + b'{\x00"\x00a\x00"\x00',
        saved({"epoch": 1})]


def test_damaged_files_ask_for_nothing():
    done = subprocess.run([sys.executable, "-c", PROGRAM, Path(__file__).parents[2]], input=pickle.dumps(LATE),
                          capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


@pytest.mark.parametrize("place", range(3))
def test_a_damaged_header_is_one_clear_line(place):
    with pytest.raises(FileRefused, match="in the header of the array") as refused:
        open_file(LATE[place], "x.npy")
    assert "PermissionError" not in str(refused.value)
