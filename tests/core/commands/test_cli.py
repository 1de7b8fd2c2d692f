"""The command line: what is refused ends with one line on stderr and a non-zero status, never a traceback."""

import json
import subprocess
import sys

import pytest

from lpc_core.engine.state import unpack

QUICK = ["samples=200", "test_samples=50", "steps=20", "batch_size=16"]


def lpc(*arguments):
    return subprocess.run([sys.executable, "-m", "lpc_core", *arguments], capture_output=True, text=True, timeout=600,
                          check=False)


def test_train_prints_a_table():
    done = lpc("train", *QUICK, "--every", "10", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["step", "gamma"]
    assert [line.split()[0] for line in lines[1:]] == ["0", "10", "20"]


def test_train_prints_json_and_writes_the_run(tmp_path):
    out = tmp_path / "run.safetensors"
    done = lpc("train", *QUICK, "--json", "--every", "20", "--out", str(out))
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["step"] == 20
    assert 0 <= last["train_accuracy"] <= 1
    tensors, info = unpack(out.read_bytes())
    assert info["step"] == 20
    assert tensors["model.head.weight"].shape == (4, 2)
    assert list(tmp_path.iterdir()) == [out]


def test_settings_lists_them_all():
    done = lpc("settings")
    assert done.returncode == 0
    assert "gamma_end" in done.stdout


@pytest.mark.parametrize(("arguments", "message"), [
    (["train", "classes=1"], "lpc: classes: expected a whole number from 2 to 100, got 1"),
    (["train", "colour=red"], "lpc: colour: expected a known setting"),
    (["train", "classes"], "lpc: settings: expected NAME=VALUE, got 'classes'"),
    (["train", "--every", "0"], "lpc: Invalid value for '--every'"),
    (["train", "--device", "cuda:99"], "lpc: device: expected one of auto, cpu"),
    (["train", *QUICK, "--out", "no/such/folder/x"], "lpc: out: expected a file in an existing folder"),
    (["train", "dataset=digits", "samples=99999"], "lpc: samples: expected"),
    (["train", *QUICK, "optimizer=sgd", "lr=10", "head_lr=10", "steps=500"], "lpc: The run diverged before step"),
    (["dance"], "lpc: No such command 'dance'"),
])
def test_a_refused_input_is_one_line(arguments, message, shell):
    code, _, errors = shell(*arguments)
    assert code == 2
    assert errors.startswith(message)
    assert len(errors.strip().splitlines()) == 1


def test_a_refusal_from_the_shell_has_a_status_and_no_traceback():
    done = lpc("train", "classes=1")
    assert done.returncode == 2
    assert done.stderr == "lpc: classes: expected a whole number from 2 to 100, got 1\n"
