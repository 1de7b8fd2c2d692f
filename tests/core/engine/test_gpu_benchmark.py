"""The script that measures a GPU runs to its end on any device, part by part, and a part that fails leaves the rest."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import gpu

ON_A_BARE_MACHINE = """
import sys
sys.modules |= dict.fromkeys(["pydantic", "pooch", "requests", "typer", "rich", "streamlit", "plotly"])
from benchmarks import gpu
sys.exit(gpu.main(["--tiny", "--only", "steps"]))
"""


def test_it_needs_no_package_of_commands_and_downloads():
    done = subprocess.run([sys.executable, "-c", ON_A_BARE_MACHINE], cwd=Path(__file__).parents[3], capture_output=True,
                          text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "best, 20-32-32-2-4, batch 256" in done.stdout


@pytest.mark.parametrize("part", [part for part in gpu.PARTS if part != "steps"])
def test_every_part_runs(part, capsys):
    assert gpu.main(["--tiny", "--only", part]) == 0
    printed = capsys.readouterr().out
    assert "left out" not in printed
    assert f"\n{part}\n" in printed
    assert printed.count("\n") > 4


def test_a_part_that_fails_is_named_and_the_others_go_on(monkeypatch, capsys):
    def fails(bench):
        raise RuntimeError("no triton here")

    monkeypatch.setitem(gpu.PARTS, "steps", fails)
    monkeypatch.setitem(gpu.PARTS, "film", lambda bench: print("  went on"))
    assert gpu.main(["--tiny", "--only", "steps", "film"]) == 1
    printed = capsys.readouterr().out
    assert "left out: RuntimeError: no triton here" in printed
    assert printed.endswith("went on\n")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(capsys):
    assert gpu.main([]) == 0
    assert "nothing was measured" in capsys.readouterr().out
