"""A data set that is not here: what is missing, where to put it, and what is there."""

from __future__ import annotations

import re

import pytest

from lpc_core.data import DataError, missing, sources

STORED = {"mnist": ("mnist", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                              "t10k-labels-idx1-ubyte"]),
          "cifar10": ("", ["cifar-10-binary.tar.gz"]), "cifar100": ("cifar-100-python", ["train", "test"]),
          "svhn": ("SVHN", ["train_32x32.mat", "test_32x32.mat"])}


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("LPC_DATA", str(tmp_path))
    return tmp_path


def test_made_sets_are_here_and_stored_ones_are_not_until_their_files_are(root):
    assert {name for name, source in sources().items() if not source.here()} == {*STORED, "fashion-mnist"}
    for name, (folder, files) in STORED.items():
        for file in files:
            assert not sources()[name].here()
            (root / folder).mkdir(exist_ok=True)
            (root / folder / file).touch()
        assert sources()[name].here()


def test_it_is_named_with_what_to_do_and_what_is_at_hand(root):
    told = missing("cifar10", DataError("expected to download it, got no connection; put it there"))
    assert told.startswith("CIFAR-10 is not here: expected to download it, got no connection; put it there. At hand")
    assert re.search(r"At hand are .*Digits 8×8.*Moons", told)
    assert "CIFAR-100" not in told
    assert missing("a file", DataError("expected pictures")) == "expected pictures"
