"""Print docs/results.md from stores of finished rows: every table and verdict, with the machine and the time it took.

lpc paper run digits/all --seeds 3 --store lpc-store --on processes:2
python -m benchmarks.results lpc-store > docs/results.md
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from lpc_core.experiments import (
    SOURCE,
    TABLES,
    PaperTable,
    Store,
    StoredRun,
    families,
    grouped,
    in_words,
    paper_in_words,
    table,
    verdicts,
)

OPEN = """## Open

CIFAR-10, CIFAR-100, SVHN and ImageNet rows in full need a GPU and have not been run with this code; the small CIFAR-10
rows (`cifar10-small/…`) have not been run either, and where γ ends there was not searched for.
[Limits](limits.md) tells what else a CPU cannot show.
"""


def main() -> None:
    stores = [Store(folder) for folder in sys.argv[1:]]
    runs = [run for store in stores for run in store.runs()]
    print(HEAD)
    for name, groups in families(grouped(runs)).items():
        print(f"## {name}\n")
        own = [run for group in groups for run in group.runs]
        print(how(name, own, len(groups)))
        for number in TABLES:
            print("\n".join(in_markdown(table(number, groups))), "\n")
        print("| claim | verdict | what was found |\n|---|---|---|")
        for each in verdicts(groups):
            print(f"| {each.claim} | **{each.verdict}** | {each.words.replace('|', BAR)} |")
        print()
    print(OPEN, end="")


BAR = "\\|"  # inside a cell
HEAD = f"""# Results: the paper's rows, run here

Printed by `python -m benchmarks.results`. Ours is mean ± standard deviation over seeds; "paper" is {SOURCE}, and beside
a stand-in it is that of the same row on CIFAR-10: another network on other data, for the direction and not the size. A
claim *holds* only if it does for every seed against every other; nothing was chosen by a seed that stands here. The
tables are arranged by what is asked, not by the publication's numbering.
"""


def how(name: str, runs: Sequence[StoredRun], rows: int) -> str:
    """Command, machine and time of a family of runs."""
    start: dict[str, Any] = runs[0].about["starts"][0]
    seeds = sorted({run.planned.seed for run in runs})
    training, measuring = (sum(run.report[part] for run in runs if run.report) for part in
                           ("seconds_training", "seconds_measuring"))
    return (f"`lpc paper run {name.split(maxsplit=1)[0]}/… --seeds {len(seeds)}`: {rows} rows, {len(runs)} runs, seeds "
            f"{seeds[0]} to {seeds[-1]}. {start['device']}, {start['threads']} thread per run, torch "
            f"{start['versions']['torch']}. On a machine shared with much other work the runs trained for "
            f"{training / 60:.0f} minutes in all and were measured for {measuring / 60:.0f}.\n")


def in_markdown(found: PaperTable) -> list[str]:
    """The table's lines."""
    lines = [f"**Table {found.number}. {found.title}**\n",
             "| row | seeds | " + " | ".join(name.replace("|", BAR) for name in found.columns.values()) + " |",
             "|---" * (2 + len(found.columns)) + "|"]
    for row in found.rows:
        cells = [in_words(cell) + (f" (paper {paper_in_words(cell)})" if cell.paper is not None else "")
                 for cell in row.cells.values()]
        lines.append(f"| {row.label.partition('/')[2].partition(' ')[0]} | {row.seeds} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
