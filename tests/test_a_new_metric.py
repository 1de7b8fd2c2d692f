"""One new file in lpc_core/metrics reaches everything that measures or draws: tried in a copy of the packages."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.forks import forking

ROOT = Path(__file__).parents[1]
FILE = '''"""The largest radius, and the mean of its square."""

import math

import numpy as np

from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.group import Group


def _measure(found):
    groups = found.by_label
    mean = float(np.nansum(groups.counts * groups.squared_norms) / groups.counts.sum())
    largest = {} if found.predictions is None else {"norm_max": Reading(float(found.radii.max()))}
    return {"norm_square": Reading(mean)} | largest


METRICS = (
    Metric("norm_max", "Largest radius", "max of ‖z‖", "How far out the last sample is.", "a test", "linear", "largest",
           "latent units"),
    Metric("norm_square", "Mean square", "mean of ‖z‖²", "What the penalty weighs.", "a test", "log"),
)
GROUP = Group(("norm_max", "norm_square"), _measure, {"norm_max": "predictions"}, moments=("norm_square",),
              beyond_moments="needs each sample's radius",
              live={"norm_max": lambda latents: math.sqrt(latents.squared_norms.max())})
'''
TRIED = '''
import json
from pathlib import Path

import numpy as np

from app.live import orders
from app.live.frames import decode
from app.training.run import Run
from app.looks.film_export import page
from app.parts.readings import reading_row
from lpc_core.run_group import alone, compare
from lpc_core.config import unflatten
from lpc_core.data import load
from lpc_core.engine.lockstep import Lockstep
from lpc_core.engine.trainer import Trainer
from lpc_core.film import film_bytes
from lpc_core.film.record import record
from lpc_core.metrics import Reading
from lpc_core.metrics.accumulator import EXACT, NEEDS_SAMPLES, CollapseMetrics

config = unflatten({"samples": 200, "test_samples": 50, "steps": 3, "ramp_steps": 2, "batch_size": 32})
dataset = load(config.data, config.seed)
snapshot = Trainer(config, "cpu", dataset).snapshot()


def setup(wanted, make):
    sent = []
    Run("a", sent.append, make, Path("state")).start(wanted, dataset, 1)
    return next(decode(one.raw)[1] for one in sent if isinstance(one, orders.Setup))


steps = lambda group, data: Lockstep(group, lambda config: Trainer(config, "cpu", data))
play = setup(alone(config), steps)
compared = setup(compare(config, [{}, {"optimizer": "sgd"}], ["a", "b"]), steps)
film = record(config, [0.01, 1.0], frames=2, points=20, device="cpu")
gathered = CollapseMetrics(4, 2, only=["norm_square"])
gathered.update(snapshot.latents, snapshot.labels)
print(json.dumps({
    "live": snapshot.metrics["norm_max"], "radius": float(np.linalg.norm(snapshot.latents, axis=1).max()),
    "history": [list(panel["history"]) for info in (play, compared) for panel in info["panels"]],
    "words": [info["catalogue"]["metrics"]["norm_max"] for info in (play, compared)],
    "film": [film.info["metrics"], film.info["words"]["norm_max"]],
    "page": "Largest radius" in page(film_bytes(film)).partition("film-data")[0],
    "table": reading_row("norm_max", Reading(1.0)),
    "accumulator": ["norm_square" in EXACT, NEEDS_SAMPLES["norm_max"], gathered.compute()["norm_square"],
                    float((np.linalg.norm(snapshot.latents, axis=1) ** 2).mean())],
}))
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A folder with the packages and a file of metrics that they do not know."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("lpc_core", "app", "tests"):
        shutil.copytree(ROOT / package, folder / package)
    (folder / "lpc_core" / "metrics" / "largest.py").write_text(FILE)
    with forking(folder, ("lpc_core", "-c")):
        yield folder


def python(folder, *arguments):
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_play_film_compare_metrics_and_the_accumulator_have_it(copy):
    found = json.loads(python(copy, "-c", TRIED))
    words = {"title": "Largest radius", "short": "largest", "formula": "max of ‖z‖", "unit": "latent units",
             "axis": "linear", "meaning": "How far out the last sample is."}
    assert found["live"] == pytest.approx(found["radius"])
    assert all("norm_max" in columns for columns in found["history"])
    for said in (*found["words"], found["film"][1]):
        assert said.items() >= words.items()
    assert "norm_max" in found["film"][0]
    assert found["page"]
    assert found["table"].items() >= {name: words[name] for name in ("title", "formula", "meaning")}.items()
    exact, reason, value, expected = found["accumulator"]
    assert (exact, reason) == (True, "needs each sample's radius")
    assert value == pytest.approx(expected)


def test_the_shell_has_it(copy, tmp_path):
    latents = np.random.default_rng(0).normal(size=(60, 3))
    np.savez(tmp_path / "embeddings.npz", latents=latents, labels=np.arange(60) % 3, predictions=np.arange(60) % 3)
    shown = python(copy, "-m", "lpc_core", "inspect", tmp_path / "embeddings.npz")
    row = next(line for line in shown.splitlines() if "Largest radius" in line)
    assert f"{np.linalg.norm(latents, axis=1).max():.5g}" in row
    asked = ("steps=2", "samples=200", "test_samples=50", "--device=cpu")
    assert all("norm_max" in json.loads(line) for line in
               python(copy, "-m", "lpc_core", "train", *asked, "--json").splitlines())
    head, *rows = python(copy, "-m", "lpc_core", "train", *asked, "--show", "norm_max,ce").splitlines()
    assert head.split() == ["step", "gamma", "norm_max", "ce"]
    assert all(len(row.split()) == 4 for row in rows)
