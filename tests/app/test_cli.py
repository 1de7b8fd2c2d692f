"""The command with what the lab adds."""

import subprocess
import sys


def lpc(*arguments):
    return subprocess.run([sys.executable, "-m", "app.cli", *arguments], capture_output=True, text=True, check=False)


def test_it_has_the_librarys_commands_and_the_labs():
    told = lpc("--help").stdout
    for name in ("serve", "train", "film", "inspect", "measure", "attack", "study", "settings", "page", "movie"):
        assert f" {name} " in told


def test_a_port_that_is_none_is_refused_in_one_line():
    done = lpc("serve", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.startswith("lpc: Invalid value for '--port'")
