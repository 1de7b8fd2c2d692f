"""The paper's experiments by name: rows of every published generation, a store of runs, and what they say.

for outcome in experiments.run_all(experiments.plan(["digits/lpc", "digits/no-pen"], seeds=3), Path("lpc-store")): …
experiments.Store("lpc-store").frame()      # every epoch of every run in one pandas DataFrame
"""

from __future__ import annotations

from lpc_core.experiments._catalogue import all_rows, check_data, rows_named
from lpc_core.experiments._figures import FIGURES, FigureData, figure
from lpc_core.experiments._markdown import table_in_markdown, texts, verdicts_in_markdown
from lpc_core.experiments._phase import MARKS, as_lines, cell_of, phase_diagram
from lpc_core.experiments._phase import Cell as PhaseCell
from lpc_core.experiments._plan import Planned, plan
from lpc_core.experiments._published import SOURCE
from lpc_core.experiments._results import Results, dumped, loaded, results
from lpc_core.experiments._row import OPTIONS, Row
from lpc_core.experiments._runner import Outcome, run_all
from lpc_core.experiments._store import Store, StoredRun, StoreError
from lpc_core.experiments._summaries import QUANTITIES, Group, families, grouped, value_of
from lpc_core.experiments._tables import TABLES, Cell, PaperTable, TableRow, in_words, paper_in_words, table
from lpc_core.experiments._tensorboard import export_tensorboard
from lpc_core.experiments._verdicts import Verdict, verdicts

__all__ = ["FIGURES", "MARKS", "OPTIONS", "QUANTITIES", "SOURCE", "TABLES", "Cell", "FigureData", "Group", "Outcome",
           "PaperTable", "PhaseCell", "Planned", "Results", "Row", "Store", "StoreError", "StoredRun", "TableRow",
           "Verdict", "all_rows", "as_lines", "cell_of", "check_data", "dumped", "export_tensorboard", "families",
           "figure", "grouped", "in_words", "loaded", "paper_in_words", "phase_diagram", "plan", "results",
           "rows_named", "run_all", "table", "table_in_markdown", "texts", "value_of", "verdicts",
           "verdicts_in_markdown"]
