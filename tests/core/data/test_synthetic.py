"""Synthetic sources: shapes, balance, seeds, and where the points lie."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpc_core.config import ConfigError, DataConfig
from lpc_core.data import load, sources

PLANAR = ("moons", "circles", "spirals", "xor")
SYNTHETIC = ("hypercube", *PLANAR)


def make(dataset, classes=3, *, samples=301, test_samples=100, noise=0.0, dim=20, seed=0):
    config = DataConfig(dataset=dataset, classes=classes, samples=samples, test_samples=test_samples, noise=noise,
                        dim=dim)
    return load(config, seed)


def test_every_source_says_what_it_is():
    assert set(sources()) >= {*SYNTHETIC, "digits", "mnist", "fashion-mnist", "cifar10", "cifar100"}
    for source in sources().values():
        assert source.title
        assert source.help.endswith(".")
        assert set(source.uses) <= set(vars(DataConfig()))


@pytest.mark.parametrize("dataset", SYNTHETIC)
@given(classes=st.integers(2, 100), extra=st.integers(0, 57), seed=st.integers(0, 2**31 - 1))
@settings(max_examples=15)
def test_classes_are_balanced_and_all_there(dataset, classes, extra, seed):
    data = make(dataset, classes, samples=classes + extra, test_samples=classes, noise=0.1, seed=seed)
    for labels, count in ((data.train_labels, classes + extra), (data.test_labels, classes)):
        sizes = np.bincount(labels, minlength=classes)
        assert labels.dtype == np.int64
        assert len(labels) == count
        assert len(sizes) == classes
        assert sizes.min() >= 1
        assert sizes.max() - sizes.min() <= 1
    assert data.classes == classes == len(set(data.class_names))
    assert data.name == dataset


@pytest.mark.parametrize("dataset", SYNTHETIC)
def test_inputs_are_float32_vectors_of_about_unit_size(dataset):
    data = make(dataset, classes=5, dim=7)
    width = 7 if dataset == "hypercube" else 2
    assert data.train_inputs.shape == (301, width)
    assert data.test_inputs.shape == (100, width)
    assert data.train_inputs.dtype == data.test_inputs.dtype == np.float32
    assert not data.is_image
    assert 0.8 <= np.abs(data.train_inputs).max() <= 1.5 + 1e-6


@pytest.mark.parametrize("dataset", SYNTHETIC)
def test_equal_seeds_give_equal_samples_and_others_do_not(dataset):
    one, same, other = make(dataset, noise=0.1), make(dataset, noise=0.1), make(dataset, noise=0.1, seed=1)
    for part in ("train_inputs", "train_labels", "test_inputs", "test_labels"):
        np.testing.assert_array_equal(getattr(one, part), getattr(same, part))
        assert not np.array_equal(getattr(one, part), getattr(other, part))
    assert not np.array_equal(one.train_inputs[:100], one.test_inputs)


@pytest.mark.parametrize("dataset", SYNTHETIC)
def test_training_samples_do_not_depend_on_the_number_of_test_samples(dataset):
    np.testing.assert_array_equal(make(dataset).train_inputs, make(dataset, test_samples=3).train_inputs)


@pytest.mark.parametrize("dataset", SYNTHETIC)
def test_noise_has_the_standard_deviation_asked_for(dataset):
    clean, noisy = make(dataset, samples=20_000), make(dataset, samples=20_000, noise=0.3)
    assert (noisy.train_inputs - clean.train_inputs).std() == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("dataset", SYNTHETIC)
@pytest.mark.parametrize("field", ["samples", "test_samples"])
def test_fewer_samples_than_classes_is_an_error(dataset, field):
    with pytest.raises(ConfigError) as error:
        make(dataset, classes=10, **{field: 9})
    assert str(error.value) == f"{field}: expected at least 10, one sample for each class, got 9"


@pytest.mark.parametrize(("classes", "names"), [(2, ("A", "B")), (26, tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
                                                (27, tuple(str(k) for k in range(1, 28)))])
def test_class_names(classes, names):
    assert make("moons", classes).class_names == names


@pytest.mark.parametrize(("classes", "dim"), [(4, 20), (2, 1), (64, 6), (100, 7), (100, 1000)])
def test_hypercube_classes_sit_on_different_vertices(classes, dim):
    data = make("hypercube", classes, dim=dim)
    assert np.all(np.abs(data.train_inputs) == 1)
    vertices = {(label, tuple(point)) for label, point in zip(data.train_labels, data.train_inputs, strict=True)}
    assert len(vertices) == len({point for _, point in vertices}) == classes
    assert {(label, tuple(p)) for label, p in zip(data.test_labels, data.test_inputs, strict=True)} == vertices


def test_a_hypercube_with_too_few_vertices_is_an_error():
    with pytest.raises(ConfigError) as error:
        make("hypercube", classes=100, dim=6)
    assert str(error.value) == ("classes: expected at most 64, the vertices of a hypercube with dim = 6 (a dim of 7 or "
                                "more has enough), got 100")


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_circles_have_evenly_spaced_radii(classes):
    data = make("circles", classes)
    np.testing.assert_allclose(np.linalg.norm(data.train_inputs, axis=1), (data.train_labels + 1) / classes, rtol=1e-5)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_moons_are_half_circles(classes):
    data = make("moons", classes)
    scale = 1.5 / (1 + 1.25 * (classes - 1) / 2)
    up = data.train_labels % 2 == 0
    centres = np.stack([1.25 * (data.train_labels - (classes - 1) / 2), np.where(up, -0.25, 0.25)], axis=1)
    away = data.train_inputs / scale - centres
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), 1, rtol=1e-5)
    assert np.all(np.where(up, away[:, 1] >= -1e-5, away[:, 1] <= 1e-5))


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_spiral_arms_are_the_first_arm_turned(classes):
    data = make("spirals", classes)
    x, y = data.train_inputs.astype(float).T
    radius = np.hypot(x, y)
    unwound = np.arctan2(y, x) / (2 * np.pi) - 1.25 * (radius - 0.1) / 0.9 - data.train_labels / classes
    np.testing.assert_allclose(unwound - np.round(unwound), 0, atol=1e-5)
    assert radius.min() >= 0.1 - 1e-6
    assert radius.max() <= 1 + 1e-6


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_xor_is_a_checkerboard(classes):
    data = make("xor", classes)
    column, row = np.floor((data.train_inputs.T + 1) * classes / 2).astype(int)
    np.testing.assert_array_equal((column + row) % classes, data.train_labels)


def test_xor_with_two_classes_is_the_sign_of_the_product():
    data = make("xor", classes=2, samples=1000)
    np.testing.assert_array_equal(data.train_labels, data.train_inputs.prod(axis=1) < 0)


@pytest.mark.parametrize("dataset", PLANAR)
@pytest.mark.parametrize("classes", [2, 5])
def test_without_noise_classes_do_not_touch(dataset, classes):
    data = make(dataset, classes, samples=1000)
    groups = [data.train_inputs[data.train_labels == k] for k in range(classes)]
    gaps = [np.linalg.norm(a[:, None] - b, axis=2).min() for a, b in itertools.combinations(groups, 2)]
    assert min(gaps) > 0.03


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(ValueError, match=r"dataset: expected one of cifar10, cifar100, circles, .*, got 'nosuch'"):
        load(DataConfig(dataset="nosuch"), 0)
