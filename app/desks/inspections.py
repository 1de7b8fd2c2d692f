"""Inspections of the lab's tabs: a file of somebody's, read and measured in a process of its own, kept on a desk.

What was found before stays until the next file has been read. All files lie in the desk's private folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from app.desks import jobs, spares
from app.desks.holdings import Held, Holdings
from app.desks.uploads import Intake, Upload
from app.desks.wishes import Wish
from lpc_core.files.plain_json import dumps
from lpc_core.files.tensors import arrays

if TYPE_CHECKING:  # these need torch, which a page that inspects nothing does without
    from lpc_core.checkpoint import TensorEntry
    from lpc_core.inspection import Inspection

INSPECTING = "app.desks.inspecting"
REST_S = 3.0  # between a command's end and preparing for the next: first the page shows what was found
QUICK_S = 0.5  # how long samples wait for what is foretold, so that both are shown at once
PROJECTIONS = {"tsne": "t-SNE", "umap": "UMAP"}


class InspectDesk(jobs.Desk):
    """One tab's file, what it turned out to be, and what was measured on it."""

    noun = "files being inspected"
    time_setting = "inspect_s"
    advice = "save fewer samples or smaller arrays"

    def __init__(self) -> None:
        super().__init__()
        self.upload: Upload | None = None  # the last file handed in
        self.found: dict[str, Any] | None = None  # what is in a checkpoint or film, while it waits for choices
        self.asks: dict[str, Any] | None = None  # of a refused file: which of its "choices" has the "role"
        self.held: Held | None = None
        self.head: Held | None = None  # a head alone, picked from the file in `found`; an inspection without samples
        self.task = ""  # "inspect" | "head" | "tsne" | "umap": what the command under way is for
        self.data: Upload | None = None  # samples handed in to run a checkpoint on; pictures are packed into one file
        self.data_ids: tuple[str, ...] = ()  # of the uploads that `data` was made of
        self.data_error = ""  # why there is none
        self._before: Held | None = None
        self.wish = Wish()  # how the file was run last
        self._saved = self.folder / "held.inspection.safetensors"
        self._busy = 0
        self._tree: tuple[Path, list[TensorEntry] | str] | None = None
        self._lock = threading.Lock()
        self._intake, self._holdings = Intake(self.folder), Holdings(self)
        self._prepare()

    @property
    def busy(self) -> bool:
        """Whether something is under way, the reading of its result included."""
        return self.running or self._busy > 0

    # ---- files in ----------------------------------------------------------------------------------------------------

    def take(self, name: str, source: IO[bytes]) -> None:
        """Keep the file ``source`` called ``name`` and find out what it is; `JobRefused` when that must wait."""
        self.accept(self._intake.file(name, source, "upload"))

    def take_parts(self, files: Sequence[tuple[str, IO[bytes]]]) -> None:
        """Keep the files of a checkpoint in parts."""
        self.accept(self._intake.parts(files))

    def take_data(self, name: str, source: IO[bytes]) -> None:
        """Keep samples to run a checkpoint on."""
        self._replace_data(self._intake.file(name, source, "data"))

    def take_pictures(self, files: Sequence[tuple[str, IO[bytes]]], most_bytes: int) -> None:
        """Keep the pictures among (folder/class/picture, file); `JobRefused` when there are none, or too many."""
        self._replace_data(self._intake.pictures(files, most_bytes))

    def _replace_data(self, upload: Upload | None) -> None:
        """Other samples in the place of those before, whose file goes unless somebody may be about to read it."""
        if not self.busy:
            self._intake.forget(self.data)
        self.data = upload

    def accept(self, upload: Upload, wish: Wish | None = None) -> None:
        """Find out what ``upload`` is; what needs no choices, or has them in ``wish``, is measured at once."""
        self.cancel()
        if self.upload is not None and (self.held is None or self.held.upload is not self.upload):
            self._intake.forget(self.upload)
        self.upload, self.found, self.asks, self.error = upload, None, None, ""
        self._holdings.drop(self.head)
        self.head = None
        self.inspect(wish or Wish())

    # ---- work --------------------------------------------------------------------------------------------------------

    def inspect(self, wish: Wish) -> None:
        """Measure the file, a checkpoint or a film in the way of ``wish``."""
        if self.upload is not None:
            self.wish, self.asks = wish, None
            self._begin("inspect", "inspect", str(self.upload.path), str(self._fresh), dumps(wish.wishes()))

    def inspect_but(self, *, picked: dict[str, str] | None = None, unlabelled: str | None = None) -> None:
        """Measure the file once more with another choice; those made before stay."""
        roles = {**(self.wish.picked or {}), **(picked or {})} or None
        self.inspect(dataclasses.replace(self.wish, picked=roles, unlabelled=unlabelled or self.wish.unlabelled))

    def pick_head(self, weight: str, bias: str | None, weights: str | None = None) -> None:
        """Show the head of these tensors alone; ``weights`` are those to read of a file with several."""
        if self.upload is not None:
            self._begin("head", "head", str(self.upload.path), self.upload.name, weight, bias or "", str(self._fresh),
                        weights or "")

    def project(self, method: str) -> None:
        """Compute t-SNE ("tsne") or UMAP ("umap") coordinates of the inspection that is held."""
        if method not in PROJECTIONS:
            raise jobs.JobRefused(f"expected one of {', '.join(PROJECTIONS)}, got {method!r}; choose one of them")
        if self.held is not None and method not in self.held.projections and not self.busy:
            self._begin(method, "project", str(self._saved), method, str(self._fresh))

    def name_classes(self, text: str) -> bool:
        """Call the classes what ``text`` says, or as the file does where it is empty; whether that changes anything.

        `ValueError` for names that don't fit. What is under way is not disturbed: then nothing changes.
        """
        from lpc_core.inspection.naming import names_from

        if self.held is None:
            return False
        shown = self.held.inspection.embeddings.class_names
        own = self.held.own_names or shown
        names = names_from(text, len(own)) if text.strip() else own
        if self.busy or names == shown:
            return False
        self._holdings.drop(self._before)
        self.held, self._before = self._holdings.rename(self.held, names), self.held
        return True

    @property
    def running(self) -> bool:
        """Whether there is something to cancel: while its result is taken up, the desk is only busy."""
        process = self._process
        return process is not None and process.returncode is None

    def _begin(self, task: str, *command: str) -> None:
        def begin() -> None:
            self.task = task

        self.start(command, INSPECTING, begin)

    def cancel(self) -> None:
        """End what is under way; what was found before stays."""
        super().cancel()
        self.share, self.what = 0.0, ""

    def tree(self) -> list[TensorEntry] | str:
        """Every tensor of the file with its shape, norm and histogram, or in one line why not. Read once, safely."""
        from app.desks.inspecting import in_settings, reader_limits
        from lpc_core.checkpoint import FileRefused, open_tree

        upload = self.upload
        if upload is None:
            return "There is no file."
        with self._lock:
            if self._tree is None or self._tree[0] != upload.path:
                try:
                    self._tree = (upload.path, open_tree(upload.path, upload.name, reader_limits()))
                except FileRefused as error:
                    self._tree = (upload.path, in_settings(str(error)))
            return self._tree[1]

    # ---- results -----------------------------------------------------------------------------------------------------

    def _listen(self, process: Any, watch: Any) -> None:
        """Follow the command; busy until its result is there too."""
        self._busy += 1
        try:
            super()._listen(process, watch)
        finally:
            self._busy -= 1
            rest = threading.Timer(REST_S, self._prepare)
            rest.daemon = True
            rest.start()

    def said(self, line: dict[str, Any]) -> None:
        """Progress, or what the file is."""
        super().said(line)
        self.found, self.asks = line.get("found", self.found), line.get("asks", self.asks)

    def _prepare(self) -> None:
        """Have a process ready for the next command."""
        if not self.closed:
            spares.prepare(INSPECTING)

    def finished(self) -> None:
        """Take what the command left."""
        process = self._process
        try:
            {"inspect": self._hold, "head": self._hold_head}.get(self.task, self._add_projection)()
        except (OSError, ValueError) as error:
            if self._process is process:  # else it was cancelled, or a newer file came: what it left is cleared away
                self.error = f"The result could not be read: {' '.join(str(error).split())}"

    def _hold(self) -> None:
        """Keep the inspection; there is none where the command said what it needs to know first."""
        from lpc_core.inspection import load

        if not self._fresh.exists():
            return
        process, upload, wish = self._process, self.upload, self.wish  # a newer file may come at any time, or a cancel
        assert upload is not None
        held = self._holdings.make(upload, _named(load(self._fresh), upload, wish))
        self._holdings.drop(self._before)
        with ThreadPoolExecutor(1) as pool:
            foretelling = pool.submit(self._holdings.foretell, held)
            with contextlib.suppress(TimeoutError):
                held = foretelling.result(QUICK_S)
            if self._process is process:
                os.replace(self._fresh, self._saved)
                self.held, self._before = held, self.held  # a page may still be fetching parts of the one before
                if self._before is not None and self._before.upload is not upload:
                    self._intake.forget(self._before.upload)
            foretold = foretelling.result()
        if self.held is held:  # and not a newer one by now
            self.held = foretold
        elif self._before is not held:
            self._holdings.drop(held)

    def _hold_head(self) -> None:
        from app.looks.head_alone import head_inspection

        assert self.upload is not None
        inspection = head_inspection(self._fresh, self.upload.name)
        self._fresh.unlink()
        before = self.head
        self.head = self._holdings.foretell(self._holdings.make(self.upload, inspection))
        self._holdings.drop(before)

    def _add_projection(self) -> None:
        if self.held is not None:
            xy = arrays(self._fresh)["xy"]
            self._fresh.unlink()
            self.held = self._holdings.project(self.held, self.task, xy)

    def close(self) -> None:
        """End the work and delete all files."""
        self._holdings.close()
        super().close()
        self.held = self.head = self.found = self.upload = None


def _named(inspection: Inspection, upload: Upload, wish: Wish) -> Inspection:
    """The inspection with its owner's file names in the place of ours, and the command that gives it in a shell."""
    command = shlex.join(["lpc", "inspect", *(upload.parts or (upload.name,)), *wish.options()])
    source = inspection.source | {"file": upload.name, "command": command}
    if wish.data_name and wish.data and "data" in source:
        name = str(source["data"]["name"]).replace(Path(wish.data).name, wish.data_name)
        source["data"] = source["data"] | {"name": name}
    return dataclasses.replace(inspection, source=source)


__all__ = ["Held", "InspectDesk", "Upload", "Wish"]
