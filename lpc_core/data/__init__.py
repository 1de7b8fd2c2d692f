"""Data sources, one file each: `load(config, seed)` returns a `Dataset`, whichever source the config names."""

from __future__ import annotations

from lpc_core.data._base import DataError, Dataset, Form, Source, data_root, load, sources, torch_shape
from lpc_core.data._split import TooManyAsked, spread
from lpc_core.progress import Progress

__all__ = ["DataError", "Dataset", "Form", "Progress", "Source", "TooManyAsked", "data_root", "load", "sources",
           "spread", "torch_shape"]
