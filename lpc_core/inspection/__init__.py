"""Looking into a checkpoint or embeddings: which layout it is, its latents on data, everything measured on them.

Names load on first use: the process that reads a data file imports this package too, and must not pay for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpc_core.inspection._base import Inspection
    from lpc_core.inspection.comparing import compare
    from lpc_core.inspection.films import film_embeddings
    from lpc_core.inspection.from_file import Description, Wishes, inspect_file
    from lpc_core.inspection.heads import HeadCandidate, HeadView, head_candidates, head_view, pick_head
    from lpc_core.inspection.inspecting import certainty, inspect
    from lpc_core.inspection.layouts import Recognised, recognise
    from lpc_core.inspection.projecting import components, project
    from lpc_core.inspection.reporting import readings_csv, report, samples_csv
    from lpc_core.inspection.running import embed
    from lpc_core.inspection.samples import Samples, gather
    from lpc_core.inspection.scaling import Normalisation, normalisation
    from lpc_core.inspection.storing import InspectionError, load, save
    from lpc_core.inspection.transferring import transferred

_OF = {
    "_base": ("Inspection",), "inspecting": ("certainty", "inspect"),
    "comparing": ("compare",), "from_file": ("Description", "Wishes", "inspect_file"), "films": ("film_embeddings",),
    "heads": ("HeadCandidate", "HeadView", "head_candidates", "head_view", "pick_head"),
    "layouts": ("Recognised", "recognise"), "projecting": ("components", "project"),
    "reporting": ("readings_csv", "report", "samples_csv"), "running": ("embed",),
    "samples": ("Samples", "gather"), "scaling": ("Normalisation", "normalisation"),
    "storing": ("InspectionError", "load", "save"), "transferring": ("transferred",),
}
_HOMES = {name: module for module, names in _OF.items() for name in names}
__all__ = ["Description", "HeadCandidate", "HeadView", "Inspection", "InspectionError", "Normalisation", "Recognised",
           "Samples", "Wishes", "certainty", "compare", "components", "embed", "film_embeddings", "gather",
           "head_candidates", "head_view", "inspect", "inspect_file", "load", "normalisation", "pick_head", "project",
           "readings_csv", "recognise", "report", "samples_csv", "save", "transferred"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lpc_core.inspection' has no attribute {name!r}")
    return getattr(importlib.import_module(f"lpc_core.inspection.{_HOMES[name]}"), name)
