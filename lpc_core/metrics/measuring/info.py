"""What every number means: name, formula, one plain sentence and source, for tables, tooltips and axes."""

from __future__ import annotations

from lpc_core.metrics.measuring.base import PAPER, Metric
from lpc_core.metrics.measuring.group import groups
from lpc_core.registry import discover

_OF_A_RUN = (  # what training knows of itself; each other module brings the words of what it measures
    Metric("loss", "Loss", "CE + γ·‖z‖²", "What training makes small: mistakes plus the cost of large latents.",
           PAPER, "log", "loss", "nats"),
    Metric("ce", "Cross-entropy", "mean of −log p_y",
           "How unsure the network is of the right class. 0 is certain and right; log K is a blind guess.",
           "standard", "log", "cross-entropy", "nats"),
    Metric("penalty", "Penalty", "γ · mean of ‖z‖²", "What the latents pay for lying away from the origin.",
           PAPER, "log", "penalty", "nats"),
    Metric("train_accuracy", "Training accuracy", "share of ŷ = y, training samples",
           "How many training samples are classified right. From 99.9 % on the paper speaks of the terminal phase.",
           "standard", "percent", "train"),
    Metric("test_accuracy", "Test accuracy", "share of ŷ = y, held-out samples",
           "How many samples it has never seen are classified right.", "standard", "percent", "test"),
    Metric("lr", "Learning rate", "step size of the backbone", "How far the backbone's weights move per step.",
           "standard", "log"),
    Metric("gamma", "γ", "factor of ‖z‖² in the loss",
           "How strongly latents are pulled to the origin. The mean convention (the authors' code) is d times weaker "
           "at the same number.", PAPER, "log"),
)


def collect() -> dict[str, Metric]:
    """The words of every metric by name: those of a run, and the ``METRICS`` of every module here."""
    found = [*_OF_A_RUN, *(metric for metrics in discover("lpc_core.metrics", "METRICS", tuple).values()
                           for metric in metrics)]
    names = [metric.name for metric in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"expected each metric to be explained once, got {', '.join(twice)} twice; "
                         "take the words out of one of the modules")
    bare = sorted({name for group in groups().values() for name in group.names}.difference(names))
    if bare:
        raise ValueError(f"expected words for each metric that is measured, got none for {', '.join(bare)}; "
                         "add a Metric to METRICS beside GROUP")
    return dict(zip(names, found, strict=True))
