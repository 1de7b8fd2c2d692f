"""Tables and verdicts as Markdown: for docs/results.md and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from lpc_core.experiments._tables import PaperTable, in_words, paper_in_words
from lpc_core.experiments._verdicts import Verdict

BAR = "\\|"  # inside a cell


def table_in_markdown(found: PaperTable) -> str:
    """The table, ours and the publication's value in one cell."""
    lines = ["| row | seeds | " + " | ".join(name.replace("|", BAR) for name in found.columns.values()) + " |",
             "|---" * (2 + len(found.columns)) + "|"]
    for row in found.rows:
        cells = [in_words(cell) + (f" (paper {paper_in_words(cell)})" if cell.paper is not None else "")
                 for cell in row.cells.values()]
        lines.append(f"| {row.label.partition('/')[2].partition(' ')[0]} | {row.seeds} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdicts_in_markdown(found: Sequence[Verdict]) -> str:
    """A line per claim."""
    return "\n".join(["| claim | verdict | what was found |", "|---|---|---|",
                      *(f"| {each.claim} | **{each.verdict}** | {each.words.replace('|', BAR)} |" for each in found)])
