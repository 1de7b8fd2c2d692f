"""scikit-learn's digits as bytes."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from lpc_core.config import ConfigError, DataConfig
from lpc_core.data import load
from lpc_core.presets import default_run


def test_all_digits_are_there_once():
    data = load(default_run("digits").data, 0)
    assert data.train_inputs.shape == (1437, 8, 8, 1)
    assert data.test_inputs.shape == (360, 8, 8, 1)
    assert data.train_inputs.dtype == np.uint8
    assert data.is_image
    assert data.class_names == tuple("0123456789")
    bunch = load_digits()
    wanted = {(int(t), (15 * i).astype(np.uint8).tobytes()) for i, t in zip(bunch.images, bunch.target, strict=True)}
    inputs = np.concatenate([data.train_inputs, data.test_inputs])
    labels = np.concatenate([data.train_labels, data.test_labels])
    assert {(int(t), i.tobytes()) for i, t in zip(inputs, labels, strict=True)} == wanted


def test_the_test_set_is_stratified_and_seeded():
    config = default_run("digits").data
    one, same, other = load(config, 5), load(config, 5), load(config, 6)
    np.testing.assert_array_equal(one.test_inputs, same.test_inputs)
    assert not np.array_equal(one.test_inputs, other.test_inputs)
    assert set(np.bincount(one.test_labels)) <= {34, 35, 36, 37}


@pytest.mark.parametrize(("counts", "message"), [
    ({"samples": 1438}, "samples: expected at most 1437, all there are, got 1438"),
    ({"test_samples": 361}, "test_samples: expected at most 360, all there are, got 361"),
    ({"samples": 9}, "samples: expected at least 10, one sample for each class, got 9"),
])
def test_more_or_fewer_than_there_can_be(counts, message):
    with pytest.raises(ConfigError) as error:
        load(DataConfig(dataset="digits", **{"samples": 100, "test_samples": 100, **counts}), 0)
    assert str(error.value) == message
