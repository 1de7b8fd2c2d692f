"""The phase diagram: its cells are the runs they name; phases by their numbers; the command and its refusals."""

import csv
import json
from functools import partial

import numpy as np
import pytest

from lpc_core.config import ConfigError, unflatten
from lpc_core.engine.trainer import Trainer
from lpc_core.experiments import Store, cell_of, phase_diagram
from lpc_core.experiments._phase import _in_words
from lpc_core.film import FilmError, run_of
from lpc_core.phase import Phase

SMALL = {"samples": 200, "test_samples": 60, "steps": 80, "ramp_steps": 40, "batch_size": 32}


def test_every_cell_is_the_run_it_names():
    cells = list(phase_diagram(unflatten(SMALL), [0.01, 1e4], [1e-3, 0.05]))
    assert [(cell.head_lr, cell.gamma) for cell in cells] == [(1e-3, 0.01), (1e-3, 1e4), (0.05, 0.01), (0.05, 1e4)]
    for cell in cells:
        run = Trainer(run_of(unflatten(SMALL | {"head_lr": cell.head_lr}), cell.gamma), "cpu")
        run.advance(80)
        metrics = run.snapshot().metrics
        assert cell.test_accuracy == pytest.approx(metrics["test_accuracy"])
        assert cell.radius == pytest.approx(metrics["norm_mean"], rel=1e-3)
    assert cells[1].phase == "totally collapsed"  # γ of 10,000 against a head that hardly moves


def test_processes_side_by_side_draw_the_same_cells():
    axes, told = (unflatten(SMALL), [0.01, 1e4], [1e-3, 0.05]), []
    assert repr(list(phase_diagram(*axes, processes=2, progress=lambda *said: told.append(said)))) == repr(list(
        phase_diagram(*axes)))
    assert told[-1] == (1.0, "2 head rates")
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    with pytest.raises(ConfigError, match="processes: expected 1 or more, got 0"):
        phase_diagram(*axes, processes=0)


def test_what_is_fitted_and_what_has_collapsed_are_two_questions():
    cases = [(Phase.COLLAPSED, 1.0), (Phase.FALLING, 1.0), (Phase.COLLAPSED, 0.9), (Phase.TOTAL, 0.12),
             (Phase.GUESSING, 0.12), (Phase.UNKNOWN, float("nan"))]
    assert [_in_words(*case) for case in cases] == ["collapsed", "separated", "not fitted", "totally collapsed",
                                                    "guessing", "not fitted"]


def test_bad_axes_are_refused():
    with pytest.raises(FilmError, match="gammas: expected growing values"):
        phase_diagram(unflatten(SMALL), [1.0, 0.1], [0.01])
    with pytest.raises(ConfigError, match="head_lrs: expected 1 to 64 learning rates"):
        phase_diagram(unflatten(SMALL), [0.1, 1.0], [])
    with pytest.raises(ConfigError, match="head_lr: expected a number from 1e-07 to 10, got 99"):
        phase_diagram(unflatten(SMALL), [0.1, 1.0], [0.01, 99.0])


@pytest.fixture
def lpc(shell):
    settings = [f"{name}={value}" for name, value in SMALL.items()]
    return partial(shell, "phase", *settings, "--processes", "1")


def test_the_command_draws_and_writes(lpc, tmp_path):
    axes = ["--gammas", "0.01:100:3", "--head-lrs", "1e-3:0.1:2"]
    code, out, _ = lpc(*axes, "--out", tmp_path / "phase.csv")
    assert code == 0
    assert out.count("head lr") == 2
    with (tmp_path / "phase.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 6
    assert np.isfinite([float(line["radius"]) for line in lines]).all()
    said = [json.loads(line) for line in lpc(*axes, "--json")[1].splitlines()]
    cells = [cell_of(line["cell"]) for line in said if "cell" in line]
    assert [cell.phase for cell in cells] == [line["phase"] for line in lines]
    assert [line["share"] for line in said if "share" in line][-1] == 1  # and a line per step of progress


def test_refusals_are_one_line(lpc, tmp_path):
    assert lpc("--gammas", "5")[2].startswith("lpc: gammas: expected 2 to 64 values, got 1")
    assert lpc("--head-lrs", "0.1")[2].startswith("lpc: head-lrs: expected 2 to 64 values, got 1")
    assert "out: expected a name that ends in .csv or .json" in lpc("--out", tmp_path / "phase.png")[2]


def test_a_store_gets_its_folder_of_diagrams_and_nothing_else_a_folder(lpc, tmp_path):
    """As the page and the documents say: ``lpc phase --out lpc-store/phase/NAME.json`` keeps a diagram for the page."""
    axes = ("--gammas", "0.01,1", "--head-lrs", "0.01,0.1")
    for _ in range(2):  # where there is no store yet, and in one
        code, _, said = lpc(*axes, "--out", tmp_path / "new" / "phase" / "a.json")
        assert code == 0, said
    assert Store(tmp_path / "new").runs() == []
    assert len(json.loads((tmp_path / "new" / "phase" / "a.json").read_text())["cells"]) == 4
    (tmp_path / "other").mkdir()
    for folder in (tmp_path / "other" / "phase", tmp_path / "new" / "phases"):
        code, _, said = lpc(*axes, "--out", folder / "a.json")
        assert (code, folder.exists()) == (2, False)
        assert "out: expected a file in an existing folder, got" in said
