"""Print docs/results.md from stores of finished rows, or from what they were packed into: every table and verdict, with
the machine and the time it took.

lpc paper run digits/all --seeds 3 --store lpc-store --on processes:2
lpc attack FILE --data cifar10 --normalisation cifar10 --samples 500 --attacks deepfool,ddn --out attack.json
python -m benchmarks.results --pack lpc-store > assets/results/results.json.gz  # what the page Reproduce begins with
python -m benchmarks.results assets/results/results.json.gz attack.json > docs/results.md
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
    loaded,
    results,
    rows_named,
    table_in_markdown,
    verdicts_in_markdown,
)
from lpc_core.files.plain_json import loads

PACK = "--pack"
OPEN = """## Open

CIFAR-10, CIFAR-100, SVHN and ImageNet rows in full, and Figure 2's (195 epochs of two layers of 4,096), need a GPU
and have not been run with this code. The small CIFAR-10 rows (`cifar10-small/…`) have one to three seeds; where γ
ends there was not searched for, and none had fitted more than 97 % of its training data by the end.
[Limits](limits.md) tells what else a CPU cannot show.
"""


def main() -> None:
    packed, given = PACK in sys.argv, [each for each in sys.argv[1:] if each != PACK]
    reports, packs = ([each for each in given if each.endswith(end)] for end in (".json", ".json.gz"))
    folders = [each for each in given if each not in (*reports, *packs)]
    groups = grouped([run for folder in folders for run in Store(folder).runs()])
    about = {name: how(name, [run for group in each for run in group.runs], len(each))
             for name, each in families(groups).items()}
    found = [*(each for pack in packs for each in loaded(Path(pack).read_bytes(), pack)), *results(groups, about)]
    sys.stdout.buffer.write(dumped(found) if packed else in_markdown(found, reports).encode())


def in_markdown(found: Sequence[Results], reports: Sequence[str] = ()) -> str:
    """The whole page."""
    parts = [HEAD]
    for each in found:
        parts += [f"## {each.name}\n", f"{each.about}\n"]
        parts += [f"**Table {table.number}. {table.title}**\n\n{table_in_markdown(table)} \n" for table in each.tables]
        notes = dict.fromkeys(f"* {row.label}: {row.note}." for table in each.tables for row in table.rows if row.note)
        parts += [*notes, ""] if notes else []
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
    elder = [report for report in reports if "seconds_attacking" not in report]
    newer = [report for report in reports if "seconds_attacking" in report]
    said = []
    if elder:
        said = [f"On a machine shared with much other work {len(elder)} runs trained for "
                f"{_minutes(elder, 'training'):.1f} minutes in all and were measured and attacked for "
                f"{_minutes(elder, 'measuring'):.1f}."]
    if newer:
        training, measuring = _minutes(newer, "training"), _minutes(newer, "looking", "measuring")
        shares = [(spent := _minutes([report], "looking", "measuring")) / (_minutes([report], "training") + spent)
                  for report in newer]
        said += [f"{len(newer)} runs trained for {training:.1f} minutes in all, were attacked for "
                 f"{_minutes(newer, 'attacking'):.1f} and measured for {measuring:.1f}. Attacks apart, measuring is "
                 f"{measuring / (training + measuring):.1%} of their time in all, {min(shares):.1%} to "
                 f"{max(shares):.1%} of a run's."]
    return " ".join(said)


def _minutes(reports: Sequence[dict[str, Any]], *parts: str) -> float:
    return sum(float(report.get(f"seconds_{part}", 0.0)) for report in reports for part in parts) / 60


if __name__ == "__main__":
    main()
