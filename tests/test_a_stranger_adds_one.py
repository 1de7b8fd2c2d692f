"""A stranger drops one file of each kind (`tests/stranger`) into a copy of the tree, and each works everywhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[1]
TINY = "samples=60 test_samples=20 classes=3 steps=4 ramp_steps=2 batch_size=16"
ADDED = sorted(path.relative_to(ROOT / "tests" / "stranger").as_posix()
               for path in (ROOT / "tests" / "stranger").rglob("*.py"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the project with the stranger's files in it, and nothing else changed."""
    copy = tmp_path_factory.mktemp("stranger")
    for name in ("app", "lpc_core", "assets", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "shots"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name in ADDED:
        assert not (copy / name).exists(), f"{name} is there already"
        shutil.copy(ROOT / "tests" / "stranger" / name, copy / name)
    return copy


def run(tree, *command):
    """What ``command`` of the copy's Python prints."""
    path = os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, *command], cwd=tree, capture_output=True, text=True, timeout=PATIENCE_S,
                          env=os.environ | {"PYTHONPATH": path, "COLUMNS": "200"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lpc(tree, *arguments):
    return run(tree, "-m", "app.cli", *arguments)


PROGRAM = """
import json
from app.views._form import REGISTRIES, relevant
from lpc_core.choices import choices
from lpc_core.engine.cost import cost_of
from lpc_core.parsing import parse_run, to_texts
run = parse_run(dict(part.split("=") for part in {settings!r}.split()))
assert parse_run(to_texts(run)) == run
print(json.dumps({{"choices": choices({name!r}), "shown": sorted(relevant(run)), "bytes": cost_of(run).memory}}))
"""


@pytest.mark.parametrize(("name", "value", "uses", "idle"), [
    ("dataset", "stripes", "noise", "dim"), ("loss", "hinge", "margin", "temperature"),
    ("model", "skip-mlp", "width", "hidden"), ("optimizer", "rmsprop", "beta2", "momentum")])
def test_a_part_of_a_run(tree, tmp_path, name, value, uses, idle):
    """A data set, a loss, a backbone, an optimiser: in the form, a link, the help, a run, its file, its inspection."""
    settings = f"{TINY} {name}={value}"
    told = json.loads(run(tree, "-c", PROGRAM.format(settings=settings, name=name)))
    assert value in told["choices"]
    assert uses in told["shown"]
    assert idle not in told["shown"]
    assert told["bytes"] > 0
    assert value in next(line for line in lpc(tree, "settings").splitlines() if f" {name} " in line)
    out = tmp_path / "run.safetensors"
    lpc(tree, "train", *settings.split(), "--json", "--out", str(out))
    assert f"{value}" in lpc(tree, "measure", str(out), "--json") + json.dumps(settings)
    assert "DDN" in lpc(tree, "attack", str(out), "--attacks", "ddn", "--samples", "10")
    film = lpc(tree, "film", *settings.split(), "--gammas", "1,10", "--frames", "2", "--out", str(tmp_path / "a.film"))
    assert "a.film" in film
    assert json.loads(lpc(tree, "inspect", str(out), "--json"))["layout"]["obstacle"] == ""


def test_a_metric(tree, tmp_path):
    program = ("import json, numpy as np; from lpc_core.metrics import METRICS, measure; "
               "print(json.dumps([measure(np.eye(4), [0, 0, 1, 1])['median_norm'], METRICS['median_norm'].title]))")
    assert json.loads(run(tree, "-c", program)) == [1.0, "Median radius"]
    run(tree, "-c", f"import numpy as np; np.savez({str(tmp_path / 'e.npz')!r}, latents=np.eye(4), labels=[0, 0, 1, 1])")
    assert "Median radius" in lpc(tree, "measure", str(tmp_path / "e.npz"))


def test_a_chart(tree):
    program = "from app.charts import charts, Track; print([c.title for chart in charts('collapse') for c in chart.cards(Track.of(None, None))])"
    assert "'Median radius'" in run(tree, "-c", program)


def test_an_attack(tree, tmp_path):
    out = tmp_path / "run.safetensors"
    lpc(tree, "train", *TINY.split(), "--out", str(out))
    assert "Shrinking" in lpc(tree, "attack", str(out), "--attacks", "ddn,shrink", "--samples", "10")
    program = ("from lpc_core.config import unflatten; from lpc_core.study import sweep; "
               f"run = unflatten({dict(samples=60, test_samples=20, steps=4, ramp_steps=2, batch_size=16)!r}); "
               "print([row.robustness.keys() for row in sweep([('a', run)], samples=10, attacks=['shrink'])])")
    assert "shrink" in run(tree, "-c", program)


def test_a_layout(tree, tmp_path):
    file = tmp_path / "net.safetensors"
    program = ("import torch; from safetensors.torch import save_file; "
               "save_file({'encoder.weight': torch.eye(2, 64), 'encoder.bias': torch.zeros(2), "
               "'readout.weight': torch.randn(10, 2), 'readout.bias': torch.zeros(10)}, "
               f"{str(file)!r})")
    run(tree, "-c", program)
    told = json.loads(lpc(tree, "inspect", str(file), "--data", "digits", "--normalisation", "lab", "--json"))
    assert told["layout"]["name"] == "Stranger's network"


def test_a_command(tree):
    told = lpc(tree, "--help")
    assert "Say hello." in told
    assert "Say that the lab is there." in told
    assert lpc(tree, "hello") == "hello from a stranger\n"
    assert lpc(tree, "greet") == "greetings from the lab\n"


def test_a_page(tree):
    program = """
from streamlit.testing.v1 import AppTest
from app.views import views
assert ("lesson", "Lesson") in [(name, view.title) for name, view in views()]
page = AppTest.from_string("from app.views.lesson import VIEW; VIEW.render()").run()
print(page.title[0].value, [str(error) for error in page.exception])
"""
    assert run(tree, "-c", program) == "First lesson []\n"


def test_the_suite_asks_for_nothing_else(tree):
    """The tests that look at every entry of a registry, in the copy: none of them has a list to be added to."""
    files = ("tests/test_layers.py", "tests/core/test_choices.py", "tests/core/test_optimizers.py",
             "tests/core/test_parsing.py", "tests/core/test_presets.py", "tests/core/robustness/test_any_model.py")
    run(tree, "-m", "pytest", "-n", "0", "-q", "-x", "-p", "no:cacheprovider", *files, "-k",
        "not test_a_named_preset_reaches and not test_fast")


def test_every_kind_is_there():
    """The table of CONTRIBUTING has a row for the folder of each added file, and the other way round."""
    table = {line.split("|")[2].split("`")[1].rstrip("/") for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines()
             if line.startswith("| a")}
    assert table == {name.rpartition("/")[0] for name in ADDED} - {"app/commands"}
