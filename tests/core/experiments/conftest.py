"""A small store of finished runs, and measuring on few samples, so that a run takes a second."""

import pytest

from lpc_core.experiments import plan, run_all
from tests.conftest import once

FEW = {"MOST": 200, "ATTACKED": 12, "SLOPES": 40, "ATTACKS": ("deepfool", "ddn")}


@pytest.fixture
def few(monkeypatch, tables):
    for name, value in FEW.items():
        monkeypatch.setattr(f"lpc_core.experiments._measure.{name}", value)


@pytest.fixture(scope="session")
def tables():
    """What a run's numbers are kept with."""
    pytest.importorskip("pyarrow")


@pytest.fixture(scope="session")
def small_store(tmp_path_factory, tables):
    """digits/lpc, digits/no-pen and digits/lin-pen under two seeds, eight epochs each. Not to be written to."""
    return once(tmp_path_factory, "paper", _run) / "store"


def _run(folder):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setattr(f"lpc_core.experiments._measure.{name}", value)
        runs = plan(["digits/lpc", "digits/no-pen", "digits/lin-pen"], 2, scale=0.02)
        assert [outcome.status for outcome in run_all(runs, folder / "store")] == ["done"] * 6
