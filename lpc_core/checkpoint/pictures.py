"""Folders of pictures, one folder per class: packed into one archive, and that read in the reading process.

Decoders of pictures have had holes. So none is called here: `read` does it, in the locked process of
`checkpoint.sandbox`, and needs NumPy and Pillow alone; `pack` makes the file that it reads.
"""

from __future__ import annotations

import importlib.util
import io
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.checkpoint import _read
from lpc_core.checkpoint._base import FileRefused, Limits, refusal
from lpc_core.checkpoint._message import Message, check_json, check_total
from lpc_core.checkpoint.formats.archive import Archive
from lpc_core.files.impostors import HEAD, named
from lpc_core.files.plain_json import dumps, repeated
from lpc_core.files.words import printable

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")  # of pictures; Pillow knows dozens of rare ones too
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
GREY = ("1", "L")  # Pillow's modes with one channel of at most 8 bits
DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")  # and of more
MOST = 20_000  # pictures in one archive
MOST_NAME = 240  # characters of a folder's or a picture's name that are kept
MOST_PIXELS = 64 * 2**20  # of one picture
NO_PILLOW = "Pictures need the package Pillow, which is not installed: pip install pillow"
SORT = "sort the pictures into folders named like their classes"
BAD_SHARE = 10  # one in so many pictures may be damaged: it is left out and listed
TOLD = ".lpc-notes.json"  # in an archive of `pack`: what it left out
MOST_TOLD = 20  # words of that kind
TOOLS = frozenset((  # folders and files that tools leave beside pictures, in small letters; and all that begin with "."
    "__macosx", "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@__thumb", "@tmp", "$recycle.bin",
    "network trash folder", "temporary items", "picasa originals", "system volume information", "__pycache__",
    "ipynb_checkpoints", "thumbs.db", "ehthumbs.db", "desktop.ini", "picasa.ini", "icon\r", "lost+found"))


@dataclass(frozen=True)
class Sorting:
    """Names of files (folders/class/file) sorted into classes."""

    classes: tuple[str, ...]  # sorted; one without pictures is among them
    pictures: dict[str, str]  # name → class, in the order given
    notes: tuple[str, ...]  # what was left out
    warnings: tuple[str, ...]  # what may not be meant


def sort(names: Iterable[str]) -> Sorting:
    """Which of ``names`` are pictures of which class: the folder that they lie in. A name ending in "/" is a folder.

    A folder beside those that hold pictures is a class too, even if there is no picture in it: classes are numbered in
    alphabetical order, as torchvision's ImageFolder does. Raises `FileRefused` for classes at different depths.
    """
    ignored: set[str] = set()
    others: list[str] = []
    held: dict[str, tuple[str, ...]] = {}  # picture → its folders
    folders: set[tuple[str, ...]] = set()
    for name in names:
        *path, file = name.removeprefix("./").split("/")
        if tool := next((part for part in (*path, file) if _is_tool(part)), ""):
            ignored.add(tool)
            continue
        folders |= {tuple(path[:depth]) for depth in range(1, len(path) + 1)}
        if file and path and file.lower().endswith(SUFFIXES):
            held[name] = tuple(path)
        elif file:
            others.append(name)
    depths = {len(path) for path in held.values()}
    if len(depths) > 1:
        shown = [next("/".join(path) for path in held.values() if len(path) == depth) for depth in sorted(depths)[:2]]
        raise refusal("the classes' folders side by side", f"pictures in {' and in '.join(map(repr, shown))}",
                      "move the pictures into one folder for each class")
    parents = {path[:-1] for path in held.values()}
    places = sorted(path for path in folders if depths == {len(path)} and path[:-1] in parents)
    classes = tuple(sorted({path[-1] for path in places}))
    if len(classes) == 1 < len(places):
        raise refusal("pictures in one folder per class", f"those of {len(places):,} folders in one called "
                      f"{classes[0]!r} each", "move the pictures into the folder that is called like their class")
    return Sorting(classes, {name: path[-1] for name, path in held.items()}, _left_out(ignored, others),
                   _doubts(classes, places))


def _is_tool(part: str) -> bool:
    return part.startswith(".") or part.lower() in TOOLS


def _left_out(ignored: set[str], others: list[str]) -> tuple[str, ...]:
    notes = []
    if ignored:
        notes.append(f"ignored, as tools leave them: {_listed(sorted(ignored))}")
    if others:
        notes.append(f"left out, as no pictures in a folder: {_listed(others)}")
    return tuple(notes)


def _doubts(classes: tuple[str, ...], places: list[tuple[str, ...]]) -> tuple[str, ...]:
    doubts = []
    if len(places) > len(classes):
        twice = next(path[-1] for path in places if sum(other[-1] == path[-1] for other in places) > 1)
        parents = ["/".join(path[:-1]) for path in places if path[-1] == twice]
        doubts.append(f"pictures of one class in several folders are taken together, such as {twice} in "
                      f"{_listed(parents)}")
    if again := repeated([name.strip().lower() for name in classes]):
        alike = [repr(name) for name in classes if name.strip().lower() == again[0]]
        doubts.append(f"folders whose names differ in capitals or blanks alone are two classes: {_listed(alike)}")
    numbers = [(place, name) for place, name in enumerate(classes) if name.isdecimal() and int(name) != place]
    if numbers and all(name.isdecimal() for name in classes):
        place, name = numbers[0]
        doubts.append("the folders' names are numbers, but their alphabetical order (as torchvision's ImageFolder "
                      f"takes it) is what numbers the classes: {name} is class {place}")
    return tuple(doubts)


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return printable(", ".join(printable(name, 120) for name in names[:most]), 320) + more


def pack(pictures: Mapping[str, Callable[[], bytes]], target: Path, found: Sorting | None = None) -> int:
    """Write the pictures among {name: how to read it} as an archive of class/file to the new ``target``; how many.

    Files that are no pictures by their names, or lie in no folder, are left out, and `read` says so. ``found`` sorts
    them where they are only some of those there are. Raises `FileRefused` for more than `MOST`, and for two classes
    whose names an archive could not tell apart.
    """
    if importlib.util.find_spec("PIL") is None:
        raise ImportError(NO_PILLOW)
    found = found or sort(pictures)
    wanted = [name for name in pictures if name in found.pictures]
    if len(wanted) > MOST:
        raise refusal(f"at most {MOST:,} pictures", "more", "choose fewer")
    plain = _archived(found.classes)
    with zipfile.ZipFile(target, "x") as archive:  # stored: pictures are compressed already
        archive.writestr(TOLD, dumps({"notes": found.notes, "warnings": found.warnings}))
        for folder in plain.values():
            archive.writestr(f"{folder}/", b"")
        for number, name in enumerate(wanted, start=1):
            file = f"{number:06d}-{_plain(name.rpartition('/')[2])[-MOST_NAME:]}"
            archive.writestr(f"{plain[found.pictures[name]]}/{file}", pictures[name]())
    return len(wanted)


def _archived(classes: Sequence[str]) -> dict[str, str]:
    """What each class is called in an archive."""
    plain: dict[str, str] = {}
    for folder in classes:
        name = _plain(folder)[:MOST_NAME]
        if other := next((known for known, taken in plain.items() if taken == name), ""):
            raise refusal("folders with different names", f"{other!r} and {folder!r}", "rename one of them")
        plain[folder] = name
    return plain


def _plain(name: str) -> str:
    """``name`` without what the reader of archives refuses."""
    return "".join(letter if letter.isprintable() and letter not in ":\\" else "_" for letter in name)


# ---- in the reading process --------------------------------------------------------------------------------------


def prepare(head: bytes) -> None:
    """All of Pillow's decoders: afterwards nothing can be imported."""
    from PIL import Image

    _read.prepare(b"")
    Image.init()


def read(raw: memoryview, job: dict[str, Any], limits: Limits) -> Message:
    """``inputs`` (n, H, W, C) uint8 and ``labels`` (n,) of the archive in ``raw``, sorted by class and name.

    ``job``: side (pixels to cut them to, or None). One picture in `BAD_SHARE` may be damaged: it is left out, and
    listed in the warnings. Raises `FileRefused`.
    """
    archive = Archive(raw, limits)
    found = _with_what_was_told(sort(name for name in archive.members if name != TOLD), archive)
    members = sorted((folder, name) for name, folder in found.pictures.items())
    if not members:
        raise refusal("pictures in one folder per class", "none", SORT)
    inputs, bad = _decoded(archive, [name for _, name in members], job["side"], limits)
    labels = np.array([found.classes.index(folder) for folder, name in members if name not in bad], np.int64)
    empty = [name for place, name in enumerate(found.classes) if not (labels == place).any()]
    facts = {"class_names": list(found.classes),
             "notes": [*found.notes, *([f"classes with 0 pictures: {_listed(empty)}"] if empty else [])],
             "warnings": [*found.warnings, *_bad_words(bad, len(members))]}
    return Message.of_arrays("embeddings", facts, {"inputs": inputs, "labels": labels})


def _with_what_was_told(found: Sorting, archive: Archive) -> Sorting:
    """What `pack` saw of the folder that the archive was made of, in the place of what the archive shows."""
    if TOLD not in archive.members:
        return found
    told = check_json(bytes(archive.read(TOLD)), 2**20, "the notes")
    match told:
        case {"notes": [*notes], "warnings": [*warnings]}:
            notes, warnings = ([printable(text, 400) for text in texts[:MOST_TOLD]] for texts in (notes, warnings))
            return replace(found, notes=tuple(notes), warnings=tuple(warnings))
    return found


def _bad_words(bad: dict[str, str], count: int) -> list[str]:
    shown = _listed([f"{_short(name)} ({why})" for name, why in bad.items()], 3)
    return [f"{len(bad):,} of {count:,} pictures could not be read and are left out: {shown}"] if bad else []


def _decoded(archive: Archive, members: list[str], side: int | None,
             limits: Limits) -> tuple[np.ndarray, dict[str, str]]:
    """The pictures (n, H, W, C) uint8, all of one size and all grey or all in colour; and why others are not there."""
    found: np.ndarray | None = None
    bad: dict[str, str] = {}
    place, first = 0, ""
    for name in members:
        try:
            picture = _pixels(archive.read(name), side)
        except FileRefused as error:
            bad[name] = str(error)
            _check_bad(bad, len(members))
            continue
        if found is None:
            check_total(picture.nbytes * len(members), limits)
            found, first = np.empty((len(members), *picture.shape), np.uint8), name
        if picture.shape[2] == 3 and found.shape[3] == 1:  # grey ones among colours, as torchvision reads them
            check_total(3 * found.nbytes, limits)
            found = np.repeat(found, 3, axis=3)
        if picture.shape[:2] != found.shape[1:3]:
            raise refusal(f"pictures of one size, {found.shape[1]} × {found.shape[2]} like {_short(first)}",
                          f"{picture.shape[0]} × {picture.shape[1]} in {_short(name)}",
                          "give the side they are to be cut to")
        found[place] = picture
        place += 1
    assert found is not None  # else `_check_bad` had refused
    return found[:place], bad


def _check_bad(bad: dict[str, str], count: int) -> None:
    """Refuse a set in which more than one in `BAD_SHARE` is damaged, or all are."""
    if len(bad) > math.ceil(count / BAD_SHARE) or len(bad) == count:
        (name, why), *others = bad.items()
        more = f" and in {len(others):,} more of {count:,}, {_listed([_short(other) for other, _ in others])}"
        raise refusal(f"a picture in {_short(name)}{more if others else ''}", why, "remove or convert it")


def _pixels(raw: memoryview, side: int | None) -> np.ndarray:
    """One picture (H, W, C); raises `FileRefused` that says why it cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
            size = picture.size
            if size[0] * size[1] <= MOST_PIXELS:
                pixels = np.asarray(_cut(_bytes_of(picture), side))
    except MemoryError:
        raise
    except UnidentifiedImageError:
        what = named(bytes(raw[:HEAD])) or f"no picture, beginning {bytes(raw[:8]).hex(' ')}"
        raise FileRefused(what if len(raw) else "an empty file") from None
    except Exception as error:  # decoders of damaged pictures raise anything; nothing of the picture is kept
        raise FileRefused(printable(" ".join(str(error).split()) or type(error).__name__, 200)) from None
    if size[0] * size[1] > MOST_PIXELS:
        raise FileRefused(f"{size[0]} × {size[1]} pixels, more than {MOST_PIXELS:,}")
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _bytes_of(picture: Any) -> Any:
    """The picture in 8 bits, grey or in colour; 16 bits lose their lower half."""
    from PIL import Image

    if picture.mode not in DEEP:
        return picture.convert("L" if picture.mode in GREY else "RGB")
    values = np.asarray(picture)
    if picture.mode == "I" and values.min() >= 0 and values.max() < 256:  # bytes in wider numbers
        return Image.fromarray(values.astype(np.uint8))
    if values.min() < 0 or values.max() >= 2**16 or picture.mode == "F":
        raise ValueError(f"pixels of the kind {picture.mode}, from {values.min():g} to {values.max():g}, not bytes")
    return Image.fromarray((values >> 8).astype(np.uint8))


def _cut(picture: Any, side: int | None) -> Any:
    """The middle square, ``side`` pixels wide; the whole picture without ``side``."""
    from PIL import Image

    if side is None:
        return picture
    edge = min(picture.size)
    left, top = (picture.width - edge) // 2, (picture.height - edge) // 2
    return picture.resize((side, side), Image.Resampling.BILINEAR, (left, top, left + edge, top + edge))


def _short(member: str) -> str:
    """The picture's own name, without the number that `pack` gave it."""
    return printable(re.sub(r"^\d{6}-", "", member.rpartition("/")[2]), 80)
