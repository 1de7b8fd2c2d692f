"""CIFAR-10: 60,000 colour photographs of animals and vehicles, 32 × 32 pixels (Krizhevsky 2009)."""

from __future__ import annotations

from functools import partial

from lpc_core.data._base import Source
from lpc_core.data._cifar import Cifar, Version, read_binary, read_python

BATCH_RECORDS = 10_000
BATCH_BYTES = 2**26  # of a pickled batch: 31 MB as published, 46 MB when Python 3 saved it again with protocol 2

_BINARY = Version("cifar-10-batches-bin", "cifar-10-binary.tar.gz", tuple(f"data_batch_{n}.bin" for n in range(1, 6)),
                  "test_batch.bin", partial(read_binary, label_bytes=1, max_records=BATCH_RECORDS))
_PYTHON = Version("cifar-10-batches-py", "cifar-10-python.tar.gz", tuple(f"data_batch_{n}" for n in range(1, 6)),
                  "test_batch", partial(read_python, key="labels", max_bytes=BATCH_BYTES))

_CIFAR10 = Cifar(
    name="cifar10",
    versions=(_BINARY, _PYTHON),
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
    class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)

SOURCE = Source("CIFAR-10", "Small colour photographs of ten kinds of things (170 MB).", (), _CIFAR10.load,
                _CIFAR10.form, _CIFAR10.here)
