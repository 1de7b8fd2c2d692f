"""γ, learning rates and margins by epoch, against the epochs that the published versions reach their landmarks in."""

import pytest

from lpc_core.experiments import rows_named
from lpc_core.experiments._courses import GammaCourse, Regime


def course(name):
    return rows_named(name)[0].gamma


@pytest.mark.parametrize(("epoch", "least"), [(16, 1e-3), (31, 1e-2), (46, 0.1), (66, 1), (81, 10), (96, 100),
                                              (116, 1e3), (167, 1e4), (217, 1e5), (267, 1e6)])
def test_r6_reaches_each_power_of_ten_in_its_published_epoch(epoch, least):
    gamma = course("cifar10/lpc@r6")
    assert gamma.at(epoch) >= least > gamma.at(epoch - 1)
    assert gamma.at(1_000) == 1e6  # clipped exactly


@pytest.mark.parametrize(("row", "epoch", "end"), [("lpc-06", 257, 6e5), ("lpc-08", 262, 8e5), ("lpc-12", 272, 1.2e6)])
def test_r6s_ceilings_are_reached_when_published(row, epoch, end):
    gamma = course(f"cifar10/{row}")
    assert (gamma.epochs(), gamma.at(epoch), gamma.end) == (epoch, end, end)


@pytest.mark.parametrize(("name", "first", "epoch", "end"), [
    ("cifar10/lpc@r1", 0.01, 200, 9.35e4), ("cifar10/lpc@r3", 0.01, 379, 1.022e6),
    ("svhn/lpc@r3", 0.01, 547, 1.023e5), ("cifar10/lpc@r4", 0.0105, 378, 1e6), ("cifar10/lpc@r6", 2e-4, 267, 1e6),
    ("imagenet/lpc", 2e-4, 55, 1e6), ("mnist/figure-2", 1e-4, 195, 1e6)])
def test_first_epochs_and_ends(name, first, epoch, end):
    gamma = course(name)
    assert gamma.at(1) == pytest.approx(first)
    assert gamma.at(epoch) == pytest.approx(end, rel=0.1)
    if name.startswith("mnist"):
        assert gamma.at(25) == gamma.at(1) < gamma.at(27)  # held for 25 epochs, multiplied after the first one beyond
        assert any(gamma.at(e) == pytest.approx(1677.72) for e in range(1, 52))  # overshoots 1e3
    elif not name.endswith("r1"):
        assert gamma.epochs() == epoch


def test_the_imagenet_course_turns_in_epoch_24():
    assert [course("imagenet/lpc").at(epoch) for epoch in (24, 25)] == [1e3, 1.25e3]


def test_figure_1s_gamma_is_a_staircase_of_decades():
    values = [course("hypercube/figure-1").at(epoch) for epoch in range(1, 22)]
    assert {round(value, 9) for value in values if value >= 1e-3} == {1e-3, 1e-2, 0.1, 1, 10, 100}


def test_an_update_after_the_epoch_is_one_epoch_late():
    before = GammaCourse(1e-2, (Regime(2.0, 3, 1.0), Regime(1.5, 2, 9.0)))
    after = GammaCourse(1e-2, before.regimes, update="after")
    assert [after.at(epoch + 1) for epoch in range(1, 60)] == [before.at(epoch) for epoch in range(1, 60)]
    assert after.at(1) == 1e-2


def test_learning_rates():
    halved, cosine, warm = (rows_named(name)[0].lr for name in ("cifar10/lpc@r3", "cifar10/lpc@r6", "imagenet/lpc"))
    assert [halved.at(1.0, epoch) for epoch in (1, 250, 300, 301, 351, 800)] == [1, 1, 1, 0.5, 0.25, 2.0**-10]
    assert [cosine.at(1.0, epoch) for epoch in (1, 201)] == [1, 1]
    assert cosine.at(1.0, 601) == pytest.approx(0.5)
    assert cosine.at(1.0, 1_001) == pytest.approx(1e-8)
    assert warm.at(1.0, 1) == pytest.approx(0.1)
    assert warm.at(1.0, 6) == 1


def test_arcfaces_scale_and_margin():
    margins = rows_named("cifar10/no-pen-arcface")[0].margins
    assert margins.at(1) == (16, 0.1)
    assert margins.at(41)[1] == pytest.approx(0.5)
    assert (margins.at(48)[0], margins.at(49)[0], margins.at(500)[1]) == (63, 64, 0.5)
