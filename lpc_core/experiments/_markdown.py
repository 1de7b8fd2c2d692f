"""Tables and verdicts as Markdown: for docs/results.md and, in its reader's language, for a page.

``say(text, **values)`` gives a text with its values in their places, translated or as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lpc_core.experiments._tables import TABLES, PaperTable, in_words, paper_in_words
from lpc_core.experiments._verdicts import Verdict, verdict_texts

BAR = "\\|"  # inside a cell
ROW, SEEDS, PAPER = "row", "seeds", "paper {value}"
HEADS = "claim", "verdict", "what was found"
Say = Callable[..., str]


def texts() -> list[str]:
    """Every text that may be said, but the titles of quantities."""
    return [ROW, SEEDS, PAPER, *HEADS, *(title for title, _names in TABLES.values()), *verdict_texts()]


def as_it_is(text: str, **values: str) -> str:
    """In English."""
    return text.format(**values) if values else text


def table_in_markdown(found: PaperTable, say: Say = as_it_is) -> str:
    """The table, ours and the publication's value in one cell."""
    heads = [say(ROW), say(SEEDS), *(say(name).replace("|", BAR) for name in found.columns.values())]
    lines = [f"| {' | '.join(heads)} |", "|---" * (2 + len(found.columns)) + "|"]
    for row in found.rows:
        cells = [in_words(cell) + (f" ({say(PAPER, value=paper_in_words(cell))})" if cell.paper is not None else "")
                 for cell in row.cells.values()]
        lines.append(f"| {row.label.partition('/')[2].partition(' ')[0]} | {row.seeds} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdicts_in_markdown(found: Sequence[Verdict], say: Say = as_it_is) -> str:
    """A line per claim."""
    return "\n".join([f"| {' | '.join(map(say, HEADS))} |", "|---|---|---|",
                      *(f"| {say(each.claim)} | **{say(each.verdict)}** | {_words(each, say).replace('|', BAR)} |"
                        for each in found)])


def _words(verdict: Verdict, say: Say) -> str:
    """What was found; quantities that stand in a sentence are said like it."""
    said = [say(text, **{name: say(value) for name, value in values.items()}) for text, values in verdict.said]
    return "".join(said) or verdict.words
