"""Inspecting: the jobs of the inspection page, each in a process of its own.

``python -m app.desks.inspecting`` and one of
    inspect FILE OUT WISHES           looks into a file as `lpc inspect` does, with the fields of `from_file.Wishes` as
                                      JSON; what was measured goes to OUT, and of a checkpoint that was not run a line
                                      {"found": its `Description`} is printed; before a refusal that a choice
                                      would lift, {"asks": {"role": …, "choices": […]}}
    head FILE NAME WEIGHT BIAS OUT WEIGHTS
                                      writes the weight (K, d) and bias (K,) of a head as safetensors; an empty BIAS
                                      takes the one beside the weight, empty WEIGHTS the file's first
    project INSPECTION METHOD OUT     writes coordinates (n, 2) of an inspection's samples as ``xy``
    attack FILE OUT WISHES ATTACKS ASK
                                      attacks a checkpoint as `lpc attack` does, and writes its report to OUT as JSON;
                                      a line {"seconds": …} says first about how long that takes; with ASK only that
    wait                              imports what these need and reads the rest from standard input, see `spares`
Progress is printed as JSON lines; a refusal is one line and status 2.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.settings import from_env
from lpc_core.files.plain_json import dumps
from lpc_core.files.tensors import pack
from lpc_core.files.writing import write_whole
from lpc_core.progress import json_lines

if TYPE_CHECKING:
    from lpc_core.checkpoint import Limits
    from lpc_core.inspection.from_file import Wishes

# What the server's settings call the reader's limits.
SETTINGS = {"tensor_bytes": "LPC_UNPACKED_MB", "memory_bytes": "LPC_JOB_MEMORY_MB", "seconds": "LPC_INSPECT_S",
            "samples": "LPC_INSPECT_SAMPLES"}


def reader_limits() -> Limits:
    """What the server's settings let a file cost; its size was looked at when it came."""
    from lpc_core.checkpoint import Limits

    most = from_env()
    return Limits(tensor_bytes=most.unpacked_mb * 2**20,
                  memory_bytes=most.job_memory_mb * 2**20, seconds=most.inspect_s, samples=most.inspect_samples)


def in_settings(refusal: str) -> str:
    """A refusal with the names that the server's settings have for the reader's limits."""
    return re.sub(r"raise the limit (\w+)", lambda found: "ask whoever runs the server to raise "
                  f"{SETTINGS.get(found[1], found[1])}", refusal)


def refused(error: Exception) -> str:
    """A refusal in one line; where a page offers the choice that lifts it, without how a program would make it."""
    words = " ".join(str(error).split())
    return f"{words.rpartition('; ')[0]}; choose it below" if getattr(error, "ask", None) else words


def inspect(file: str, out: str, wishes: str) -> None:
    """Inspect ``file``; either write an inspection, or say what is in it."""
    from lpc_core.data import DataError, missing
    from lpc_core.inspection import Inspection, save
    from lpc_core.inspection.from_file import inspect_file

    given = _wishes(wishes)
    try:
        found = inspect_file(Path(file), given, progress=json_lines(sys.stdout), limits=reader_limits())
    except DataError as error:
        raise ValueError(missing(given.data or "", error)) from error
    if isinstance(found, Inspection):
        save(found, Path(out))
    else:
        print(dumps({"found": found.plain()}, infinities=False), flush=True)


def head(file: str, name: str, weight: str, bias: str, out: str, weights: str = "") -> None:  # noqa: PLR0917
    """Read ``file`` safely, pick its head, write it."""
    from lpc_core.checkpoint import Checkpoint, open_file
    from lpc_core.inspection import pick_head

    thing = open_file(Path(file), name, reader_limits(), weights=weights or None)
    if not isinstance(thing, Checkpoint):
        raise ValueError("expected a checkpoint to pick a head from, got another file; upload a checkpoint")
    rows, offsets = pick_head(thing.tensors, weight, bias or None)
    write_whole(Path(out), pack({"weight": rows, "bias": offsets}, kind="head"))


def project(inspection: str, method: str, out: str) -> None:
    """Place the samples of a stored inspection by ``method``, telling how far it got."""
    from lpc_core.inspection import load
    from lpc_core.inspection import project as place

    latents = load(Path(inspection)).embeddings.latents
    xy = place(latents, method, dims=2, progress=json_lines(sys.stdout))
    write_whole(Path(out), pack({"xy": xy}, kind="projection"))


def attack(file: str, out: str, wishes: str, attacks: str, ask: str = "") -> None:
    """Attack the checkpoint in ``file`` on the samples that ``wishes`` name."""
    from lpc_core.inspection.attacking import target
    from lpc_core.robustness import report, seconds_for

    given, names = _wishes(wishes), tuple(attacks.split(","))
    tell = json_lines(sys.stdout)
    tell(0.0, "reading the file and its samples")
    found = target(Path(file), given, limits=reader_limits())
    print(dumps({"seconds": seconds_for(found.model, found.inputs, names)}), flush=True)
    if ask:
        return
    told = report(found.model, found.inputs, found.labels, attacks=names, bounds=found.bounds, seed=given.seed,
                  progress=tell)
    about = {"network": found.name, "notes": list(found.notes), "split": given.split, "seed": given.seed}
    write_whole(Path(out), dumps(about | told.plain(per_sample=True)).encode())


def _wishes(text: str) -> Wishes:
    """The wishes in a JSON text."""
    from lpc_core.inspection.from_file import Wishes

    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                             for name, value in json.loads(text).items()}
    return Wishes(**given)


def _told() -> list[str]:
    """The command, once it comes; complaints go where it says. Nobody tells: the end."""
    from lpc_core.inspection import from_file, storing  # noqa: F401  # what most commands spend their first seconds on

    line = sys.stdin.readline()
    if not line:
        raise SystemExit(0)
    order = json.loads(line)
    with open(order["errors"], "ab") as errors:
        os.dup2(errors.fileno(), 2)
    return list(order["command"])


def main() -> None:
    """The job that the first argument names."""
    import torch

    torch.set_num_threads(1)  # on busy cores two threads are many times slower than one
    jobs: dict[str, Callable[..., None]] = {"inspect": inspect, "head": head, "project": project, "attack": attack}
    name, *arguments = sys.argv[1:]
    if name == "wait":
        name, *arguments = _told()
    try:
        jobs[name](*arguments)
    except (ValueError, OSError, ImportError) as error:
        if ask := getattr(error, "ask", None):
            print(dumps({"asks": {"role": ask.role, "choices": list(ask.choices)}}), flush=True)
        print(in_settings(refused(error)), file=sys.stderr)
        raise SystemExit(2) from None
    sys.stdout.flush()
    os._exit(0)  # taking a large file's arrays apart would take half a second, and somebody waits


if __name__ == "__main__":
    main()
