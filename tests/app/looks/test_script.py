"""The short program of a run: it follows the run's settings, runs without the lab, and collapses."""

import math
import re
import subprocess
import sys

import pytest
import torch

from app.looks.script import no_script, script
from lpc_core.config import unflatten
from lpc_core.presets import default_run, named_presets
from lpc_core.schedules import gamma_at, lr_at

QUICK = {"samples": 40, "test_samples": 20, "steps": 3, "batch_size": 16}
KINDS = [
    *({"dataset": name} for name in ("hypercube", "moons", "circles", "spirals", "xor", "digits")),
    {"dim": 25}, {"optimizer": "sgd", "activation": "relu"}, {"optimizer": "adam", "activation": "gelu"},
    {"dropout": 0.3, "penultimate": "nonlinear", "activation": "tanh"}, {"penultimate": "none"}, {"hidden": ()},
    {"convention": "mean", "label_smoothing": 0.1, "lr_schedule": "constant"}]
SCHEDULES = [
    {}, {"gamma_schedule": "linear"}, {"gamma_schedule": "cosine"}, {"gamma_schedule": "constant"},
    {"gamma_schedule": "two-regime"}, {"gamma_schedule": "two-regime", "gamma_switch": 3.0},
    {"gamma_schedule": "two-regime", "gamma_start": 50.0, "gamma_end": 0.1, "gamma_switch": 1.0}]


def ran(text):
    """What the program leaves behind."""
    left = {}
    with torch.random.fork_rng(devices=[]):
        exec(compile(text, "script.py", "exec"), left)
    return left


@pytest.mark.parametrize("settings", KINDS)
def test_every_kind_of_run_has_a_program_that_runs(settings, capsys):
    run = unflatten(QUICK | settings)
    text = script(run)
    assert len([line for line in text.splitlines() if line]) <= 45
    left = ran(text)
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert left["inputs"].dtype == torch.float32
    assert left["labels"].bincount().min() > 0
    assert bool(torch.isfinite(left["loss"]))


@pytest.mark.parametrize("settings", SCHEDULES)
def test_gamma_moves_as_in_the_lab(settings, capsys):
    run = unflatten(QUICK | {"ramp_steps": 100} | settings)
    known = ran(script(run))["gamma_at"]
    for step in (0, 1, 30, 77, 99, 100, 250):
        assert known(step) == pytest.approx(gamma_at(run.gamma, step), rel=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "late-cosine"])
def test_the_rate_moves_as_in_the_lab(schedule, capsys):
    run = unflatten(QUICK | {"lr_schedule": schedule, "steps": 7})
    rates = [group["lr"] for group in ran(script(run))["optimizer"].param_groups]
    assert rates == pytest.approx([lr_at(run.optim, run.optim.lr, 6, 7), run.optim.head_lr], rel=1e-12)


def test_it_runs_without_the_lab_and_collapses(tmp_path):
    (tmp_path / "run.py").write_text(script(named_presets("cpu")["fast-xor"].run), "utf-8")
    done = subprocess.run([sys.executable, "-W", "error", "-I", "run.py"], cwd=tmp_path, capture_output=True, text=True,
                          check=False, env={"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"})
    assert done.stderr == ""
    last = done.stdout.splitlines()[-1]
    spread, accuracy = (float(re.search(f"{name} ([0-9.]+)", last)[1]) for name in ("class", "accuracy"))
    assert math.isfinite(spread)
    assert spread < 0.05
    assert accuracy > 0.99


@pytest.mark.parametrize(("run", "why"), [
    (default_run("mnist", "cpu"), "its data set is mnist"), (unflatten({"optimizer": "muon"}), "its optimiser is muon"),
    (unflatten({"loss": "supcon"}), "its loss is supcon"),
    (unflatten({"model": "convnet", "dataset": "digits"}), "its network is no MLP")])
def test_what_thirty_lines_cannot_do_is_refused(run, why):
    assert why in no_script(run)
    with pytest.raises(ValueError, match="expected a run that PyTorch trains in thirty lines"):
        script(run)
