"""Data sources, one file each: `load(config, seed)` returns a `Dataset`, whichever source the config names."""

from __future__ import annotations

from lpc_core.data._base import (
    NOT_HERE,
    DataError,
    Dataset,
    Form,
    Source,
    data_root,
    load,
    missing,
    sources,
    torch_shape,
)
from lpc_core.data._split import TooManyAsked, spread

__all__ = ["NOT_HERE", "DataError", "Dataset", "Form", "Source", "TooManyAsked", "data_root", "load",
           "missing", "sources", "spread", "torch_shape"]
