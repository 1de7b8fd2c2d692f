"""Folders of pictures, one folder per class: packed into one archive, and that read in the reading process.

Decoders of pictures have had holes. So none is called here: `read` does it, in the locked process of
`checkpoint.sandbox`, and needs NumPy and Pillow alone; `pack` makes the file that it reads.
"""

from __future__ import annotations

import importlib.util
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np

from lpc_core.checkpoint import _read
from lpc_core.checkpoint._base import Limits, printable, refusal
from lpc_core.checkpoint._message import Message, check_total
from lpc_core.checkpoint._zip import Archive

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")  # of pictures; Pillow knows dozens of rare ones too
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
GREY = ("1", "L", "I", "I;16", "F")  # Pillow's modes with one channel
MOST = 20_000  # pictures in one archive
MOST_NAME = 240  # characters of a folder's or a picture's name that are kept
MOST_PIXELS = 64 * 2**20  # of one picture
NO_PILLOW = "Pictures need the package Pillow, which is not installed: pip install pillow"
SORT = "sort the pictures into folders named like their classes"


def class_of(name: str) -> str:
    """The folder that the picture at ``name`` (folders/class/file) lies in; "" for any other file, and outside one."""
    *folders, file = name.split("/")
    hidden = file.startswith(".") or "__MACOSX" in folders
    return folders[-1] if folders and not hidden and file.lower().endswith(SUFFIXES) else ""


def pack(pictures: Iterable[tuple[str, IO[bytes]]], target: Path) -> int:
    """Write the pictures among (name, file) as an archive of class/file to the new file ``target``; how many they are.

    Files that are no pictures by their names, or lie in no folder, are left out. Raises `FileRefused` for more than
    `MOST`, and for two classes whose names an archive could not tell apart.
    """
    if importlib.util.find_spec("PIL") is None:
        raise ImportError(NO_PILLOW)
    known: dict[str, str] = {}
    count = 0
    with zipfile.ZipFile(target, "x") as archive:  # stored: pictures are compressed already
        for name, file in pictures:
            folder = class_of(name)
            if not folder:
                continue
            plain = _plain(folder)[:MOST_NAME]
            if known.setdefault(plain, folder) != folder:
                raise refusal("folders with different names", f"{known[plain]!r} and {folder!r}", "rename one of them")
            count += 1
            if count > MOST:
                raise refusal(f"at most {MOST:,} pictures", "more", "choose fewer")
            archive.writestr(f"{plain}/{count:06d}-{_plain(name.rpartition('/')[2])[-MOST_NAME:]}", file.read())
    return count


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

    ``job``: side (pixels to cut them to, or None). Raises `FileRefused`.
    """
    archive = Archive(raw, limits)
    members = sorted((class_of(name), name) for name in archive.members if class_of(name))
    if not members:
        raise refusal("pictures in one folder per class", "none", SORT)
    names = sorted({folder for folder, _ in members})
    inputs = _decoded(archive, [name for _, name in members], job["side"], limits)
    labels = np.array([names.index(folder) for folder, _ in members], np.int64)
    return Message.of_arrays("embeddings", {"class_names": names, "notes": []}, {"inputs": inputs, "labels": labels})


def _decoded(archive: Archive, members: list[str], side: int | None, limits: Limits) -> np.ndarray:
    """The pictures (n, H, W, C) uint8, all of one size and all grey or all in colour."""
    found: np.ndarray | None = None
    for place, name in enumerate(members):
        picture = _pixels(archive.read(name), name, side)
        if found is None:
            check_total(picture.nbytes * len(members), limits)
            found = np.empty((len(members), *picture.shape), np.uint8)
        if picture.shape != found.shape[1:]:
            raise refusal(f"pictures of one size and kind, {found.shape[1:]} like {_short(members[0])}",
                          f"{picture.shape} in {_short(name)}", "give the side they are to be cut to")
        found[place] = picture
    assert found is not None  # there is at least one
    return found


def _pixels(raw: memoryview, name: str, side: int | None) -> np.ndarray:
    """One picture (H, W, C)."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
            size, mode = picture.size, picture.mode
            if size[0] * size[1] <= MOST_PIXELS:
                pixels = np.asarray(_cut(picture.convert("L" if mode in GREY else "RGB"), side))
    except MemoryError:
        raise
    except Exception as error:  # decoders of damaged pictures raise anything; nothing of the picture is kept
        why = printable(" ".join(str(error).split()) or type(error).__name__, 200)
        raise refusal(f"a picture in {_short(name)}", why, "remove or convert it") from None
    if size[0] * size[1] > MOST_PIXELS:
        raise refusal(f"pictures of at most {MOST_PIXELS:,} pixels", f"{size[0]} × {size[1]} in {_short(name)}",
                      "make it smaller")
    return pixels[..., None] if pixels.ndim == 2 else pixels


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
