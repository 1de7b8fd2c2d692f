"""``lpc attack``: a table with sentences, JSON, a file with every sample; refusals in one line."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from lpc_core.engine.trainer import Trainer
from lpc_core.parsing import parse_run

SAMPLE = Path(__file__).parents[3] / "assets" / "samples" / "neural-collapse.safetensors"


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    run = Trainer(parse_run({"preset": "fast-digits", "steps": "300", "test_samples": "100"}), "cpu")
    run.advance(300)
    path = tmp_path_factory.mktemp("runs") / "run.safetensors"
    path.write_bytes(run.state_bytes())
    return path


@pytest.fixture
def lpc(shell, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    return partial(shell, "attack")


def test_a_table_and_sentences(lpc, run_file):
    code, out, _ = lpc(run_file, "--samples", "40", "--attacks", "deepfool,ddn,hopskipjump")
    assert code == 0
    text = " ".join(out.split())
    assert text.startswith("digits, step 300: accuracy ")
    for words in ("DeepFool", "DDN", "HopSkipJump", "Smallest known", "on 40 test samples", "misclassified as 0",
                  "By the paper's convention", "than always naming one class", "DeepFool's perturbations are",
                  "All perturbed inputs lie inside the range of the data."):
        assert words in text


def test_json_and_a_file_with_every_sample(lpc, run_file, tmp_path):
    code, out, _ = lpc(run_file.parent, "--samples", "30", "--attacks", "fmn, pgd-linf", "--json", "--split", "train",
                       "--seed", "4", "--out", tmp_path / "report.json")
    assert code == 0
    report, whole = json.loads(out), json.loads((tmp_path / "report.json").read_text())
    assert (report["dataset"], report["split"], report["step"], report["seed"]) == ("digits", "train", 300, 4)
    assert report["samples"] == 30
    assert report["bounded"] is True
    assert [attack["name"] for attack in report["attacks"]] == ["fmn", "pgd-linf"]
    assert len(whole["per_sample"]["fmn"]["norm"]) == 30
    assert {name: value for name, value in whole.items() if name != "per_sample"} == report
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_without_bounds_pictures_leave_the_range(lpc, run_file):
    reports = [json.loads(lpc(run_file, "--samples", "20", "--attacks", "deepfool,fmn", "--json", *more)[1])
               for more in ((), ("--unbounded",))]
    bounded, free = (next(flag["raised"] for flag in report["flags"] if flag["name"] == "outside-range")
                     for report in reports)
    assert (bounded, free) == (False, True)


def test_a_person_is_told_beforehand_how_long_it_takes(lpc, run_file, monkeypatch):
    monkeypatch.setattr("lpc_core.commands.attack.LONG_S", 0)
    asked = run_file, "--samples", "8", "--attacks", "ddn", "--json"
    assert lpc(*asked)[2] == ""  # a program
    assert "minutes: 8 samples, ddn" in lpc(*asked[:-1])[2]  # whose words may go into a log
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert "minutes: 8 samples, ddn" in lpc(*asked)[2]


def test_equal_seeds_give_equal_reports(lpc, run_file):
    one, again = (json.loads(lpc(run_file, "--samples", "20", "--attacks", "hopskipjump", "--json")[1])
                  for _ in range(2))
    for report in (one, again):
        for attack in (*report["attacks"], report["best"]):
            del attack["seconds"]
    assert one == again


@pytest.mark.parametrize(("arguments", "words"), [
    (["nowhere"], "lpc: nowhere: expected a run written by lpc train --out, got nothing there"),
    (["README.md"], "lpc: README.md: expected the state of a run, got bytes that are not one"),
    (["RUN", "--attacks", "cw"], "lpc: attack: expected one of ddn, deepfool"),
    (["RUN", "--attacks", ""], "lpc: expected attacks of different names, at least one of them in L2, got []"),
    (["RUN", "--split", "dev"], "lpc: expected split to be one of train, test, got 'dev'"),
    (["RUN", "--samples", "0"], "lpc: Invalid value for '--samples'"),
    (["RUN", "--device", "cuda:9"], "lpc: device: expected one of auto, cpu"),
    (["RUN", "--out", "no/such/folder/x"], "lpc: out: expected a file in an existing folder, got no/such/folder/x"),
])
def test_a_refusal_is_one_line(lpc, run_file, arguments, words):
    code, out, errors = lpc(*(run_file if word == "RUN" else word for word in arguments))
    assert code == 2
    assert out == ""
    assert errors.startswith(words)
    assert len(errors.strip().splitlines()) == 1


def test_the_name_of_a_file_is_printed_as_it_is(lpc, tmp_path):
    """Brackets in it are no markup."""
    inputs, labels = load_digits(return_X_y=True)
    np.savez(tmp_path / "mine[bold].npz", inputs=(inputs[:60] / 16).astype(np.float32), labels=labels[:60])
    code, out, errors = lpc(SAMPLE, "--data", tmp_path / "mine[bold].npz", "--normalisation", "none", "--activation",
                            "gelu", "--samples", "10", "--attacks", "ddn")
    assert (code, errors) == (0, "")
    assert "on mine[bold].npz: accuracy" in out
