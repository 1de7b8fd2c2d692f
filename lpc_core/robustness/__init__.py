"""Attacks that seek the smallest change of an input that changes a classifier's answer, and an honest report."""

from __future__ import annotations

from lpc_core.robustness._base import Attack
from lpc_core.robustness._flags import Flag
from lpc_core.robustness._known import attacks, seconds_for
from lpc_core.robustness._report import RobustnessReport, Summary, report
from lpc_core.robustness._result import AttackResult, robust_share
from lpc_core.robustness._search import Search
from lpc_core.robustness.ddn import ddn
from lpc_core.robustness.deepfool import deepfool
from lpc_core.robustness.fmn import fmn
from lpc_core.robustness.hopskipjump import hopskipjump
from lpc_core.robustness.pgd_l2 import pgd_l2
from lpc_core.robustness.pgd_linf import pgd_linf

__all__ = ["Attack", "AttackResult", "Flag", "RobustnessReport", "Search", "Summary", "attacks", "ddn", "deepfool",
           "fmn", "hopskipjump", "pgd_l2", "pgd_linf", "report", "robust_share", "seconds_for"]
