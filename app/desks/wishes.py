"""Wishes: how a reader wants a file to be inspected, for the inspecting process and for the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wish:
    """How a checkpoint is to be run, or which moment of a film is wanted. None leaves a choice to the file."""

    data: str | None = None  # a built-in set, or the path of an npz or of a zip of pictures
    data_name: str = ""  # what that, or the folder of the pictures, was called
    split: str | None = None
    normalisation: str | None = None
    activation: str | None = None
    layer: str | None = None
    weights: str | None = None  # which of a file's several
    order: tuple[str, ...] | None = None  # of layers, where the file leaves it open
    classes: str | None = None  # which rows of the head the data's classes are
    samples: int | None = None
    side: int | None = None  # pixels that pictures are cut to
    gamma: float | None = None  # of a film's run
    frame: int | None = None  # of a film
    picked: dict[str, str] | None = None  # of embeddings: role → array or column
    unlabelled: str | None = None  # "keep": samples that name no class as one class more

    def wishes(self) -> dict[str, Any]:
        """As `lpc_core.inspection.from_file.Wishes` takes them."""
        given = vars(self) | {"gammas": None if self.gamma is None else [self.gamma], "gamma": None, "data_name": None}
        return {name: value for name, value in given.items() if value is not None}

    def options(self) -> list[str]:
        """As the command line takes them, with the owner's names."""
        order = None if self.order is None else ",".join(self.order)
        given = vars(self) | {"data": self.data_name or self.data, "data_name": None, "picked": None, "order": order}
        picks = [f"--pick={role}={name}" for role, name in (self.picked or {}).items()]
        return [*(f"--{name}={value}" for name, value in given.items() if value is not None), *picks]
