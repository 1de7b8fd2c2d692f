"""NC2 of the arrangements that have names, and the reference values against the arrangements themselves."""

import itertools
import math

import numpy as np
import pytest

from lpc_core.metrics import measure, readings, reference

NAMES = ("nc2_equinorm", "nc2_equiangular", "nc2_maxangle")


def simplex(classes):
    return np.eye(classes) - 1 / classes


def orthoplex(d):
    return np.concatenate([np.eye(d), -np.eye(d)])


def cube(d):
    return np.array(list(itertools.product([-1.0, 1], repeat=d)))


def of(points, per_class=3):
    labels = np.repeat(np.arange(len(points)), per_class)
    return readings(points[labels], labels, only=(*NAMES, "nc1_pinv", "nc1_cdnv"))


def turned(points, d):
    """The points in d nodes, turned and shifted."""
    rng = np.random.default_rng(d)
    padded = np.concatenate([points, np.zeros((len(points), d - points.shape[1]))], axis=1)
    return padded @ np.linalg.qr(rng.normal(size=(d, d)))[0] * 7 + rng.normal(size=d)


@pytest.mark.parametrize(("classes", "d"), [(2, 3), (3, 3), (10, 10), (10, 16)])
def test_a_perfect_simplex_has_nc2_and_nc1_of_0(classes, d):
    found = of(turned(simplex(classes), d))
    for name, reading in found.items():
        assert reading.value == pytest.approx(0, abs=1e-14), name
        assert reading.at_floor, name
    assert f"reference: simplex ETF (d = {d} ≥ K − 1 = {classes - 1})" in found["nc2_maxangle"].reason


@pytest.mark.parametrize(("points", "name"), [(orthoplex(3), "orthoplex"), (orthoplex(8), "orthoplex"),
                                              (cube(3), "hypercube code"), (cube(5), "hypercube code")])
def test_the_reference_values_are_those_of_the_arrangement(points, name):
    found, best = of(points), reference(*points.shape)
    assert best.name == name
    assert best.exact
    assert found["nc2_equinorm"].value == pytest.approx(best.equinorm, abs=1e-14)
    assert found["nc2_equiangular"].value == pytest.approx(best.equiangular)
    assert found["nc2_maxangle"].value == pytest.approx(best.maxangle)
    assert f"reference: {name} (no simplex ETF: d = {points.shape[1]} < K − 1 = {len(points) - 1}); " \
           f"there nc2_equiangular = {best.equiangular:.3g}" in found["nc2_equiangular"].reason


def test_no_arrangement_beats_the_bound():
    rng = np.random.default_rng(0)
    for classes, d in itertools.product((5, 7, 12), (2, 3, 4)):
        least = reference(classes, d).equiangular
        for _ in range(50):
            points = rng.normal(size=(classes, d))
            for _ in range(200):  # unit vectors that sum to 0
                points -= points.mean(axis=0)
                points /= np.linalg.norm(points, axis=1, keepdims=True)
            assert of(points)["nc2_equiangular"].value >= least - 1e-9


@pytest.mark.parametrize(("classes", "d", "name"), [
    (2, 1, "simplex ETF"), (3, 1, "none (K > 2^d)"), (4, 2, "orthoplex"), (10, 9, "simplex ETF"), (10, 8, "orthoplex"),
    (10, 5, "orthoplex"), (10, 4, "hypercube code"), (16, 4, "hypercube code"), (17, 4, "none (K > 2^d)"),
    (100, 64, "orthoplex"), (1_000, 64, "hypercube code")])
def test_which_reference_exists(classes, d, name):
    assert reference(classes, d).name == name


def test_a_code_that_does_not_fill_the_cube_is_given_a_bound():
    words = of(cube(5)[::2])["nc2_equiangular"].reason
    assert "means of equal lengths read at least " in words


@pytest.mark.parametrize("points", [cube(3)[:7], orthoplex(3)[:5], orthoplex(4)[:7]])
def test_a_part_of_an_arrangement_is_not_said_to_be_even(points):
    """Its middle is not the origin, so its points are not equally far from it."""
    reading = of(points)["nc2_equinorm"]
    assert reading.value > 0.01
    assert "equinorm" not in reading.reason
    assert math.isnan(reference(*points.shape).equinorm)


def test_agrees_with_loops():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 5
    latents = rng.normal(size=(5, 3))[labels] + rng.normal(size=(90, 3))
    means = np.stack([latents[labels == c].mean(axis=0) for c in range(5)])
    centred = means - means.mean(axis=0)
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in itertools.combinations(centred, 2)]
    lengths = [np.linalg.norm(a) for a in centred]
    expected = np.std(lengths) / np.mean(lengths), np.std(cosines), np.mean(np.abs(np.array(cosines) + 1 / 4))
    assert measure(latents, labels, only=NAMES) == pytest.approx(dict(zip(NAMES, expected, strict=True)))


def test_isotropic_noise_has_nearly_a_simplex_of_means():
    """In many dimensions independent vectors are equally long and, once centred, at equal angles."""
    found = measure(np.random.default_rng(0).normal(size=(500, 20_000)), np.arange(500) % 5, only=NAMES)
    assert max(found.values()) < 0.03


def test_undefined_says_why():
    assert {r.reason for r in of(np.ones((1, 2))).values() if "NC2" in r.reason} == {
        "NC2 compares classes, and there is only one"}
    assert of(np.ones((3, 2)))["nc2_equinorm"].reason == "the class means coincide"
    central = of(np.array([[-1.0], [0], [1]]))
    assert math.isnan(central["nc2_equiangular"].value)
    assert central["nc2_equiangular"].reason.startswith("a class mean lies on the global mean and has no direction")
    assert central["nc2_equinorm"].value == pytest.approx(math.sqrt(2) / 2)
    with pytest.raises(ValueError, match=r"expected two classes or more and d >= 1, got K=1 and d=2; NC2 compares"):
        reference(1, 2)
