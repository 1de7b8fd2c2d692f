"""The phase diagram as a table of links: each cell is its run, opened live in Play; a sign beside the colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from app.words import _
from lpc_core.config import RunConfig, unflatten
from lpc_core.experiments import MARKS, PhaseCell
from lpc_core.film import run_of
from lpc_core.parsing import to_short_texts

_HUES = {"collapsed": "#2a9d5c", "separated": "#3b7dd8", "not fitted": "#d9a400", "totally collapsed": "#d8433b",
         "guessing": "#d87f3b", "diverged": "#9a52c7"}
STYLE = """
.lpc-phase { overflow-x: auto; }
.lpc-phase table { border-collapse: separate; border-spacing: 2px; margin: 0; }
.lpc-phase th { font-weight: 400; font-size: .78rem; padding: 0 .35rem; text-align: right; white-space: nowrap; }
.lpc-phase thead th, .lpc-phase tfoot th { text-align: center; padding: .1rem 0; }
.lpc-phase td { padding: 0; }
.lpc-phase a, .lpc-phase-key b { display: block; width: 2rem; height: 2rem; line-height: 2rem; text-align: center;
  border-radius: .3rem; color: inherit; text-decoration: none; font-weight: 700; }
.lpc-phase a:hover, .lpc-phase a:focus-visible { outline: 2px solid currentColor; }
.lpc-phase-key { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .6rem 0 0; padding: 0; list-style: none; }
.lpc-phase-key li { display: flex; align-items: center; gap: .4rem; font-size: .85rem; margin: 0; }
.lpc-phase-key b { width: 1.4rem; height: 1.4rem; line-height: 1.4rem; }
@media (max-width: 640px) { .lpc-phase a { width: 1.5rem; height: 1.5rem; line-height: 1.5rem; } }
""" + "".join(f'.lpc-{name.replace(" ", "-")} {{ background: color-mix(in srgb, {hue} 45%, transparent); }}\n'
              for name, hue in _HUES.items())


def grid(config: RunConfig, cells: Sequence[PhaseCell]) -> str:
    """The table as HTML: γ grows to the right, the head's learning rate upwards."""
    rates = sorted({cell.head_lr for cell in cells}, reverse=True)
    gammas = sorted({cell.gamma for cell in cells})
    by_place = {(cell.head_lr, cell.gamma): cell for cell in cells}
    rows = "".join(f'<tr><th scope="row">{rate:.2g}</th>' + "".join(
        _cell(config, by_place.get((rate, gamma))) for gamma in gammas) + "</tr>" for rate in rates)
    head = "".join(f'<th scope="col">{_power(gamma)}</th>' for gamma in gammas)
    key = "".join(f"<li>{_mark(name, 'b')}{escape(_(name))}</li>" for name in MARKS
                  if any(cell.phase == name for cell in cells))
    title, rate = _("Phase diagram"), _("head rate")
    return (f'<div class="lpc-phase" role="region" tabindex="0" aria-label="{title}"><table><thead><tr>'
            f'<th scope="col">{rate} · γ</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
            f'<ul class="lpc-phase-key">{key}</ul>')


def _power(value: float) -> str:
    """A label of two or three signs: 1e-3, 0.4, 60, 2e4."""
    text = f"{value:.1g}"
    return f"{value:.0f}" if 1 <= value < 100 else text.replace("e-0", "e-").replace("e+0", "e")


def _mark(phase: str, tag: str, rest: str = "") -> str:
    return f'<{tag} class="lpc-{phase.replace(" ", "-")}" {rest}>{MARKS[phase]}</{tag}>'


def _cell(config: RunConfig, cell: PhaseCell | None) -> str:
    if cell is None:
        return "<td></td>"
    words = _("γ {gamma}, head rate {rate}: {phase}, {train} of the training and {test} of the held-out samples right",
              gamma=f"{cell.gamma:.3g}", rate=f"{cell.head_lr:.3g}", phase=_(cell.phase),
              train=f"{cell.train_accuracy:.1%}", test=f"{cell.test_accuracy:.1%}")
    return "<td>" + _mark(cell.phase, "a", f'href="play?{escape(address(config, cell))}" title="{escape(words)}" '
                                           f'aria-label="{escape(words)}"') + "</td>"


def address(config: RunConfig, cell: PhaseCell) -> str:
    """The query that opens a cell's run in Play."""
    return urlencode(to_short_texts(run_of(unflatten({"head_lr": cell.head_lr}, config), cell.gamma)))


def sentence(cells: Sequence[PhaseCell]) -> str:
    """How many runs became what."""
    counts = {name: sum(cell.phase == name for cell in cells) for name in MARKS}
    found = ", ".join(f"{count} {_(name)}" for name, count in counts.items() if count)
    return _("Of {n} runs: {found}.", n=len(cells), found=found)
