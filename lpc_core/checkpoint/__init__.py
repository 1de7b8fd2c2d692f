"""Files of other people's, read without trusting them: nothing in a file is ever executed.

`open_file`, `open_tree` and `files_of` load on first use: the reading process, which also imports this package, must
not pay for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lpc_core.checkpoint._base import Checkpoint, Embeddings, FileRefused, Limits, TensorEntry
from lpc_core.checkpoint._wrappers import averaged

if TYPE_CHECKING:
    from lpc_core.checkpoint._open import files_of, open_file, open_tree

__all__ = ["Checkpoint", "Embeddings", "FileRefused", "Limits", "TensorEntry", "averaged", "files_of",
           "open_file", "open_tree"]


def __getattr__(name: str) -> Any:
    if name not in ("files_of", "open_file", "open_tree"):
        raise AttributeError(f"module 'lpc_core.checkpoint' has no attribute {name!r}")
    from lpc_core.checkpoint import _open

    return getattr(_open, name)
