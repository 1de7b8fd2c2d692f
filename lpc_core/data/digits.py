"""scikit-learn's handwritten digits, 8 × 8 pixels: real images that need no download."""

from __future__ import annotations

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import Dataset, Form, Source
from lpc_core.data._split import SHARED, rng_for, stratified, subset
from lpc_core.progress import Progress

TEST_POOL = 360  # of the 1,797 images; the rest are for training
GREY_STEP = 15  # pixels come as 0…16; times 15 they span 0…240


def _load(config: DataConfig, seed: int, progress: Progress) -> Dataset:
    from sklearn.datasets import load_digits  # here because it takes a second to import

    bunch = load_digits()
    images = (bunch.images * GREY_STEP).astype(np.uint8)[..., np.newaxis]  # (1797, 8, 8, 1)
    in_test = np.zeros(len(images), bool)
    in_test[stratified(bunch.target, TEST_POOL, rng_for(seed, SHARED))] = True
    train, test = (([images[pool]], bunch.target[pool]) for pool in (~in_test, in_test))
    return subset("digits", tuple("0123456789"), train, test, config=config, seed=seed)


SOURCE = Source("Digits 8×8", "1,797 small handwritten digits; comes with the lab, no download.", (), _load,
                lambda config: Form((8, 8, 1), 10))
