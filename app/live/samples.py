"""The samples that come with the lab, as `assets/samples/samples.json` lists them; none where the folder is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "samples"


@dataclass(frozen=True)
class Sample:
    """A small file to try the inspection on."""

    name: str  # of letters, digits and hyphens
    title: str
    sentence: str  # what to look for
    path: Path


def read_samples(folder: Path = FOLDER) -> list[Sample]:
    """The samples whose files are there."""
    listing = folder / "samples.json"
    if not listing.is_file():
        return []
    entries = json.loads(listing.read_text("utf-8"))["samples"]
    found = [Sample(entry["name"], entry["title"], entry["sentence"], folder / entry["file"]) for entry in entries]
    return [sample for sample in found if sample.path.is_file()]


SAMPLES = read_samples()
