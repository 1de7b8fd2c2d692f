"""Looking into a checkpoint or embeddings: which layout it is, its latents on data, everything measured on them."""

from __future__ import annotations

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

__all__ = ["Description", "HeadCandidate", "HeadView", "Inspection", "InspectionError", "Normalisation", "Recognised",
           "Samples", "Wishes", "certainty", "compare", "components", "embed", "film_embeddings", "gather",
           "head_candidates", "head_view", "inspect", "inspect_file", "load", "normalisation", "pick_head", "project",
           "readings_csv", "recognise", "report", "samples_csv", "save", "transferred"]
