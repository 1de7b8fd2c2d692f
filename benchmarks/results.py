"""Print docs/results.md from stores of finished rows: every table and verdict, with the machine and the time it took.

lpc paper run digits/all --seeds 3 --store lpc-store --on processes:2
lpc attack FILE --data cifar10 --normalisation cifar10 --samples 50 --attacks deepfool,ddn --out attack.json
python -m benchmarks.results lpc-store attack.json > docs/results.md
python -m benchmarks.results --pack lpc-store > assets/results/results.json.gz  # what the page Reproduce begins with
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lpc_core.experiments import (
    SOURCE,
    Results,
    Store,
    StoredRun,
    dumped,
    families,
    grouped,
    results,
    rows_named,
    table_in_markdown,
    verdicts_in_markdown,
)
from lpc_core.files.plain_json import loads

PACK = "--pack"
OPEN = """## Open

CIFAR-10, CIFAR-100, SVHN and ImageNet rows in full, and Figure 2's (195 epochs of two layers of 4,096), need a GPU
and have not been run with this code. Of the small CIFAR-10 rows (`cifar10-small/…`) only those above have been run,
with one or two seeds; where γ ends there was not searched for, and none had fitted more than 97 % of its training
data by the end.
[Limits](limits.md) tells what else a CPU cannot show.
"""


def main() -> None:
    packed, given = PACK in sys.argv, [each for each in sys.argv[1:] if each != PACK]
    folders, reports = ([each for each in given if each.endswith(".json") is is_report] for is_report in (False, True))
    groups = grouped([run for folder in folders for run in Store(folder).runs()])
    about = {name: how(name, [run for group in each for run in group.runs], len(each))
             for name, each in families(groups).items()}
    found = results(groups, about)
    sys.stdout.buffer.write(dumped(found) if packed else in_markdown(found, reports).encode())


def in_markdown(found: Sequence[Results], reports: Sequence[str] = ()) -> str:
    """The whole page."""
    parts = [HEAD]
    for each in found:
        parts += [f"## {each.name}\n", f"{each.about}\n"]
        parts += [f"**Table {table.number}. {table.title}**\n\n{table_in_markdown(table)} \n" for table in each.tables]
        parts += [verdicts_in_markdown(each.verdicts) + "\n"]
    return "\n".join([*parts, *map(attacked, reports), OPEN])


def attacked(report: str) -> str:
    """A report of `lpc attack --out` as a section."""
    found = loads(Path(report).read_bytes(), "report")
    name, attacks = Path(found["run"]).name, found["attacks"]
    lines = [f"## {name}, attacked\n",
             f"{found['dataset']}: {found['accuracy']:.1%} of {found['samples']} samples right. "
             f"`lpc attack {name} --data cifar10 --normalisation cifar10 --samples {found['samples']} --attacks "
             f"{','.join(each['name'] for each in attacks)}`, one processor core.\n",
             "| attack | changed | median ‖δ‖/‖x‖ | mean | gradients per sample |", "|---" * 5 + "|"]
    for each in (*attacks, found["best"]):
        lines.append(f"| {each['title']} | {each['found']} of {each['samples']} | {each['median']:.4f} | "
                     f"{each['mean']:.4f} | {each['backwards']:.0f} |")
    lines.append("\nBy the paper's convention (DeepFool without bounds, every sample from its predicted class) the "
                 f"mean is {found['paper_deepfool_mean']:.3f}, and {found['paper_deepfool_outside']:.0%} of its inputs "
                 "leave the data's range. Flags raised:\n")
    return "\n".join([*lines, *(f"* {flag['sentence']}" for flag in found["flags"] if flag["raised"]), ""])


HEAD = f"""# Results: the paper's rows, run here

Printed by `python -m benchmarks.results`. Ours is mean ± standard deviation over seeds; "paper" is {SOURCE}, and beside
a stand-in it is that of the same row on CIFAR-10: another network on other data, for the direction and not the size. A
claim *holds* only if it does for every seed against every other; nothing was chosen by a seed that stands here. The
tables are arranged by what is asked, not by the publication's numbering.
"""


def how(name: str, runs: Sequence[StoredRun], rows: int) -> str:
    """Command, machine and time of a family of runs."""
    start: dict[str, Any] = runs[0].about["starts"][0]
    seeds, reports = sorted({run.planned.seed for run in runs}), [run.report for run in runs if run.report]
    data, done = name.split(maxsplit=1)[0], {run.planned.row.name for run in runs}
    missing = [row.name for row in rows_named(f"{data}/all") if row.name not in done]
    left = f" Not run yet: {', '.join(missing)}." if missing else ""
    return (f"`lpc paper run {data}/… --seeds {len(seeds)}`: {rows} rows, {len(runs)} runs, seeds "
            f"{seeds[0]} to {seeds[-1]}. {start['device']}, {start['threads']} thread per run, torch "
            f"{start['versions']['torch']}. {_times(reports)}{left}")


def _times(reports: Sequence[dict[str, Any]]) -> str:
    """What training, attacking and measuring took; elder reports know of no attacks apart."""
    training, attacking = (sum(report.get(f"seconds_{part}", 0.0) for report in reports) / 60
                           for part in ("training", "attacking"))
    measuring = [report.get("seconds_looking", 0.0) + report.get("seconds_measuring", 0.0) for report in reports]
    minutes = sum(measuring) / 60
    if not attacking:
        return (f"On a machine shared with much other work the runs trained for {training:.1f} minutes in all and were "
                f"measured and attacked for {minutes:.1f}.")
    shares = [each / (report["seconds_training"] + each) for report, each in zip(reports, measuring, strict=True)]
    return (f"The runs trained for {training:.1f} minutes in all, were attacked for {attacking:.1f} and measured for "
            f"{minutes:.1f}. Attacks apart, measuring is {minutes / (training + minutes):.1%} of the time in all, "
            f"{min(shares):.1%} to {max(shares):.1%} of a run's.")


if __name__ == "__main__":
    main()
