"""Studies: one run measured at many moments, many runs measured at their end: what the paper's Figures 3 to 5 show."""

from __future__ import annotations

from lpc_core.study._base import Moment, Study, StudyError, SweepRow, tpt_step
from lpc_core.study._correlation import Correlation, correlation, pearson
from lpc_core.study._files import add_moment, add_row, open_study, start_study
from lpc_core.study._follow import follow, moment_steps
from lpc_core.study._sweep import default_sweep, sweep

__all__ = ["Correlation", "Moment", "Study", "StudyError", "SweepRow", "add_moment", "add_row",
           "correlation", "default_sweep", "follow", "moment_steps", "open_study", "pearson", "start_study", "sweep",
           "tpt_step"]
