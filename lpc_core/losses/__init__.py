"""Losses of a run."""

from __future__ import annotations

from lpc_core.losses.latent_l2 import gamma_sum, latent_l2

__all__ = ["gamma_sum", "latent_l2"]
