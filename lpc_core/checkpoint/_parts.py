"""One checkpoint in several files: which files belong together, and that nothing is missing or there twice.

Parts are called …-00001-of-00002.safetensors (or .bin, .pt; more may stand around the numbers, such as a browser's
" (1)"), and an index, ….index.json, may say which tensor lies in which. The index counts where it is there; else the
numbers do. Names in an index lead to files beside it alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lpc_core.checkpoint._base import Limits, refusal
from lpc_core.checkpoint._message import check_json, some
from lpc_core.files.plain_json import repeated
from lpc_core.files.words import amount, printable

NUMBERED = re.compile(r"(.*?)[-_.]?(\d{1,5})-of-(\d{1,5})(?!\d)(.*)", re.DOTALL)
RANKED = re.compile(r"(?:.*[-_.])?(?:(consolidated|mp_rank)|(?<!mp_)rank|shard|part)[-_.]?(\d{1,5})(?!\d).*",
                    re.IGNORECASE | re.DOTALL)
INDEX = ".index.json"
ENDINGS = (".safetensors", ".bin", ".pt", ".pth")
MAX_INDEX = 16 * 2**20  # bytes
MAX_PARTS = 1_000


@dataclass(frozen=True)
class Parts:
    """The files of one checkpoint, in order."""

    files: tuple[Path, ...]
    places: dict[str, str] | None  # {tensor: name of its file}, as the index says; None without one


def number_of(name: str) -> tuple[str, int, int] | None:
    """(what all parts share, number, count) of a part of two or more; None for a file by itself."""
    found = NUMBERED.fullmatch(name)
    shared = "" if found is None else found[1] + found[4].lower()
    if found is None or not shared.lower().endswith(ENDINGS) or int(found[3]) < 2:
        return None
    return shared, int(found[2]), int(found[3])


def refuse_alone(name: str) -> None:
    """Refuse a file that is one part of several: its layers could be taken for a whole network."""
    if found := number_of(name):
        _, number, count = found
        raise refusal("a whole checkpoint", f"part {number} of {count}", f"add the others: choose all "
                      f"{count} parts together, or their folder")
    ranked = RANKED.fullmatch(name) if name.lower().endswith(ENDINGS) else None
    # who saves so writes two digits (1.5b is a size), and number 0 is the whole where one process wrote it
    if ranked and ranked[1] and len(ranked[2]) > 1 and int(ranked[2]):
        raise refusal("a whole checkpoint", f"what process {int(ranked[2])} of several saved of it",
                      "merge their files where they were made, and save the model's state_dict")


def doubt(name: str) -> tuple[str, ...]:
    """A note where the name may be that of one file of several, though nothing says of how many."""
    if not RANKED.fullmatch(name):
        return ()
    return (f"{printable(name, 60)} may be one of several files of a network, by its name: if so, these are not all "
            "of its layers",)


def gathered(given: Sequence[Path]) -> Parts | Path:
    """What ``given`` files, folder or index are: the parts of one checkpoint, or one file."""
    files = [file for path in given for file in (_in_folder(path) if path.is_dir() else [path])]
    if again := repeated([file.name for file in files]):
        raise refusal("each file once", f"{printable(repr(again[0]), 60)} twice", "choose it once")
    indices = [file for file in files if file.name.endswith(INDEX)]
    others = [file for file in files if file not in indices]
    if len(indices) > 1:
        raise refusal("one index", _names(indices), "choose one of them with its parts")
    if indices:
        return _listed(indices[0], others, complete=len(given) > 1 or given[0].is_dir())
    return files[0] if len(files) == 1 else _counted(files)


def _in_folder(folder: Path) -> list[Path]:
    """The files of a folder that may be a checkpoint: those an index names, else parts, else its only such file."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    indices = [file for file in files if file.name.endswith(INDEX)]
    parts = [file for file in files if number_of(file.name)]
    if len(indices) == 1:
        ending = Path(indices[0].name.removesuffix(INDEX)).suffix
        return [indices[0], *(file for file in parts if file.suffix == ending)]
    found = indices or parts or [file for file in files if file.suffix.lower() in (*ENDINGS, ".ckpt")]
    if not found:
        raise refusal("a folder with a checkpoint in it", f"{printable(repr(folder.name), 60)} without any",
                      "choose the file itself")
    if not (indices or parts) and len(found) > 1:
        raise refusal("a folder with one checkpoint in it", _names(found), "choose one of them")
    return found


def _counted(files: list[Path]) -> Parts:
    """The parts by the numbers in their names."""
    numbers = {file: number_of(file.name) for file in files}
    strange = [file for file, number in numbers.items() if number is None]
    if strange:
        raise refusal("parts of one checkpoint (…-00001-of-00002…) or their index", _names(strange),
                      "choose one file at a time, or the parts of one checkpoint alone")
    known = {file: number for file, number in numbers.items() if number is not None}
    kinds = sorted({(stem, count) for stem, _, count in known.values()})
    if len(kinds) > 1:
        raise refusal("parts of one checkpoint", f"parts of {len(kinds)} ({_names(files)})",
                      "choose those of one, or its index")
    [(_, count)] = kinds
    by_number = {number: file for file, (_, number, _) in known.items()}
    if len(by_number) < len(files):
        raise refusal("each part once", f"one number twice ({_names(files)})", "choose each part once")
    missing = [str(number) for number in range(1, count + 1) if number not in by_number][:8]
    if missing or len(by_number) > count:
        what = f"without part {', '.join(missing)}" if missing else "numbered otherwise"
        raise refusal(f"all {count} parts of the checkpoint", f"{len(files)}, {what}", "add what is missing")
    return Parts(tuple(by_number[number] for number in sorted(by_number)), None)


def _listed(index: Path, others: list[Path], *, complete: bool) -> Parts:
    """The parts that the index names: among the ``others``, or beside it where it was given alone."""
    places = read_index(index)
    wanted = list(dict.fromkeys(places.values()))
    there = {file.name: file for file in others}
    if not complete:
        there |= {name: file for name in wanted if (file := index.parent / name).is_file()}
    missing = [name for name in wanted if name not in there]
    if missing:
        got = f"none called {printable(', '.join(missing[:3]), 160)}" if others else "the index alone"
        raise refusal(f"the {len(wanted)} parts that {printable(index.name, 60)} names", got,
                      f"add the part{'s' * (len(missing) > 1)} {printable(', '.join(missing[:3]), 160)}")
    if extra := [file for file in others if file.name not in wanted]:
        raise refusal(f"the parts that {printable(index.name, 60)} names", f"{_names(extra)} too", "leave that out")
    return Parts(tuple(there[name] for name in wanted), places)


def read_index(index: Path) -> dict[str, str]:
    """{tensor: name of its file}; refuses what is no index, and names that lead out of its folder."""
    if index.stat().st_size > MAX_INDEX:
        raise refusal(f"an index of at most {MAX_INDEX:,} bytes", amount(index.stat().st_size), "choose the parts")
    content = check_json(index.read_bytes(), MAX_INDEX, "the index")
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places or not all(isinstance(file, str) for file in places.values()):
        raise refusal("an index with a weight_map", "a JSON text without one", "choose the parts of the checkpoint")
    for file in set(places.values()):
        if file in ("", ".", "..") or not file.isprintable() or re.search(r"[/\\:\x00]", file):
            raise refusal("names of files beside the index", printable(repr(file), 100), "choose the parts alone")
    if len(set(places.values())) > MAX_PARTS:
        raise refusal(f"at most {MAX_PARTS:,} parts", f"{len(set(places.values())):,}", "save fewer of them")
    return places


def check_size(parts: Parts, limits: Limits) -> None:
    """Refuse parts that are together larger than a file may be."""
    total = sum(file.stat().st_size for file in parts.files)
    if total > limits.file_bytes:
        raise refusal(f"parts of at most {limits.file_bytes:,} bytes together", amount(total),
                      "raise the limit file_bytes")


def check_names(parts: Parts, found: Sequence[Sequence[str]]) -> None:
    """Refuse tensors (``found``: their names in each part) that are in two parts, or not where the index says."""
    if again := repeated([name for names in found for name in names]):
        raise refusal("each tensor in one part", f"{printable(repr(again[0]), 100)} in two", "choose parts that were "
                      "saved together")
    if parts.places is None:
        return
    real = {name: file.name for file, names in zip(parts.files, found, strict=True) for name in names}
    named = parts.places.keys()
    for words, names in (("without", named - real.keys()), ("with also", real.keys() - named)):
        if names:
            raise refusal("parts with the tensors that the index names", f"some {words} "
                          f"{printable(', '.join(sorted(names)[:3]), 200)}", "choose parts and index of one saving")
    if wrong := next((name for name, file in parts.places.items() if real[name] != file), None):
        raise refusal("each tensor in the part that the index names", f"{printable(repr(wrong), 100)} in another",
                      "choose parts and index of one saving")


def _names(files: Sequence[Path]) -> str:
    return printable(some([printable(file.name, 60) for file in files], 3), 240)

