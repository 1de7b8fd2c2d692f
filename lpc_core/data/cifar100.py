"""CIFAR-100: 60,000 colour photographs, 32 × 32 pixels, with their 100 fine labels (Krizhevsky 2009)."""

from __future__ import annotations

from functools import partial

from lpc_core.data._base import Source
from lpc_core.data._cifar import Cifar, Version, read_binary, read_python

TRAIN_RECORDS = 50_000
TRAIN_BYTES = 2**28  # of the pickled training set: 155 MB as published, 230 MB when Python 3 saved it with protocol 2

# Of the two label bytes, coarse then fine, read_binary keeps the last.
_BINARY = Version("cifar-100-binary", "cifar-100-binary.tar.gz", ("train.bin",), "test.bin",
                  partial(read_binary, label_bytes=2, max_records=TRAIN_RECORDS))
_PYTHON = Version("cifar-100-python", "cifar-100-python.tar.gz", ("train",), "test",
                  partial(read_python, key="fine_labels", max_bytes=TRAIN_BYTES))

_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""

_CIFAR100 = Cifar(
    name="cifar100",
    versions=(_BINARY, _PYTHON),
    url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    md5="03b5dce01913d631647c71ecec9e9cb8",
    class_names=tuple(name.replace("_", " ") for name in _NAMES.split()),
)

SOURCE = Source("CIFAR-100", "Small colour photographs of a hundred kinds of things (170 MB).", (), _CIFAR100.load,
                _CIFAR100.form, _CIFAR100.here)
