"""Files of other people's, read without trusting them: nothing in a file is ever executed."""

from __future__ import annotations

from lpc_core.checkpoint._base import Checkpoint, Embeddings, FileRefused, Limits

__all__ = ["Checkpoint", "Embeddings", "FileRefused", "Limits"]
