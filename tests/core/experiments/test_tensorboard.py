"""Runs as TensorBoard reads them: read back by TensorBoard itself; refusals without it."""

import sys

import pytest

from lpc_core.experiments import Store, StoreError, export_tensorboard, value_of


def test_every_look_and_the_end_are_there(small_store, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs = [run for run in Store(small_store).runs() if run.planned.seed == 0]
    export_tensorboard(runs, tmp_path / "out")
    for run in runs:
        found = EventAccumulator(str(tmp_path / "out" / run.planned.name)).Reload()
        for name in ("gamma", "train_accuracy", "norm_mean"):
            kept = {line["step"]: line[name] for line in run.epochs()}
            assert {each.step: each.value for each in found.Scalars(name)} == pytest.approx(kept)
        assert found.Scalars("end/test_accuracy")[0].value == pytest.approx(value_of(run, "test_accuracy"))
        times = [each.wall_time for each in found.Scalars("gamma")]
        assert times == sorted(times)
    with pytest.raises(StoreError, match=r"expected a new or empty folder, got .*out with something in it"):
        export_tensorboard(runs, tmp_path / "out")


def test_without_the_package_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(StoreError, match=r"expected the package tensorboard, .* pip install 'lpc-lab\[tensorboard\]'"):
        export_tensorboard([], tmp_path / "out")
