"""``lpc study``: follow one run with every metric, or sweep many for separation against robustness (Figures 3 to 5)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lpc_core.commands._shared import Device, Settings, one_thread, progress, run_of
from lpc_core.files.plain_json import dumps

if TYPE_CHECKING:
    from lpc_core.config import RunConfig
    from lpc_core.progress import Progress
    from lpc_core.study import Moment, SweepRow


def study(  # noqa: PLR0917
    task: Annotated[Literal["follow", "sweep"], typer.Argument(
        help="follow: one run, measured at many moments. sweep: a dozen runs around it, each with 𝓡 and robustness at "
             "its end.")],
    settings: Settings = None,
    moments: Annotated[int, typer.Option(help="follow: how often the run is measured.")] = 40,
    spacing: Annotated[str, typer.Option(help="follow: where the moments lie: early, log or even.")] = "early",
    samples: Annotated[int, typer.Option(help="sweep: held-out samples that each run is attacked on.")] = 200,
    device: Device = "cpu",
    out: Annotated[Path | None, typer.Option(help="Write the study into this new or empty folder as it goes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object per moment or run, and per step of "
                                                         "progress.")] = False,
) -> None:
    """Measure everything along one run, or separation and robustness over many."""
    if out is not None and not out.absolute().parent.is_dir():
        raise ValueError(f"out: expected a folder inside an existing one, got {out}")
    from lpc_core.engine.cost import check_fits, cost_of
    from lpc_core.engine.devices import pick_device

    pick_device(device)  # one that is missing is refused before anything is written
    one_thread()
    config = run_of(settings, device)
    check_fits(cost_of(config))
    with progress("study", as_json) as tell:
        if task == "follow":
            _follow(config, moments, spacing, device, out, as_json, tell)
        else:
            _sweep(config, samples, device, out, as_json, tell)


def _follow(config: RunConfig, moments: int, spacing: str, device: str, out: Path | None, as_json: bool,  # noqa: PLR0917
            tell: Progress) -> None:
    from lpc_core.data import load
    from lpc_core.study import Study, add_moment, follow, moment_steps, start_study

    moment_steps(config.steps, moments, spacing)  # what cannot be is refused before the data are read
    dataset = load(config.data, config.seed)
    if out is not None:
        start_study(out, Study("follow", (config,), (dataset.name,), dataset.class_names, moments))
    if not as_json:
        print(_line(_MOMENT))
    found = follow(config, moments, spacing=spacing, dataset=dataset, device=device, progress=tell)
    for index, moment in enumerate(found):
        file = None if out is None else add_moment(out, index, moment).name
        print(_moment_json(index, moment, file) if as_json else _moment_row(moment), flush=True)


def _sweep(config: RunConfig, samples: int, device: str, out: Path | None, as_json: bool,  # noqa: PLR0917
           tell: Progress) -> None:
    from lpc_core.study import Study, add_row, default_sweep, pearson, start_study, sweep

    runs = default_sweep(config)
    found = sweep(runs, samples=samples, device=device, progress=tell)
    if out is not None:
        titles, configs = zip(*runs, strict=True)
        start_study(out, Study("sweep", configs, titles, (), len(runs)))
    if not as_json:
        print(_line(_ROW))
    rows = []
    for index, row in enumerate(found):
        rows.append(row)
        file = None if out is None else add_row(out, index, row).name
        print(_row_json(index, row, file) if as_json else _row_line(row), flush=True)
    results = {attack: {kind: vars(r) for kind, r in pearson(rows, attack).items()} for attack in rows[0].robustness}
    print(dumps({"pearson": results}) if as_json else _correlations(results))


# ---- what is printed ---------------------------------------------------------------------------------------------

_MOMENT = ("step", "gamma", "train", "test", "nc1_pinv", "separation", "norm_cv", "peaks")
_ROW = ("gamma", "train", "test", "separation", "deepfool", "ddn", "smallest", "longer")


def _line(cells: Iterable[str | float]) -> str:
    return " ".join(f"{cell:>11}" if isinstance(cell, str) else f"{cell:>11.5g}" for cell in cells)


def _moment_row(moment: Moment) -> str:
    names = ("nc1_pinv", "separation_ratio", "norm_cv", "gmm_peak_distance")
    values = [moment.readings[name].value if name in moment.readings else math.nan for name in names]
    return _line([moment.step, moment.gamma, moment.train_accuracy, moment.test_accuracy, *values])


def _moment_json(index: int, moment: Moment, file: str | None) -> str:
    return dumps({"moment": index, "step": moment.step, "gamma": moment.gamma, "train_accuracy": moment.train_accuracy,
                  "test_accuracy": moment.test_accuracy, "in_tpt": moment.in_tpt, "file": file,
                  "readings": {name: reading.value for name, reading in moment.readings.items()}})


def _row_line(row: SweepRow) -> str:
    values = [row.gamma, row.train_accuracy, row.test_accuracy, row.separation_ratio, *row.robustness.values(),
              row.longer.get("deepfool", math.nan)]
    return f"{_line(values)}  {row.title}{': ' + row.reason if row.reason else ''}"


def _row_json(index: int, row: SweepRow, file: str | None) -> str:
    numbers = {name: value for name, value in vars(row).items() if name != "config"}
    return dumps({"row": index, **numbers, "file": file})


def _correlations(found: dict[str, dict[str, dict[str, Any]]]) -> str:
    return "\n".join(f"Pearson r of 𝓡 against {attack}, {kind}: {r['r']:.3f} (95 % {r['low']:.3f} to {r['high']:.3f}, "
                     f"{r['n']} runs{'; ' + r['reason'] if r['reason'] else ''})"
                     for attack, kinds in found.items() for kind, r in kinds.items())


COMMAND = study
