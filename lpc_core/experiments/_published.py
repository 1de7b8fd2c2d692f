"""The numbers of the publication (generation r3): mean and standard deviation over five runs, as in its tables."""

from __future__ import annotations

Value = tuple[float, float | None]  # mean, standard deviation where one is given

SOURCE = "\"LPC induces an information bottleneck\" (r3), 5 runs each"
_NAMES = ("deepfool", "test_accuracy", "auroc_mahalanobis", "auroc_odin", "sigma_w", "norm_cv")


def _row(*values: float | Value | None) -> dict[str, Value]:
    return {name: value if isinstance(value, tuple) else (value, None)
            for name, value in zip(_NAMES, values, strict=True) if value is not None}


PUBLISHED: dict[tuple[str, str], dict[str, Value]] = {  # (data, row) → quantity → value
    ("cifar10", "lpc"): _row((0.725, 0.067), (0.9486, 0.0009), 0.91, 0.84, 1.2e-12, 0.033),
    ("cifar10", "lpc-wide"): _row((0.336, 0.119), (0.9485, 0.0006), 0.92, 0.92, 7.9e-15, 0.033),
    ("cifar10", "lpc-narrow"): _row((0.526, 0.083), (0.9454, 0.0008), 0.90, 0.77, 1.6e-12, 0.045),
    ("cifar10", "no-pen"): _row((0.014, 0.001), (0.9454, 0.0004), 0.85, 0.69, 0.029, 0.120),
    ("cifar10", "no-pen-dropout"): _row((0.016, 0.001), (0.9454, 0.0006), 0.87, 0.73, 0.016, 0.158),
    ("cifar10", "lin-pen"): _row((0.014, 0.000), (0.9453, 0.0005), 0.77, 0.68, 6.9, 0.176),
    ("cifar100", "lpc"): _row((0.247, 0.011), (0.779, 0.0034), 0.86, 0.86, 3.2e-12, None),
    ("cifar100", "no-pen"): _row(0.008, 0.7702, 0.76, 0.80, None, None),
    ("svhn", "lpc"): _row((0.847, 0.142), 0.9669, 0.91, 0.82, 7.7e-11, None),
    ("svhn", "no-pen"): _row(0.029, 0.9640, 0.89, 0.71, None, None),
}
CORRELATION = {"cifar10": 0.97, "cifar100": 0.985}  # Pearson's r of Figure 3


def published(data: str, row: str, generation: str) -> dict[str, Value]:
    """What the publication gives for a row: its own, or for a stand-in that of the same row on CIFAR-10."""
    own = PUBLISHED.get((data, row), {}) if generation == "r3" else {}
    return own if generation else PUBLISHED.get(("cifar10", row), {})
