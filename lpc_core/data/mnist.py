"""MNIST: 70,000 handwritten digits, 28 × 28 grey pixels (LeCun, Cortes, Burges)."""

from __future__ import annotations

from lpc_core.data._base import Source
from lpc_core.data._mnist import MnistLike

_MNIST = MnistLike(
    name="mnist",
    folders=("MNIST/raw", "MNIST"),
    url="https://ossci-datasets.s3.amazonaws.com/mnist/",
    md5=("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
         "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"),
    class_names=tuple("0123456789"),
)

SOURCE = Source("MNIST", "Handwritten digits, 28×28: the classic first image set (11 MB).", (), _MNIST.load,
                _MNIST.form, _MNIST.here)
