"""Figure 3: the separation ratio 𝓡 against robustness, two points per run: the smallest known perturbation beside the
mean that the paper takes, DeepFool's, whose perturbations may be longer than the inputs themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from app.charts import Card, _ink
from app.charts.words import listed, number, percent, shown
from app.words import N_, _
from lpc_core.phase import at_chance
from lpc_core.study import Correlation, SweepRow, pearson

SERIES = {"smallest": N_("smallest known perturbation"), "deepfool": N_("paper's DeepFool mean")}
_LOOKS = {"smallest": (_ink.BLUE, "circle"), "deepfool": (_ink.ORANGE, "circle-open")}
ATTACKS = ("smallest", "deepfool", "ddn")  # in the file behind the chart
CONTRADICTED = 0.9  # of DeepFool's norm; where a smaller one is known, DeepFool has overstated
EDGE = 1.0  # ‖δ‖/‖x‖ above which a point is drawn at the edge: that is no perturbation but another input


class SeparationInfo(NamedTuple):
    """All that the chart draws."""

    runs: tuple[SweepRow, ...]
    guessing: tuple[SweepRow, ...]  # of these, right no more often than a guess: their robustness means nothing
    r: dict[str, dict[str, Correlation]]  # attack → r by `pearson`, runs at chance left out
    contradicted: tuple[str, ...]  # titles of runs where clearly smaller perturbations than DeepFool's are known

    @property
    def sound(self) -> list[SweepRow]:
        """The other runs."""
        return [run for run in self.runs if run not in self.guessing]


def info(rows: Sequence[SweepRow], classes: int) -> SeparationInfo:
    """The runs of a sweep over data of ``classes`` classes."""
    guessing = tuple(row for row in rows if at_chance(row.test_accuracy, classes))
    sound = [row for row in rows if row not in guessing]
    return SeparationInfo(tuple(rows), guessing, {attack: pearson(sound, attack) for attack in SERIES},
                          tuple(row.title for row in sound if _contradicted(row)))


def _contradicted(run: SweepRow) -> bool:
    smallest, deepfool = (run.robustness.get(attack, math.nan) for attack in SERIES)
    return smallest < CONTRADICTED * deepfool


def figure(drawn: SeparationInfo) -> go.Figure:
    """Both axes logarithmic; the two points of a run are joined; runs at chance are grey."""
    empty = not any(_positive(run, attack) for run in drawn.runs for attack in SERIES)
    chart = go.Figure(layout={
        "xaxis": {"type": "log", "title": {"text": _("separation ratio 𝓡")}, **({"range": [0, 3]} if empty else {})},
        "yaxis": {"type": "log", "title": {"text": _("robustness ‖δ‖/‖x‖")}, **({"range": [-2, 0]} if empty else {})}})
    if empty:
        return chart
    for run in drawn.runs:
        _join(chart, run)
    for attack, name in SERIES.items():
        _scatter(chart, drawn.sound, attack, _(name), False)
    for attack, name in SERIES.items():
        _scatter(chart, drawn.guessing, attack, _("{name}, at chance", name=_(name)), True)
    return chart


def _positive(run: SweepRow, attack: str) -> bool:
    return run.robustness.get(attack, math.nan) > 0 and run.separation_ratio > 0


def _join(chart: go.Figure, run: SweepRow) -> None:
    if all(_positive(run, attack) for attack in SERIES):
        chart.add_scatter(x=[run.separation_ratio] * 2, y=[_height(run, attack) for attack in SERIES], mode="lines",
                          line={"color": _ink.LINE, "width": 1.2}, hoverinfo="skip", showlegend=False)


def _height(run: SweepRow, attack: str) -> float:
    """Where the run's point is drawn: at the edge where the mean is longer than the inputs."""
    return min(run.robustness[attack], EDGE)


def _scatter(chart: go.Figure, runs: Sequence[SweepRow], attack: str, name: str, grey: bool) -> None:
    colour, symbol = _LOOKS[attack]
    runs = [run for run in runs if _positive(run, attack)]
    if not runs and grey:
        return
    chart.add_scatter(
        x=[run.separation_ratio for run in runs], y=[_height(run, attack) for run in runs], mode="markers", name=name,
        marker={"color": _ink.MUTED if grey else colour, "size": 10, "opacity": 0.55 if grey else 1,
                "symbol": [symbol if run.robustness[attack] <= EDGE else "triangle-up-open" for run in runs],
                "line": {"width": 1.6 if symbol.endswith("open") else 0}},
        customdata=[_told(run, attack, grey) for run in runs],
        hovertemplate="%{customdata}<br>𝓡 = %{x:.3g}<extra>" + name + "</extra>")


def _told(run: SweepRow, attack: str, by_chance: bool) -> str:
    succeeded = run.success.get(attack, math.nan)
    longer, mean = run.longer.get(attack, 0.0), run.robustness[attack]
    lines = [run.title, _("test accuracy {accuracy}, γ = {gamma}", accuracy=percent(run.test_accuracy),
                          gamma=number(run.gamma)),
             _("mean ‖δ‖/‖x‖ = {mean}", mean=number(mean)) + (_(", drawn at the edge") if mean > EDGE else "")]
    if longer > 0:
        lines.append(_("{longer} of them are longer than the input itself", longer=percent(longer)))
    if succeeded < 1:
        lines.append(_("the attack succeeded on {succeeded} of the samples", succeeded=percent(succeeded)))
    if by_chance:
        lines.append(_("no better than guessing: its robustness means nothing"))
    return "<br>".join(map(shown, lines))


def card(rows: Sequence[SweepRow], classes: int, empty: str) -> Card:
    """The chart on a page; ``empty`` says why there is no run yet."""
    drawn = info(rows, classes)
    return Card("separation", _title(drawn), figure(drawn), caption(drawn), ("separation_ratio",), _rows(drawn),
                "" if drawn.runs else empty, wide=True, aspect=0.45)


def _title(drawn: SeparationInfo) -> str:
    found = drawn.r["smallest"]["raw"]
    if not math.isfinite(found.r):
        return _("𝓡 against robustness")
    return _("𝓡 against robustness: Pearson r = {found}, n = {n} runs", found=_interval(found), n=found.n)


def _interval(found: Correlation) -> str:
    bounds = f" [{found.low:.2f}, {found.high:.2f}]" if math.isfinite(found.low) else ""
    return f"{found.r:.2f}{bounds}".replace("-", "−")


def caption(drawn: SeparationInfo) -> str:
    """What the runs say, and what must not be read into them."""
    if not drawn.runs:
        return _("Are classes that are further apart also harder to fool? A dozen runs around this one are trained and "
                 "attacked; the paper finds r = 0.97 on CIFAR-10.")
    told = [_trend(drawn), _warning(drawn), _longer(drawn), _guessing(drawn)]
    return " ".join(filter(None, told))


def _trend(drawn: SeparationInfo) -> str:
    joined = _("Each run is two points, joined: the mean of the smallest perturbation that DeepFool or DDN found for a "
               "sample, and the mean that the paper takes, DeepFool's.")
    found, paper = drawn.r["smallest"]["raw"], drawn.r["deepfool"]["raw"]
    if not math.isfinite(found.low):
        return joined
    grows = (_("Robustness grows with 𝓡.") if found.low > 0 else
             _("That robustness grows with 𝓡 is not established: the 95 % interval of r is not above 0."))
    logs = _("Of the logarithms, r = {r}.", r=f"{drawn.r['smallest']['log'].r:.2f}").replace("-", "−")
    by_paper = _("By the paper's DeepFool mean r is {paper}.", paper=_interval(paper)) if math.isfinite(paper.r) else ""
    return " ".join(filter(None, [joined, grows, logs, by_paper]))


def _warning(drawn: SeparationInfo) -> str:
    if not drawn.contradicted:
        return ""
    return _("Beware of DeepFool: for {names} perturbations are known that are at least {share} % smaller, so DeepFool "
             "overstates the robustness there.", names=listed(drawn.contradicted),
             share=round(100 * (1 - CONTRADICTED)))


def _longer(drawn: SeparationInfo) -> str:
    """Of means that perturbations longer than their inputs have a part in."""
    shares = [(run.title, run.longer.get("deepfool", 0.0)) for run in drawn.sound]
    told = [f"{title} ({percent(share)})" for title, share in shares if share > 0]
    if not told:
        return ""
    return _("Some of DeepFool's perturbations are longer than the input itself, in {told}: they are no small change "
             "of it, and they dominate the mean and its r. A mean longer than the inputs is drawn at the edge, as a "
             "triangle.", told=listed(told))


def _guessing(drawn: SeparationInfo) -> str:
    guessing = [run.title for run in drawn.guessing]
    if not guessing:
        return ""
    text = (N_("{names} is grey and left out of r: no better than guessing, robustness means nothing there.")
            if len(guessing) == 1 else
            N_("{names} are grey and left out of r: no better than guessing, robustness means nothing there."))
    return _(text, names=listed(guessing))


def _rows(drawn: SeparationInfo) -> dict[str, Sequence[Any]]:
    runs = drawn.runs
    if not runs:
        return {}
    return {
        "run": [run.title for run in runs], "gamma": [run.gamma for run in runs],
        "test_accuracy": [run.test_accuracy for run in runs],
        "separation_ratio": [run.separation_ratio for run in runs],
        **{f"{attack}_{what}": [getattr(run, what).get(attack, math.nan) for run in runs]
           for attack in ATTACKS for what in ("robustness", "success")},
        "at_chance": [run in drawn.guessing for run in runs]}
