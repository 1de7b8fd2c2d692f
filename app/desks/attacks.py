"""Attacks on the checkpoint of the inspection desk: how long they will take, then the report of `lpc attack`."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from app.desks import jobs
from app.desks.inspections import INSPECTING
from app.desks.uploads import Upload
from app.desks.wishes import Wish
from lpc_core.files.plain_json import dumps
from lpc_core.robustness import attacks

MOST_SAMPLES = 1_000


class AttackDesk(jobs.Desk):
    """One tab's attacks on one file. What was found stays until another file is attacked."""

    at_once = 1
    noun = "attacks"
    advice = "choose fewer samples or attacks"

    def __init__(self) -> None:
        super().__init__()
        self._fresh = self.folder / "new.json"
        self.upload: Upload | None = None  # what was attacked, or is
        self.asked: tuple[tuple[str, ...], int] = ((), 0)  # attacks, samples
        self.seconds: float | None = None  # how long they take, about; None while nobody has asked
        self.report: dict[str, Any] | None = None

    def of(self, upload: Upload) -> None:
        """Turn to ``upload``: what was found of another file goes."""
        if self.upload is not upload:
            self.cancel()
            self.upload, self.report, self.seconds, self.error = upload, None, None, ""

    def attack(self, wish: Wish, names: tuple[str, ...], samples: int, *, only_ask: bool = False) -> None:
        """Attack the file, or ``only_ask`` how long that takes; `JobRefused` for what cannot be."""
        unknown = [name for name in names if name not in attacks()]
        if not names or unknown or not 1 <= samples <= MOST_SAMPLES:
            raise jobs.JobRefused(f"expected some of {', '.join(attacks())} on 1 to {MOST_SAMPLES:,} samples, got "
                                  f"{', '.join(names) or 'none'} on {samples:,}")
        if self.upload is None or self.running:
            return
        wishes = {**wish.wishes(), "samples": samples} | ({} if wish.data_name else {"split": "test"})
        wishes.pop("layer", None)  # logits are attacked, whatever layer was looked at

        def begin() -> None:
            self.asked, self.seconds = (names, samples), None

        self.start(["attack", str(self.upload.path), str(self._fresh), dumps(wishes), ",".join(names),
                    "ask" if only_ask else ""], INSPECTING, begin)

    def said(self, line: dict[str, Any]) -> None:
        """Progress, or how long it will take."""
        super().said(line)
        if "seconds" in line:
            self.seconds = float(line["seconds"])

    def finished(self) -> None:
        """Take the report, where one was asked for."""
        with contextlib.suppress(FileNotFoundError):  # it was not, or the desk is cleared away at this moment
            self.report = json.loads(self._fresh.read_bytes())
            self._fresh.unlink()
