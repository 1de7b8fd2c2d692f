"""Several processes give the numbers of one, to float tolerance; one that fails ends the others."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lpc_core.config import ConfigError, unflatten
from lpc_core.engine.parallel import Share, launch, share

ROOT = Path(__file__).parents[3]
RUN = ["samples=200", "test_samples=40", "steps=12", "batch_size=32", "hidden=16-8", "optimizer=muon", "--every=6",
       "--device=cpu"]


def lpc(*arguments):
    return subprocess.run([sys.executable, "-m", "lpc_core", "train", *arguments], cwd=ROOT, capture_output=True,
                          text=True, timeout=600, check=False)


def test_two_processes_give_the_numbers_of_one(tmp_path):
    files = [tmp_path / f"{processes}.safetensors" for processes in (1, 2)]
    printed = []
    for processes, file in enumerate(files, 1):
        done = lpc(*RUN, "--json", f"--processes={processes}", f"--out={file}")
        assert done.returncode == 0, done.stderr
        printed.append([json.loads(line) for line in done.stdout.splitlines()])
    alone, both = (load_file(file) for file in files)
    assert alone.keys() == both.keys()
    for name, value in alone.items():
        torch.testing.assert_close(both[name].double(), value.double(), rtol=1e-4, atol=1e-6)
    assert [line["step"] for line in printed[0]] == [line["step"] for line in printed[1]] == [0, 6, 12]
    assert printed[1][-1]["loss"] == pytest.approx(printed[0][-1]["loss"], rel=1e-4)


def test_a_batch_without_equal_shares_is_refused_before_anything_starts():
    done = lpc(*RUN, "batch_size=33", "--processes=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("lpc: batch_size: expected a multiple of the 2 processes, at most the 200 samples, got 33\n")
    with pytest.raises(ConfigError, match="a multiple of the 4 processes, at most the 10 samples, got 32"):
        Share(0, 4).check(unflatten({"samples": 10, "batch_size": 32}))


def test_a_process_that_fails_ends_the_others():
    assert launch(["train", "no-such-setting"], 2) == 2


@pytest.mark.parametrize("rank", [None, "two", "4"])
def test_a_group_that_does_not_say_which_process_this_is_is_refused_in_words(monkeypatch, rank):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.delenv("RANK", raising=False)
    if rank:
        monkeypatch.setenv("RANK", rank)
    with pytest.raises(ConfigError, match="RANK: expected this process's number beside WORLD_SIZE=4, as torchrun"):
        share()
    monkeypatch.setenv("RANK", "3")
    assert share() == Share(3, 4)
