"""``lpc paper``: rows listed and run, tables and figures printed and written; refusals in one line."""

import csv
import json
from functools import partial

import pytest

from lpc_core.experiments import Store, all_rows


@pytest.fixture
def lpc(shell, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    return partial(shell, "paper")


def test_every_row_is_listed(lpc):
    listed = json.loads(lpc("list", "--json")[1])
    assert [each["row"] for each in listed] == list(all_rows())
    text = lpc("list", "cifar10")[1]
    assert "cifar10/lpc@r6" in text
    assert "digits/lpc" not in text
    assert "gamma-update: before or after" in lpc("list", "--options")[1]


def test_a_row_is_run_and_its_table_printed(lpc, few, tmp_path):
    code, out, _ = lpc("run", "digits/lpc", "--scale", "0.02", "--store", tmp_path / "s", "--device", "cpu")
    assert (code, out) == (0, "digits/lpc/seed-0,scale=0.02: done\n")
    text = lpc("table", "4", "--store", tmp_path / "s")[1]
    assert "Table 4, digits scale=0.02" in text
    assert "Lemma 1: p_y ≈ 1 where γ is strong" in text


def test_tables_in_json_hold_the_papers_value_and_verdicts(lpc, small_store):
    found = json.loads(lpc("table", 1, "--store", small_store, "--json")[1])["digits scale=0.02"]
    first = next(row for row in found["rows"] if row["row"].startswith("digits/lpc"))
    assert (first["seeds"], first["deepfool"]["paper"], first["deepfool"]["seeds"]) == (2, 0.725, 2)
    assert {each["verdict"] for each in found["verdicts"]} <= {"holds", "partly", "does not hold", "open"}


def test_a_figure_is_written_as_csv_and_json(lpc, small_store, tmp_path):
    assert lpc("figure", "3", "--store", small_store, "--out", tmp_path / "f.csv")[0] == 0
    with (tmp_path / "f.csv").open() as file:
        assert {"separation", "robustness", "attack"} <= set(next(csv.DictReader(file)))
    lpc("figure", "critical", "--store", small_store, "--out", tmp_path / "f.json")
    assert json.loads((tmp_path / "f.json").read_text())["x"] == "epoch"
    assert "Pearson r" in lpc("figure", "3", "--store", small_store)[1]


@pytest.mark.parametrize(("arguments", "words"), [
    (["run", "digits/none"], "lpc: row: expected DATA/ROW such as digits/lpc"),
    (["run", "digits/lpc", "--option", "noise"], "lpc: option: expected NAME=VALUE, got 'noise'"),
    (["run", "digits/lpc", "--seeds", "0"], "lpc: seeds: expected 1 to 100 seeds"),
    (["run", "digits/lpc", "--on", "ray:127.0.0.1:1"], "lpc: on: expected a Ray cluster that answers"),
    (["table", "1", "--store", "nowhere"], "lpc: store: expected a folder that `lpc paper run` wrote, got nowhere"),
    (["table", "7", "--store", "STORE"], "lpc: table: expected 1, 2, 3, 4 or 5, got 7"),
    (["figure", "9", "--store", "STORE"], "lpc: figure: expected one of 1, 2"),
    (["figure", "3", "--store", "STORE", "--out", "f.png"], "lpc: out: expected a name that ends in .csv, .json"),
    (["list", "moon"], "lpc: data: expected one of"),
    (["run", "moon/lpc"], "lpc: row: expected DATA/ROW such as cifar10-small/all, hypercube/all, mnist/all"),
    (["run", "digits/lpc", "--first-seed", "-1"], "lpc: first_seed: expected 0 to"),
    (["run", "digits/lpc", "--on", "ray:"], "lpc: on: expected here, processes:N"),
    (["run", "digits/all", "--device", "tpu"], "lpc: device: expected one of auto, cpu"),
    (["table", "1", "--store", "STORE", "--data", "moon"], "lpc: data: expected one of"),
    (["figure", "3", "--store", "STORE", "--data", "moon"], "lpc: data: expected one of"),
    (["export-tensorboard", "out", "--store", "STORE", "--data", "moon"], "lpc: data: expected one of"),
])
def test_a_refusal_is_one_line(lpc, small_store, arguments, words):
    code, _, errors = lpc(*(small_store if word == "STORE" else word for word in arguments))
    assert code == 2
    assert errors.startswith(words)
    assert len(errors.strip().splitlines()) == 1


def test_a_number_that_is_no_table_is_refused_of_an_empty_store_too(lpc, tmp_path):
    Store(tmp_path / "s", create=True)
    assert "table: expected 1, 2, 3, 4 or 5, got 9" in lpc("table", "9", "--store", tmp_path / "s")[2]
    assert lpc("table", "1", "--store", tmp_path / "s")[1].startswith("no finished runs yet")


def test_a_run_that_fails_is_said_and_ends_with_status_2(lpc, monkeypatch, tmp_path):
    failed = "failed", "expected room, got none"
    monkeypatch.setattr("lpc_core.experiments._runner.done_or_refused", lambda *_: failed)
    code, out, errors = lpc("run", "digits/lpc", "--store", tmp_path / "s")
    assert code == 2
    assert out == "digits/lpc/seed-0: failed: expected room, got none\n"
    assert "expected all 1 runs to end well, got 1 that failed" in errors
