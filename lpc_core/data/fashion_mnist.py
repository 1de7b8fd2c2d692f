"""Fashion-MNIST: 70,000 pieces of clothing, 28 × 28 grey pixels (Xiao, Rasul, Vollgraf 2017)."""

from __future__ import annotations

from lpc_core.data._base import Source
from lpc_core.data._mnist import MnistLike

_FASHION = MnistLike(
    name="fashion-mnist",
    folders=("FashionMNIST/raw", "FashionMNIST"),
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    md5=("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
         "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"),
    class_names=("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                 "Ankle boot"),
)

SOURCE = Source("Fashion-MNIST", "Clothes, 28×28: as small as MNIST, but harder (30 MB).", (), _FASHION.load,
                _FASHION.form, _FASHION.here)
