"""What a run may take on a server: the rules, without any process."""

from __future__ import annotations

import re

import pytest

from app.desks.films import FilmDesk, Recording
from app.desks.studies import StudyDesk
from app.live import admission
from app.live.admission import Ledger, check, gets_own
from app.settings import Settings
from lpc_core.config import RunConfig, unflatten
from lpc_core.data import sources
from lpc_core.engine.cost import CostError, cost_of, cost_of_group
from lpc_core.film import FilmError
from lpc_core.presets import default_run, named_presets
from lpc_core.run_group import compare

SETTINGS = Settings(run_memory_mb=1_000, memory_mb=3_000, own_processes=2)
HEAVY = unflatten({"hidden": (2048, 2048)})  # about 330 MB, 0.2 s per step
MIDDLE = unflatten({"hidden": (512, 512)})  # 0.015 s per step


def test_every_starting_run_and_preset_can_be_had_by_a_whole_class_at_once():
    runs = [default_run(name) for name in sources()] + [preset.run for preset in named_presets().values()]
    for run in runs:
        cost = cost_of(run)
        check("me", cost, Settings(run_memory_mb=1_000), Ledger())
        if run.data.dataset not in ("cifar10", "cifar100", "svhn"):  # convnets get a process while there is one
            assert not gets_own(cost, 0, SETTINGS), run
        assert not gets_own(cost, 2, SETTINGS), run


def test_a_run_that_is_too_large_is_refused_with_the_estimate_and_what_to_change():
    with pytest.raises(CostError, match=r"^memory: expected at most 1,000 MB, what one run may take on this server, got"
                                        r" about [\d,]+ MB \([\d,]+ parameters, .* s per step\); reduce hidden$"):
        check("me", cost_of(unflatten({"hidden": (8192, 8192)})), SETTINGS, Ledger())
    with pytest.raises(CostError, match=r"reduce samples$"):
        check("me", cost_of(unflatten({"samples": 1_000_000, "dim": 1_000})), SETTINGS, Ledger())
    three = compare(HEAVY, [{}, {"optimizer": "sgd"}, {"seed": 0, "lr": 0.1}, {"lr": 0.2}], "abcd")
    check("me", cost_of(HEAVY), SETTINGS, Ledger())
    with pytest.raises(CostError, match="one run may take"):
        check("me", cost_of_group(three), SETTINGS, Ledger())


def test_what_others_hold_counts_and_one_s_own_run_before_does_not():
    ledger, cost, alive = Ledger(), cost_of(HEAVY), [True]
    for who in range(6):
        ledger.hold(who, cost.memory)
    ledger.hold("film", 3_000_000_000 - 7 * cost.memory, lambda: alive[0])
    check("me", cost, SETTINGS, ledger)
    ledger.hold("me", cost.memory)
    check("me", cost, SETTINGS, ledger)
    with pytest.raises(CostError, match=r"what is left of the server's 3,000 MB, got .* reduce hidden, or try again "
                                        r"when others have ended$"):
        check("one more", cost, SETTINGS, ledger)
    alive[0] = False  # a job that has ended holds nothing
    check("one more", cost, SETTINGS, ledger)
    ledger.hold("film", 3_000_000_000)
    ledger.release("film")
    check("one more", cost, SETTINGS, ledger)


def test_heavy_runs_get_own_processes_within_their_number_and_middling_ones_share_beyond_it():
    heavy, middle, light = cost_of(HEAVY), cost_of(MIDDLE), cost_of(RunConfig())
    assert [gets_own(cost, 1, SETTINGS) for cost in (heavy, middle, light)] == [True, True, False]
    assert not gets_own(middle, 2, SETTINGS)
    with pytest.raises(CostError, match=re.escape("all 2 places for runs this heavy are taken; try again when one has "
                                                  "ended, or reduce hidden or batch_size")):
        gets_own(heavy, 2, SETTINGS)
    with pytest.raises(CostError, match="this server takes no runs this heavy; reduce"):
        gets_own(heavy, 0, Settings(own_processes=0))
    for settings in ({"samples": 1_000_000}, {"batch_size": 65_536, "samples": 70_000, "hidden": (256,)}):
        assert gets_own(cost_of(unflatten(settings)), 0, SETTINGS)


def test_films_and_studies_count_too(monkeypatch):
    monkeypatch.setenv("LPC_RUN_MEMORY_MB", "1000")
    monkeypatch.setenv("LPC_DEVICE", "cpu")
    monkeypatch.setattr(admission, "LEDGER", Ledger())
    film, study = FilmDesk(), StudyDesk()
    try:
        with pytest.raises(FilmError, match=r"^memory: expected at most 1,000 MB, .* reduce hidden$"):
            film.record(Recording(unflatten({"hidden": (512, 512)}), "1e-3:1e5:64", 10, 100))
        study.want(unflatten({"hidden": (8192, 8192)}))
        assert study.error.startswith("memory: expected at most 1,000 MB")
        assert not any((film.running, study.look().busy))
        misfit = unflatten({"model": "convnet"})  # of a network that the run's vectors do not fit
        with pytest.raises(FilmError, match=r"^model: expected mlp for data that are not pictures"):
            film.record(Recording(misfit, "1e-3:1e5:64", 10, 100))
        study.want(misfit)
        assert study.error.startswith("model: expected mlp for data that are not pictures")
        study.want(RunConfig())
        assert admission.LEDGER.held_by_others("me") == cost_of(RunConfig()).memory
        study.cancel()
        assert admission.LEDGER.held_by_others("me") == 0
    finally:
        film.close()
        study.close()
