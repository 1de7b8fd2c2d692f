"""The command with what the lab adds."""

import subprocess
import sys

from app.commands.serve import COMMAND
from lpc_core.cli import program


def lpc(*arguments):
    return subprocess.run([sys.executable, "-m", "app.cli", *arguments], capture_output=True, text=True, check=False)


def test_it_has_the_librarys_commands_and_the_labs():
    told = lpc("--help").stdout
    for name in ("serve", "train", "film", "inspect", "measure", "attack", "study", "settings", "page", "movie"):
        assert f" {name} " in told


def test_serve_takes_what_it_is_not_told_from_the_environment(monkeypatch):
    told = []
    monkeypatch.setattr("app.__main__.main", told.append)
    for name, value in (("LPC_WORKERS", "3"), ("LPC_DEVICE", "cuda:1"), ("LPC_ON", "ray")):
        monkeypatch.setenv(name, value)
    program({"serve": COMMAND})(["serve", "--device", "cpu"], standalone_mode=False)
    assert told == [["--host", "127.0.0.1", "--port", "8501", "--workers", "3", "--device", "cpu", "--on", "ray"]]


def test_a_port_that_is_none_is_refused_in_one_line():
    done = lpc("serve", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.startswith("lpc: Invalid value for '--port'")
