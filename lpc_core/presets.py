"""A good starting run for every data set: what the lab shows when a data set is picked and nothing else is said."""

from __future__ import annotations

from lpc_core.config import RunConfig, unflatten

# Only what differs from the defaults (which are the hypercube's, the paper's Figure 1).
_PRESETS: dict[str, dict[str, object]] = {
    "hypercube": {},
    "moons": {"classes": 2, "samples": 2_000, "test_samples": 1_000, "noise": 0.15},
    "circles": {"classes": 3, "samples": 2_000, "test_samples": 1_000, "noise": 0.08},
    "spirals": {"classes": 3, "samples": 2_000, "test_samples": 1_000, "noise": 0.05, "hidden": (64, 64)},
    "xor": {"classes": 2, "samples": 2_000, "test_samples": 1_000, "noise": 0.15},
    "digits": {"samples": 1_437, "test_samples": 360, "hidden": (64, 64), "latent_dim": 8, "gamma_start": 1.0},
    "mnist": {"samples": 10_000, "test_samples": 2_000, "hidden": (256, 256), "latent_dim": 8, "lr": 2e-3},
    "fashion-mnist": {"samples": 10_000, "test_samples": 2_000, "hidden": (256, 256), "latent_dim": 8, "lr": 2e-3},
    "cifar10": {"samples": 2_000, "test_samples": 1_000, "latent_dim": 8, "dropout": 0.2, "lr": 3e-3,
                "lr_schedule": "cosine", "lr_end": 0.01, "gamma_start": 1e-2, "ramp_steps": 1_800, "steps": 3_000,
                "batch_size": 64},
    "cifar100": {"samples": 5_000, "test_samples": 1_000, "latent_dim": 64, "dropout": 0.2, "lr": 3e-3,
                 "lr_schedule": "cosine", "lr_end": 0.01, "gamma_start": 1e-2, "ramp_steps": 3_000, "steps": 5_000,
                 "batch_size": 64},
}


def default_run(dataset: str) -> RunConfig:
    """The starting run for ``dataset``; a set without a preset of its own gets the plain defaults."""
    return unflatten({"dataset": dataset, **_PRESETS.get(dataset, {})})
