"""The processes of an experiment end with whoever wanted them, also where nothing could be said to them any more."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.forks import ROOT, forking
from tests.patience import until

PARENT = """
import multiprocessing, os, sys
from lpc_core.experiments._children import children
with children(2) as pool:
    for asked in [pool.submit(os.getpid) for _ in range(2)]:
        asked.result()
    print(*(process.pid for process in multiprocessing.active_children()), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_they_do_not_outlive_a_sigkill():
    with forking(ROOT, ("-c",)), subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE,
                                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        pids = parent.stdout.readline().split()
        parent.kill()
    assert len(pids) == 2
    commands = [Path("/proc", pid.decode(), "cmdline") for pid in pids]
    until(lambda: not any(path.exists() and path.read_bytes() for path in commands))  # a zombie's is empty
