"""r6, 2025-10-22 (HEAD): by its date the code of an ICLR 2026 submission; 1,000 epochs, γ in two regimes to 1e6."""

from __future__ import annotations

import dataclasses

from lpc_core.experiments._courses import GammaCourse, LrCourse, Regime
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._networks import OUTLINE, kinds, linear, none
from lpc_core.experiments.rows._rivals import rivals

GAMMA = GammaCourse(1e-4, (Regime(2.0, 5, 1e3), Regime(1.25, 5, 1e6)))
_IMAGENET = GammaCourse(1e-4, (Regime(2.0, 1, 1e3), Regime(1.25, 1, 1e6)))
_LR = LrCourse(cosine_after=200, cosine_epochs=800, floor=1e-8)
_LRS = (1e-4, 2e-4, 4e-4, 8e-4)
_SOURCE = "authors' code, HEAD of 2025-10-22"
_CEILINGS = {"lpc-06": 6e5, "lpc-08": 8e5, "lpc-12": 1.2e6}


def _rows(data: str) -> tuple[Row, ...]:
    return (*(_row(data, *kind) for kind in kinds(data, (64, 128, 32), GAMMA)),
            *rivals(data, "r6", _SOURCE, linear(data, 64), none(data), 1_000, GAMMA, _LR, _LRS))


def _row(data: str, name: str, title: str, settings: dict[str, object], gamma: GammaCourse | None) -> Row:
    return Row(data, name, "r6", title, _SOURCE, settings, 1_000, gamma, _LR, _LRS, notes=(OUTLINE,))


def _ceiling(name: str, most: float) -> Row:
    course = dataclasses.replace(GAMMA, regimes=(GAMMA.regimes[0], Regime(1.25, 5, most)))
    return _row("cifar10", name, f"LPC, γ to {most:g}", linear("cifar10", 64), course)


def _imagenet(name: str, title: str, penultimate: str, gamma: GammaCourse | None) -> Row:
    settings = {"samples": 1_281_167, "test_samples": 50_000, "model": "wideresnet50-2", "activation": "silu",
                "optimizer": "adamw", "weight_decay": 1e-7, "batch_size": 128, "penultimate": penultimate,
                "latent_dim": 128}
    return Row("imagenet", name, "r6", title, _SOURCE, settings, 200, gamma,
               LrCourse(cosine_after=70, cosine_epochs=130, floor=1e-7, warm_up=5), (5e-5, 1e-4, 1e-3),
               notes=("the authors' network doubles its channels twice (267.8 million parameters): it is a WRN-50-4",
                      "random resized crops of 224 pixels without flips; tests on the middle 224 of 256"),
               obstacle="ImageNet's pictures must be read from the disk while training, which this engine does not do")


ROWS = (*_rows("cifar10"), *_rows("cifar100"),
        _row("cifar10", "no-pen-wd", "NoPen, weight decay 0.1", {**none("cifar10"), "weight_decay": 0.1}, None),
        *(_ceiling(name, most) for name, most in _CEILINGS.items()),
        _imagenet("lpc", "LPC", "linear", _IMAGENET), _imagenet("no-pen", "NoPen", "none", None))
