"""``lpc inspect``: table, JSON, CSV, files; refusals are one line with a status."""

import csv
import io
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lpc_core.commands import pages
from lpc_core.inspection import load
from lpc_core.metrics import names

SAMPLES = Path(__file__).parents[3] / "assets" / "samples"
COLLAPSED, PLAIN, FIGURE = (str(SAMPLES / name) for name in (
    "collapsed.safetensors", "neural-collapse.safetensors", "figure-1.npz"))


@pytest.fixture
def run(shell):
    return partial(shell, "inspect")


def test_the_table(run):
    code, out, _ = run(COLLAPSED, "--gamma", "1,90")
    assert code == 0
    assert "LPC Lab MLP 64-64-64-8-10: 8,930 parameters, 10 classes, 8 latent nodes" in out
    assert "run on digits, training samples, normalisation lab" in out
    assert "Separation ratio" in out
    assert "γ = 90: predicted radius 0.07" in out


def test_json_is_one_object_and_progress_goes_to_stderr(run):
    code, out, err = run(FIGURE, "--json", "--gamma", "100", "--convention", "mean")
    assert code == 0
    report = json.loads(out)
    assert [row["name"] for row in report["readings"]] == list(names())
    assert report["collapse"][0]["gamma"] == 50
    assert report["source"]["command"].startswith("lpc inspect ")
    assert all({"share", "what"} == set(json.loads(line)) for line in err.splitlines())


def test_a_file_for_the_lab_and_progress_for_a_script(tmp_path, run):
    pytest.importorskip("openTSNE")
    out_file = tmp_path / "a.inspection.safetensors"
    code, _, err = run(COLLAPSED, "--samples", "60", "--json", "--out", out_file,
                       "--project", "tsne")
    assert code == 0
    lines = [json.loads(line) for line in err.splitlines()]
    assert lines[-1] == {"share": 1.0, "what": "done"}
    assert [line["share"] for line in lines] == sorted(line["share"] for line in lines)
    found = load(out_file)
    assert set(found.coordinates) == {"pca", "tsne"}
    assert len(found.embeddings.labels) == 60


def test_tables(tmp_path, run):
    quantities, samples = tmp_path / "q.csv", tmp_path / "s.csv"
    code, *_ = run(PLAIN, "--data", "digits", "--normalisation", "lab", "--activation", "gelu",
                   "--samples", "50", "--csv", quantities, "--samples-csv", samples)
    assert code == 0
    quantities, rows = (list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
                        for path in (quantities, samples))
    assert [row["quantity"] for row in quantities] == list(names())
    assert len(rows) == 50
    assert "z9" in rows[0]


def test_a_head_alone(run):
    code, out, _ = run(COLLAPSED, "--head-weight", "head.weight", "--gamma", "90", "--json")
    assert code == 0
    assert json.loads(out)["head"][0]["radius"] == pytest.approx(0.0717, rel=0.01)
    code, out, _ = run(PLAIN)
    assert "may be the head: head.weight, 10 classes of 9 nodes" in out
    assert "not run: say what to run it on with --data" in out


def test_the_report_is_drawn_by_the_lab(monkeypatch, tmp_path, run):
    def page(source, target):
        assert load(source).source["file"] == "figure-1.npz"
        target.write_text("<!doctype html>")

    monkeypatch.setattr(pages, "_writers", {"inspection": page})
    code, *_ = run(FIGURE, "--html", tmp_path / "a.html", "--json")
    assert code == 0
    assert (tmp_path / "a.html").read_text() == "<!doctype html>"
    monkeypatch.setattr(pages, "_writers", {})
    code, _, err = run(FIGURE, "--html", tmp_path / "b.html")
    assert code == 2
    assert err.splitlines()[-1].startswith("lpc: html: expected the lab beside the library")


@pytest.mark.parametrize(("arguments", "message"), [
    (["no-such-file.npz"], "lpc: expected a file at 'no-such-file.npz', got No such file or directory"),
    ([__file__], "lpc: expected safetensors, torch"),
    ([PLAIN, "--data", "digits"], "lpc: normalisation: expected one of lab, none, 0..1"),
    ([PLAIN, "--out", "x.safetensors"], "lpc: out: expected latents to write about, got a checkpoint that was not run"),
    ([FIGURE, "--out", "no/such/folder/x"], "lpc: out: expected a file in an existing folder, got"),
    ([FIGURE, "--gamma", "a,b"], "lpc: gamma: expected numbers above 0 with commas between them, got 'a,b'"),
    ([FIGURE, "--gamma", "0"], "lpc: gamma: expected numbers above 0"),
    ([FIGURE, "--project", "mds"], "lpc: project: expected some of pca, tsne, umap, got 'mds'"),
    ([FIGURE, "--labels", "nothing"], "lpc: expected labels in 'nothing', got the arrays"),
    ([COLLAPSED, "--activation", "relu"], "lpc: activation: expected silu, which the file itself says, got relu"),
    ([COLLAPSED, "--data", "moons"], "lpc: normalisation: expected one of"),
    ([COLLAPSED, "--device", "abacus"], "lpc: device: expected one of auto, cpu"),
    ([COLLAPSED, "--convention", "total"], "lpc: convention: expected sum or mean, got 'total'"),
    ([COLLAPSED, "--gamma", "1", "--convention", "total"], "lpc: convention: expected sum or mean, got 'total'"),
    ([FIGURE, "--limit-gb", "0.001", "--samples", "0"], "lpc: Invalid value for '--samples'"),
])
def test_a_refusal_is_one_line(arguments, message, run):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith(message)
    assert len(err.strip().splitlines()) == 1


def test_a_file_above_the_limit(tmp_path, run):
    path = tmp_path / "large.npz"
    np.savez(path, latents=np.random.default_rng(0).normal(size=(2_000, 100)), labels=np.zeros(2_000, int))
    code, _, err = run(path, "--limit-gb", "0.001")
    assert code == 2
    assert "expected a file of at most 1,073,741 bytes" in err


def test_hostile_words_in_a_file_are_printed_as_they_are(tmp_path, run):
    path = tmp_path / "a.npz"
    latents = np.random.default_rng(0).normal(size=(20, 2))
    np.savez(path, latents=latents, labels=np.array(["[bold]=1", "</script>"] * 10))
    code, out, _ = run(path)
    assert code == 0
    assert "[bold]=1" in out


def test_from_the_shell():
    done = subprocess.run([sys.executable, "-m", "lpc_core", "inspect", "/dev/null"], capture_output=True, text=True,
                          timeout=600, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_warnings_in_the_table_the_report_and_the_tables(tmp_path, run):
    rng, labels = np.random.default_rng(0), np.repeat([0, 1, -1, 2], 4)
    np.savez(tmp_path / "e.npz", latents=rng.normal(size=(16, 64)), labels=labels)
    page = tmp_path / "report.html"
    lab = pytest.importorskip("app.cli")
    code, out, _ = run(tmp_path / "e.npz", "--html", page, main=lab.main)
    told = " ".join(out.split())
    assert code == 0
    assert "warning: 4 of 16 samples name no class (labels: -1) and are left out; --unlabelled keep makes" in told
    assert "warning: too few samples: 12 (the smallest class 4) for 64 nodes" in told
    for text in (page.read_text(), json.dumps(json.loads(page.with_suffix(".json").read_text())["warnings"])):
        assert "4 of 16 samples name no class" in text
        assert "too few samples: 12" in text
    assert "too few samples: 12" in page.with_suffix(".csv").read_text()


def test_pictures_left_out_and_classes_without_one_are_said(tmp_path, run):
    image, torch = pytest.importorskip("PIL.Image"), pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for place in range(12):
        folder = tmp_path / "pets" / "cd"[place % 2]
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(folder / f"{place}.png")
    (tmp_path / "pets" / "bird").mkdir()
    (tmp_path / "pets" / "c" / "zero.png").write_bytes(b"")
    (tmp_path / "pets" / ".DS_Store").write_bytes(b"x")
    net = torch.nn.Sequential(torch.nn.Linear(192, 16), torch.nn.SiLU(), torch.nn.Linear(16, 4), torch.nn.Linear(4, 3))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    arguments = (tmp_path / "net.pt", "--data", tmp_path / "pets", "--normalisation", "0..1", "--activation", "silu")
    code, out, _ = run(*arguments, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["per_class"] == [0, 6, 6]
    assert "1 of 13 pictures could not be read and are left out: zero.png (an empty file)" in found["warnings"]
    assert "1 of 3 classes have no samples: bird" in found["warnings"]
    assert "ignored, as tools leave them: .DS_Store" in found["source"]["data"]["notes"]
    told = " ".join(run(*arguments)[1].split())
    for text in (*found["warnings"], *found["source"]["data"]["notes"]):
        assert text in told
