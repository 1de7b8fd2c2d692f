"""``lpc measure``: the numbers of `measure` for every kind of file, and one line for a file that is refused."""

import csv
import io
import json
import math
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import safetensors.numpy
import torch

from lpc_core.engine.trainer import Trainer
from lpc_core.metrics import measure, readings
from lpc_core.parsing import parse_run

RNG = np.random.default_rng(4)
LABELS = np.arange(120) % 4
LATENTS = (RNG.normal(size=(4, 3))[LABELS] + 0.1 * RNG.normal(size=(120, 3))).astype(np.float32)
WEIGHT, BIAS = RNG.normal(size=(4, 3)).astype(np.float32), RNG.normal(size=4).astype(np.float32)
ALL = {"latents": LATENTS, "labels": LABELS, "weight": WEIGHT, "bias": BIAS}


@pytest.fixture
def lpc(shell):
    return partial(shell, "measure")


def as_csv(path):
    rows = [[*map(float, z), int(y)] for z, y in zip(LATENTS, LABELS, strict=True)]
    path.write_text("\n".join(["z0,z1,z2,label", *(",".join(map(repr, row)) for row in rows)]))


def as_npy(path):
    kind = [("latents", "f4", (3,)), ("labels", "i8")]
    np.save(path, np.array([(z, y) for z, y in zip(LATENTS, LABELS, strict=True)], kind))


def as_parquet(path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {f"z{j}": LATENTS[:, j] for j in range(3)} | {"label": LABELS}
    parquet.write_table(arrow.table(columns), path)


KINDS = {
    "npz": lambda path: np.savez(path, latents=LATENTS, labels=LABELS),
    "npy": as_npy,
    "csv": as_csv,
    "parquet": as_parquet,
    "safetensors": lambda path: safetensors.numpy.save_file({"latents": LATENTS, "labels": LABELS}, path),
    "pt": lambda path: torch.save({"latents": torch.tensor(LATENTS), "labels": torch.tensor(LABELS)}, path),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_numbers_of_measure(kind, lpc, tmp_path):
    path = tmp_path / f"e.{kind}"
    KINDS[kind](path)
    status, out, _ = lpc(path, "--json")
    assert status == 0
    found = json.loads(out)
    latents = LATENTS.astype(np.float64) if kind == "csv" else LATENTS  # a csv says nothing of a number format
    wanted = measure(latents, LABELS)
    assert found["readings"].keys() == wanted.keys()
    for name, value in wanted.items():
        assert found["readings"][name]["value"] == pytest.approx(value, rel=1e-12), name
    assert (found["samples"], found["nodes"], found["class_names"]) == (120, 3, ["0", "1", "2", "3"])


def test_floors_reasons_and_what_is_undefined_are_said(lpc, tmp_path):
    tight = (RNG.normal(size=(4, 3))[LABELS] + 1e-8 * RNG.normal(size=(120, 3))).astype(np.float32)
    np.savez(tmp_path / "e.npz", latents=tight, labels=LABELS)
    only = "nc1_cdnv,nc3_self_duality,norm_mean"
    _, out, _ = lpc(tmp_path / "e.npz", "--json", "--only", only)
    found, wanted = json.loads(out)["readings"], readings(tight, LABELS, only=only.split(","))
    assert list(found) == only.split(",")
    assert found["nc1_cdnv"]["at_floor"] is True
    assert found["nc1_cdnv"]["floor"] == pytest.approx(wanted["nc1_cdnv"].floor)
    assert found["nc3_self_duality"] == {"value": None, "floor": None, "at_floor": False,
                                         "reason": "needs the head's weight"}
    assert found["norm_mean"]["at_floor"] is False
    _, out, _ = lpc(tmp_path / "e.npz", "--only", only)
    rows = {words[0]: words for words in map(str.split, out.splitlines()) if words and words[0] in found}
    assert rows["nc1_cdnv"][2:4] == ["≤", "floor"]
    assert rows["nc3_self_duality"][1:6] == ["undefined", "needs", "the", "head's", "weight"]
    assert rows["norm_mean"][1] == f"{wanted['norm_mean'].value:.6g}"
    assert "floor" not in rows["norm_mean"]


def test_the_head_in_a_file_is_used_and_names_may_be_picked(lpc, tmp_path):
    np.savez(tmp_path / "usual.npz", **ALL)
    np.savez(tmp_path / "odd.npz", feats_a=LATENTS, y1=LABELS, w1=WEIGHT, b1=BIAS, y2=LABELS[::-1])
    _, usual, _ = lpc(tmp_path / "usual.npz", "--json")
    _, odd, _ = lpc(tmp_path / "odd.npz", "--json", "--labels", "y1", "--pick", "latents=feats_a", "--pick",
                    "weight=w1", "--pick", "bias=b1")
    first, second = (json.loads(text)["readings"] for text in (usual, odd))
    assert (second, set(first)) == (first, set(measure(**ALL)))
    wanted = measure(LATENTS, LABELS, weight=WEIGHT, bias=BIAS)
    assert first["nc4_ncc_agreement"]["value"] == pytest.approx(wanted["nc4_ncc_agreement"])
    as_csv(tmp_path / "e.csv")
    _, two, _ = lpc(tmp_path / "e.csv", "--json", "--pick", "latents=z0,z2", "--only", "norm_mean")
    assert json.loads(two)["nodes"] == 2


def test_csv_has_one_row_per_quantity(lpc, tmp_path):
    np.savez(tmp_path / "e.npz", latents=LATENTS, labels=LABELS)
    _, out, _ = lpc(tmp_path / "e.npz", "--csv", "--only", "norm_mean,nc3_self_duality")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["name"] for row in rows] == ["norm_mean", "nc3_self_duality"]
    assert float(rows[0]["value"]) == measure(LATENTS, LABELS)["norm_mean"]
    assert rows[1] == {"name": "nc3_self_duality", "value": "", "floor": "", "at_floor": "False",
                       "reason": "needs the head's weight"}


def test_a_saved_run_is_measured_on_its_own_data(lpc, tmp_path):
    run = Trainer(parse_run({"samples": "300", "test_samples": "90", "steps": "40", "batch_size": "32"}), "cpu")
    run.advance(40)
    path = tmp_path / "run.safetensors"
    path.write_bytes(run.state_bytes())
    now = run.snapshot()
    _, out, _ = lpc(path, "--json")
    found = json.loads(out)
    wanted = measure(now.latents, now.labels, now.predictions, None, now.weight, now.bias)
    for name, value in wanted.items():
        assert found["readings"][name]["value"] == pytest.approx(value, rel=1e-4), name
    assert found["notes"] == ["300 train samples of hypercube through the run's model at step 40"]
    _, out, _ = lpc(path, "--json", "--split", "test")
    assert json.loads(out)["samples"] == 90
    _, folder, _ = lpc(tmp_path, "--json", "--split", "test")
    assert json.loads(folder)["readings"] == json.loads(out)["readings"]
    assert json.loads(out)["readings"]["accuracy"]["value"] == pytest.approx(now.metrics["test_accuracy"])


def refused(path, kind):
    if kind == "text":
        path.write_text("hello\n\x1b[31mred\n")
    elif kind == "pickle":
        path.write_bytes(b"\x80\x04cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    elif kind == "nan":
        broken = LATENTS.copy()
        broken[7, 1] = np.nan
        np.savez(path, latents=broken, labels=LABELS)
    elif kind == "short":
        np.savez(path, latents=LATENTS, labels=LABELS[:-1])
    elif kind == "nothing":
        np.savez(path, other=LATENTS)
    elif kind == "folder":
        path.mkdir()
    elif kind == "damaged run":
        raw = Trainer(parse_run({"samples": "100", "steps": "1"}), "cpu").state_bytes()
        path.write_bytes(raw.replace(b"model.head.bias", b"model.head.bia_"))
    elif kind == "checkpoint":
        safetensors.numpy.save_file({"fc.weight": WEIGHT, "fc.bias": BIAS}, path)
    return path


@pytest.mark.parametrize(("kind", "name", "message"), [
    ("absent", "x.npz", r"lpc: expected a file at 'x.npz', got No such file"), ("text", "x.npz", "lpc: expected "),
    ("pickle", "x.pt", "lpc: expected "), ("nan", "x.npz", "lpc: expected finite latents, got 1 of 120 rows with NaN"),
    ("folder", "x", "lpc: "), ("damaged run", "x.safetensors", "lpc: "),
    ("short", "x.npz", "lpc: expected labels (120,), one for each row of the latents, got shape (119,)"),
    ("nothing", "x.npz", "lpc: expected latents (n, d) in the file, got the arrays 'other'"),
    ("checkpoint", "x.safetensors", "lpc: expected embeddings with labels or a run, got a checkpoint (safetensors); "),
])
def test_a_file_that_is_refused_is_one_line(kind, name, message, lpc, tmp_path):
    status, out, errors = lpc(refused(tmp_path / name, kind))
    assert (status, out) == (2, "")
    assert errors.startswith(message)
    assert errors.count("\n") == 1
    assert "\x1b" not in errors


@pytest.mark.parametrize(("arguments", "message"), [
    (["--only", "nc1"], "lpc: only: expected some of "), (["--only", ","], "lpc: only: expected some of "),
    (["--pick", "latents"], "lpc: pick: expected ROLE=NAME, got 'latents'; for instance latents=feats"),
    (["--pick", "colour=z"], "lpc: expected one of the roles latents"),
    (["--labels", "nope"], "lpc: expected labels in 'nope'"),
    (["--json", "--csv"], "lpc: expected --json or --csv, got both; choose one"),
    (["--split", "half"], "lpc: Invalid value for '--split'"),
])
def test_a_refused_option_is_one_line(arguments, message, lpc, tmp_path):
    np.savez(tmp_path / "e.npz", latents=LATENTS, labels=LABELS)
    status, out, errors = lpc(tmp_path / "e.npz", *arguments)
    assert (status, out) == (2, "")
    assert errors.startswith(message)
    assert errors.count("\n") == 1


def test_names_from_a_file_cannot_write_to_the_terminal(lpc, tmp_path):
    names = np.array(["a\x1b[2J", "[red]b[/red]", "c\nd", "=cmd()"])
    np.savez(tmp_path / "e.npz", latents=LATENTS, labels=LABELS, class_names=names, **{"[bold]odd": LATENTS})
    for options in ((), ("--json",), ("--csv",)):
        status, out, errors = lpc(tmp_path / "e.npz", *options)
        assert (status, errors) == (0, "")
        assert "\x1b" not in out
    _, out, _ = lpc(tmp_path / "e.npz")
    assert "[bold]odd" in out.replace("\n", "")


def test_from_the_shell(tmp_path):
    np.savez(tmp_path / "e.npz", latents=LATENTS, labels=LABELS)
    done = subprocess.run([sys.executable, "-m", "lpc_core", "measure", str(tmp_path / "e.npz"), "--only", "norm_cv"],
                          capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{measure(LATENTS, LABELS)['norm_cv']:.6g}" in done.stdout
    assert not math.isnan(measure(LATENTS, LABELS)["norm_cv"])


def test_samples_without_a_class_are_left_out_and_the_option_is_named(lpc, tmp_path):
    np.savez(tmp_path / "e.npz", latents=LATENTS, labels=np.where(np.arange(120) % 10 == 0, -1, LABELS))
    status, out, _ = lpc(tmp_path / "e.npz", "--only", "nc1_pinv")
    assert status == 0
    assert "108 samples, 3 nodes, 4 classes" in out
    assert "12 of 120 samples name no class (labels: -1) and are left out; --unlabelled keep makes them" in \
        " ".join(out.split())
    found = json.loads(lpc(tmp_path / "e.npz", "--json", "--unlabelled", "keep")[1])
    assert (found["samples"], found["class_names"][0], found["unlabelled"]) == (120, "-1", 12)
    assert lpc(tmp_path / "e.npz", "--unlabelled", "maybe")[0] == 2


def test_too_few_samples_are_said_in_the_shell(lpc, tmp_path):
    np.savez(tmp_path / "e.npz", latents=RNG.normal(size=(12, 512)), labels=np.repeat([0, 1, 2], 4))
    found = json.loads(lpc(tmp_path / "e.npz", "--json")[1])
    assert "too few samples: 12 (the smallest class 4) for 512 nodes" in found["readings"]["nc1_pinv"]["reason"]
