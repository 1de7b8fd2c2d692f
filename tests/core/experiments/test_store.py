"""The store: whole files, one writer per run, exact resumption, refusals of what is newer, full or damaged."""

import errno
import json
import os
import signal
import subprocess
import sys
import types

import numpy as np
import pytest
import torch

from lpc_core.engine.state import unpack
from lpc_core.experiments import Store, StoreError, plan, run_all
from lpc_core.experiments import _store as store_file
from lpc_core.experiments import _work as work_file
from lpc_core.experiments._latents import BYTES, Latents
from lpc_core.experiments._latents import unpack as unpack_latents
from lpc_core.experiments._trainer import RowTrainer
from lpc_core.experiments._work import Stopped, work
from lpc_core.files import tensors
from lpc_core.saved_run import open_run
from tests.forks import ROOT, forking
from tests.patience import until


def parameters(folder):
    tensors, info = unpack((folder / "state.safetensors").read_bytes())
    return tensors, info


def test_a_run_is_a_plain_folder(small_store):
    folder = small_store / "digits/lpc/seed-0,scale=0.02"
    assert {path.name for path in folder.iterdir()} == {
        "run.json", "metrics.parquet", "state.safetensors", "latents.safetensors", "report.json", "progress.json",
        "lock"}
    about = json.loads((folder / "run.json").read_text())
    assert about["config"]["seed"] == 0
    assert {"versions", "device", "machine", "threads"} <= set(about["starts"][0])
    assert open_run(folder / "state.safetensors").step == 90  # what lpc inspect and lpc attack open


def test_one_line_reads_all_runs(small_store):
    frame = Store(small_store).frame()
    assert set(frame["row"]) == {"digits/lpc", "digits/no-pen", "digits/lin-pen"}
    assert len(frame.groupby(["row", "seed"])) == 6
    most = frame.groupby("row")["gamma"].max()
    assert most["digits/lpc"] > 0 == most["digits/no-pen"]
    assert frame["p_y"].between(0, 1).all()
    assert list(frame[(frame["row"] == "digits/lpc") & (frame["seed"] == 1)]["epoch"]) == list(range(9))


def test_done_runs_are_not_done_again(small_store, monkeypatch):
    monkeypatch.setattr("lpc_core.experiments._runner.done_or_refused", lambda *_: pytest.fail("begun again"))
    runs = plan(["digits/lpc"], 2, scale=0.02)
    assert [outcome.status for outcome in run_all(runs, small_store)] == ["done", "done"]


WORK = "import sys; from lpc_core.experiments import plan; from lpc_core.experiments._work import work; " \
       "work(plan([sys.argv[2]], scale=0.1)[0], sys.argv[1], 'cpu')"


def test_a_killed_run_goes_on_to_identical_parameters(tmp_path, few):
    """SIGKILL in mid-run, in a process of its own; the rest here. The same as a run that nobody disturbed."""
    name, run = "digits/lin-pen-dropout", plan(["digits/lin-pen-dropout"], scale=0.1)[0]
    folder = tmp_path / "killed" / run.name
    with forking(ROOT, ("-c",)):
        process = subprocess.Popen([sys.executable, "-c", WORK, tmp_path / "killed", name])
    try:
        until(lambda: (folder / "state.safetensors").exists() and parameters(folder)[1]["step"] > 0)
    finally:
        process.kill()
        process.wait()
    assert not (folder / "report.json").exists()
    assert work(run, tmp_path / "killed", "cpu") == "done"
    whole = RowTrainer(run.row, run.config, run.scale, "cpu")
    whole.advance(run.config.steps)
    tensors, info = parameters(folder)
    expected, _ = unpack(whole.state_bytes())
    assert info["step"] == run.config.steps
    assert set(tensors) == set(expected)
    for key, value in expected.items():
        assert torch.equal(tensors[key], value), key
    assert len(json.loads((folder / "run.json").read_text())["starts"]) == 2
    epochs = [line["epoch"] for line in Store(tmp_path / "killed").runs()[0].epochs()]
    assert epochs == sorted(set(epochs))


def test_a_run_that_an_elder_version_left_before_its_report_is_finished(tmp_path, few):
    """Its looks do not say what looking took."""
    pq = pytest.importorskip("pyarrow.parquet")
    run = plan(["digits/lpc"], scale=0.1)[0]
    assert work(run, tmp_path, "cpu") == "done"
    folder = tmp_path / run.name
    (folder / "report.json").unlink()
    lines = pq.read_table(folder / "metrics.parquet").drop_columns("seconds_looking")
    pq.write_table(lines, folder / "metrics.parquet")
    assert work(run, tmp_path, "cpu") == "done"
    assert json.loads((folder / "report.json").read_text())["seconds_looking"] == 0.0


def test_a_signal_keeps_the_run_to_the_step(tmp_path, few, monkeypatch):
    run, taken = plan(["digits/lpc"], scale=0.05)[0], []
    advance = RowTrainer.advance

    def interrupted(self, steps=1, deadline=None):
        done = advance(self, min(steps, 7), deadline)
        if self.step > 50 and not taken:
            taken.append(self.step)
            os.kill(os.getpid(), signal.SIGINT)
        return done

    monkeypatch.setattr(RowTrainer, "advance", interrupted)
    with pytest.raises(Stopped):
        work(run, tmp_path / "s", "cpu")
    assert parameters(tmp_path / "s" / run.name)[1]["step"] == taken[0]
    assert work(run, tmp_path / "s", "cpu") == "done"
    whole = RowTrainer(run.row, run.config, run.scale, "cpu")
    advance(whole, run.config.steps)
    for key, value in unpack(whole.state_bytes())[0].items():
        assert torch.equal(parameters(tmp_path / "s" / run.name)[0][key], value)


def test_ctrl_c_ends_the_runner_and_the_next_call_goes_on(tmp_path, few, monkeypatch):
    monkeypatch.setattr("lpc_core.experiments._runner.done_or_refused",
                        lambda *_: (_ for _ in ()).throw(Stopped("asked")))
    with pytest.raises(KeyboardInterrupt):
        list(run_all(plan(["digits/lpc"], scale=0.02), tmp_path / "s"))


@pytest.fixture
def unguarded_main(tmp_path, monkeypatch):
    """A main module that must not run again in other processes: a script without a guard, or a page."""
    main = types.ModuleType("__main__")
    main.__file__ = str(tmp_path / "main.py")
    (tmp_path / "main.py").write_text("raise SystemExit('run again')")
    monkeypatch.setitem(sys.modules, "__main__", main)


def test_two_processes_do_not_write_one_run(tmp_path, unguarded_main):
    run = plan(["digits/lpc"], scale=0.02)[0]
    store = Store(tmp_path / "s", create=True)
    assert not store.is_busy(run)
    with store.writing(run):
        assert store.is_busy(run)
        outcome, = run_all([run], tmp_path / "s", on="processes:1")
    assert outcome.status == "failed"
    assert "expected to be the only process that writes this run, got another one at work on it" in outcome.reason


def test_a_run_whose_process_is_killed_over_and_over_is_given_up_with_words(tmp_path, monkeypatch):
    monkeypatch.setattr("lpc_core.experiments._runner._pool", lambda runs, *_: ((run, None) for run in runs))
    outcome, = run_all(plan(["digits/lpc"], scale=0.02), tmp_path / "s", on="processes:2")
    assert (outcome.status, outcome.reason[:36]) == ("failed", "its process was ended 4 times, by th")


def test_a_full_disk_is_said_and_loses_nothing(tmp_path, few, monkeypatch):
    run, real, written = plan(["digits/lpc"], scale=0.02)[0], store_file.write_whole, []

    def full_after_a_while(path, raw):
        written.append(path.name)
        if written.count("state.safetensors") > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, raw)

    monkeypatch.setattr(store_file, "write_whole", full_after_a_while)
    outcome, = run_all([run], tmp_path / "s")
    assert outcome.status == "failed"
    assert "expected room on the disk of" in outcome.reason
    assert "give the same command again, it goes on from the last epoch" in outcome.reason
    step = parameters(tmp_path / "s" / run.name)[1]["step"]
    assert 0 < step < run.config.steps
    monkeypatch.setattr(store_file, "write_whole", real)
    assert [outcome.status for outcome in run_all([run], tmp_path / "s")] == ["done"]


def test_a_diverged_run_is_stopped_and_said(tmp_path, monkeypatch, few):
    monkeypatch.setattr(RowTrainer, "_knobs", _hot(RowTrainer._knobs))
    run = plan(["digits/lpc"], scale=0.1)[0]
    outcome, = run_all([run], tmp_path / "s")
    assert outcome.status == "diverged"
    report, = (each.report for each in Store(tmp_path / "s").runs())
    assert report["diverged"].startswith("The run diverged before step")
    assert report["step"] < run.config.steps


def _hot(knobs):
    def hot(self):
        gamma, _ = knobs(self)
        return gamma if self.step < 150 else float("nan"), 1.0

    return hot


@pytest.mark.parametrize(("format_", "words"), [(2, "expected format 1 or older, got 2: a newer version wrote it"),
                                                ("x", "expected format 1 or older, got 'x'")])
def test_a_newer_store_is_refused(tmp_path, format_, words):
    (tmp_path / "store.json").write_text(json.dumps({"format": format_}))
    with pytest.raises(StoreError, match=words):
        list(run_all(plan(["digits/lpc"]), tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["store.json"]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("…")
    with pytest.raises(StoreError, match="expected a new or empty folder, or a store, got"):
        Store(tmp_path, create=True)
    with pytest.raises(StoreError, match="expected a folder that `lpc paper run` wrote, got"):
        Store(tmp_path / "nowhere")


def test_a_run_with_other_settings_under_its_name_is_refused(tmp_path, few):
    run = plan(["digits/lpc"], scale=0.02)[0]
    work(run, tmp_path / "s", "cpu")
    folder = tmp_path / "s" / run.name
    (folder / "report.json").unlink()
    about = json.loads((folder / "run.json").read_text())
    about["config"]["lr"] = 0.5
    (folder / "run.json").write_text(json.dumps(about))
    with pytest.raises(StoreError, match="expected the settings that this run began with, got others"):
        work(run, tmp_path / "s", "cpu")


def test_missing_data_is_said_before_anything_is_trained(tmp_path, monkeypatch):
    from lpc_core.data import DataError

    monkeypatch.setenv("LPC_DATA", str(tmp_path / "none"))
    monkeypatch.setattr("pooch.retrieve", lambda *_, **__: (_ for _ in ()).throw(OSError("no network")))
    with pytest.raises((DataError, OSError)):
        run_all(plan(["digits/lpc", "mnist/lpc"]), tmp_path / "s")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(("on", "words"), [
    ("there", "on: expected here, processes:N"), ("processes:0", "on: expected here, processes:N"),
    ("processes:many", "on: expected here"), ("processes:²", "on: expected here"),
    ("ray:nowhere", "on: expected ray:HOST:PORT, such as"),
    ("ray:127.0.0.1:1", r"on: expected a Ray cluster that answers .*nobody does there: .*, got 'ray:127.0.0.1:1'")])
def test_a_place_that_is_not_there_is_refused(tmp_path, on, words):
    with pytest.raises(ValueError, match=words):
        run_all(plan(["digits/lpc"]), tmp_path / "s", on=on)
    assert not (tmp_path / "s").exists()


def test_a_row_that_cannot_be_trained_leaves_no_store(tmp_path):
    with pytest.raises(ValueError, match="one that can be trained here"):
        run_all(plan(["imagenet/lpc"]), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_damaged_files_are_named(small_store, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(small_store, copy)
    folder = copy / "digits/lpc/seed-0,scale=0.02"
    (folder / "metrics.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(StoreError, match=r"metrics\.parquet: expected a whole Parquet file"):
        Store(copy).frame()
    (folder / "run.json").write_text('{"planned": 3}')
    with pytest.raises(StoreError, match="expected the facts of a run as this version writes them"):
        Store(copy).runs()


def test_looks_are_few_and_kept_latents_fit(small_store):
    run = Store(small_store).runs()[0]
    for name, nodes in (("lpc", 8), ("no-pen", 64)):
        kept = next(each for each in Store(small_store).runs() if each.planned.row.name == name).latents()
        assert kept.latents.shape == (9, 500, nodes)
        assert np.isfinite(kept.latents).all()
    assert len(run.epochs()) <= work_file.LOOKS + 2


def test_latents_of_wide_networks_keep_to_their_room_and_every_class():
    labels = np.sort(np.arange(2_000) % 100)
    kept = none = Latents.none(labels, 2_048, work_file.LOOKS + 1)
    seen = np.arange(2_000, dtype=np.float32)[:, None].repeat(2_048, axis=1)
    for step in range(work_file.LOOKS + 1):
        kept = kept.after(step, 1.0, seen)
    assert 0.9 * BYTES < kept.latents.nbytes <= BYTES
    assert len(kept.pack()) < 1.01 * BYTES
    assert len(set(labels[kept.latents[0, :, 0].astype(int)])) == len(none.labels) == 78  # of another class each
    np.testing.assert_array_equal(labels[kept.latents[-1, :, 0].astype(int)], kept.labels)


def test_latents_written_before_rows_were_noted_go_on():
    old = tensors.pack({"steps": np.arange(2), "gammas": np.ones(2), "latents": np.zeros((2, 3, 4), np.float32),
                        "labels": np.arange(3)}, kind="latents of a row")
    grown = unpack_latents(old).after(2, 1.0, np.arange(20, dtype=np.float32).reshape(5, 4))
    np.testing.assert_array_equal(grown.latents[2], np.arange(12).reshape(3, 4))


THREADS = """
import os, sys, pyarrow.parquet
from lpc_core.experiments import Store
run, before = Store(sys.argv[1]).runs()[0], set(os.listdir("/proc/self/task"))
print(len(run.epochs()), len(set(os.listdir("/proc/self/task")) - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_reading_starts_no_threads(small_store):
    """Those of pyarrow end the process with an abort now and then, after all was said (apache/arrow#34314)."""
    done = subprocess.run([sys.executable, "-c", THREADS, small_store], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["9", "0"]
