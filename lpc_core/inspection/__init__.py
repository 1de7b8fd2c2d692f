"""Looking into a checkpoint or embeddings: which layout it is, its latents on data, everything measured on them."""

from __future__ import annotations

from lpc_core.inspection._base import Inspection

__all__ = ["Inspection"]
