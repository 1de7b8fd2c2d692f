"""Stratified subsets: frequencies kept, every class there, seeds, and errors that name the field."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpc_core.config import ConfigError
from lpc_core.data._split import _take, balanced, stratified


def rng(seed=0):
    return np.random.default_rng(seed)


@given(sizes=st.lists(st.integers(1, 60), min_size=2, max_size=12), data=st.data())
@settings(max_examples=200)
def test_a_subset_keeps_the_class_frequencies(sizes, data):
    labels = rng().permutation(np.repeat(np.arange(len(sizes)), sizes))
    count = data.draw(st.integers(len(sizes), len(labels)))
    rows = stratified(labels, count, rng(1))
    kept = np.bincount(labels[rows], minlength=len(sizes))
    exact = count * np.array(sizes) / len(labels)
    assert len(rows) == len(set(rows.tolist())) == count
    assert kept.min() >= 1
    assert np.all(kept <= sizes)
    lifted = (exact < 1).sum()  # classes too rare for one sample get one all the same, from the large ones
    assert np.all(kept - exact < 1)
    assert np.all(exact - kept < 1 + lifted)


def test_equal_classes_differ_by_at_most_one():
    kept = np.bincount(np.arange(1000)[stratified(np.arange(1000) % 10, 123, rng())] % 10)
    assert sorted(kept) == [12] * 7 + [13] * 3


def test_all_samples_are_a_permutation():
    rows = stratified(np.arange(50) % 5, 50, rng())
    assert sorted(rows) == list(range(50))
    assert not np.array_equal(rows, np.arange(50))


def test_the_seed_decides():
    labels = np.arange(100) % 4
    np.testing.assert_array_equal(stratified(labels, 20, rng(3)), stratified(labels, 20, rng(3)))
    assert not np.array_equal(stratified(labels, 20, rng(3)), stratified(labels, 20, rng(4)))


@pytest.mark.parametrize(("count", "message"), [
    (13, "test_samples: expected at most 12, all there are, got 13"),
    (3, "test_samples: expected at least 4, one sample for each class, got 3"),
])
def test_errors_name_the_field_and_the_number(count, message):
    with pytest.raises(ConfigError) as error:
        stratified(np.arange(12) % 4, count, rng(), "test_samples")
    assert str(error.value) == message


def test_balanced_labels():
    assert np.bincount(balanced(11, 4, rng())).tolist() == [3, 3, 3, 2]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.data())
@settings(deadline=None)
def test_taking_rows_of_parts_is_taking_rows_of_the_whole(lengths, data):
    parts = [rng(i).integers(0, 256, (n, 2, 3), np.uint8) for i, n in enumerate(lengths)]
    rows = np.array(data.draw(st.lists(st.integers(0, sum(lengths) - 1), max_size=9) if sum(lengths) else st.just([])),
                    np.int64)
    np.testing.assert_array_equal(_take(parts, rows), np.concatenate(parts)[rows])
