"""The samples and films that come with the lab, as their folders' `samples.json` list them; none without the folder."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_APP = Path(__file__).resolve().parents[1]


def asset_folder(name: str) -> Path:
    """Installed, it lies in the package (setup.py puts it there); in a checkout, in assets/."""
    return next((folder for folder in (_APP / name, _APP.parent / "assets" / name) if folder.is_dir()), _APP)


FOLDER, FILMS = asset_folder("samples"), asset_folder("films")


@dataclass(frozen=True)
class Sample:
    """A small file to try the inspection on, or a film to play."""

    name: str  # the file's, without its ending
    title: str
    sentence: str  # what to look for
    path: Path
    how: dict[str, Any]  # fields of `inspections.Wish` that the file does not say itself

    @property
    def link(self) -> str:
        """What a link calls it."""
        return self.name.removesuffix(".film")


@functools.cache
def samples(folder: Path = FOLDER) -> list[Sample]:
    """The samples whose files are there, read once."""
    listing = folder / "samples.json"
    if not listing.is_file():
        return []
    entries = json.loads(listing.read_text("utf-8"))["samples"]
    found = [Sample(Path(entry["file"]).stem, entry["title"], entry["sentence"], folder / entry["file"], entry["how"])
             for entry in entries]
    return [sample for sample in found if sample.path.is_file()]
