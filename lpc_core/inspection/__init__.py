"""Looking into a checkpoint or embeddings: which layout it is, its latents on data, everything measured on them.

Names load on first use: the process that reads a data file imports this package too, and must not pay for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpc_core.inspection._base import Inspection
    from lpc_core.inspection.analysis import certainty, inspect
    from lpc_core.inspection.collapsing import Collapser, CollapseView, collapse_view
    from lpc_core.inspection.comparing import compare
    from lpc_core.inspection.films import film_embeddings
    from lpc_core.inspection.heads import HeadCandidate, HeadView, head_candidates, head_view, pick_head
    from lpc_core.inspection.layouts import Recognised, recognise
    from lpc_core.inspection.projecting import components, project
    from lpc_core.inspection.reporting import readings_csv, report, samples_csv
    from lpc_core.inspection.running import Cancelled, embed
    from lpc_core.inspection.samples import Samples, gather
    from lpc_core.inspection.scaling import Normalisation, normalisation
    from lpc_core.inspection.storing import InspectionError, load, save

_HOMES = {
    "Inspection": "_base", "inspect": "analysis", "certainty": "analysis", "Collapser": "collapsing",
    "CollapseView": "collapsing", "collapse_view": "collapsing", "compare": "comparing", "film_embeddings": "films",
    "HeadCandidate": "heads", "HeadView": "heads", "head_candidates": "heads", "head_view": "heads",
    "pick_head": "heads", "Recognised": "layouts", "recognise": "layouts", "Normalisation": "scaling",
    "normalisation": "scaling", "components": "projecting", "project": "projecting", "Cancelled": "running",
    "embed": "running", "Samples": "samples", "gather": "samples", "InspectionError": "storing", "load": "storing",
    "save": "storing", "report": "reporting", "readings_csv": "reporting", "samples_csv": "reporting",
}
__all__ = [
    "Cancelled",
    "CollapseView",
    "Collapser",
    "HeadCandidate",
    "HeadView",
    "Inspection",
    "InspectionError",
    "Normalisation",
    "Recognised",
    "Samples",
    "certainty",
    "collapse_view",
    "compare",
    "components",
    "embed",
    "film_embeddings",
    "gather",
    "head_candidates",
    "head_view",
    "inspect",
    "load",
    "normalisation",
    "pick_head",
    "project",
    "readings_csv",
    "recognise",
    "report",
    "samples_csv",
    "save",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lpc_core.inspection' has no attribute {name!r}")
    return getattr(importlib.import_module(f"lpc_core.inspection.{_HOMES[name]}"), name)
