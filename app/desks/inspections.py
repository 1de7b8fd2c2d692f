"""Inspections of the lab's tabs: a file of somebody's, read and measured in a process of its own, kept on a desk.

What was found before stays until the next file has been read. All files lie in the desk's private folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shlex
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from app.desks import jobs, spares
from app.settings import from_env
from lpc_core.files.plain_json import dumps
from lpc_core.files.tensors import arrays

if TYPE_CHECKING:  # these need torch, which a page that inspects nothing does without
    from app.looks.cloud import Sight
    from app.looks.cloud_theory import Prediction
    from lpc_core.checkpoint import TensorEntry
    from lpc_core.inspection import Inspection

LOOKING = "app.desks.looking"
BLOCK = 2**20
REST_S = 3.0  # between a command's end and preparing for the next: first the page shows what was found
QUICK_S = 0.5  # how long samples wait for what is foretold, so that both are shown at once
T = TypeVar("T")
PROJECTIONS = {"tsne": "t-SNE", "umap": "UMAP"}
_ENDING = re.compile(r"(-\d{5}-of-\d{5}|\.[a-z]{1,12}\.index|\.pth)?\.[a-z0-9]{1,12}$")
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()+,=@-]")
MOST_NAME = 120  # characters of a name on the disk
_CUT = re.compile(r"[^\w .()+,=@-]+")


class InspectRefused(jobs.JobRefused):
    """A wish that cannot be followed; the message says what was expected, what was found and what to do."""


@dataclass(frozen=True)
class Upload:
    """A file that was handed in."""

    name: str  # as its owner calls it, cut to what can be shown
    path: Path  # in the desk's folder, or a sample's; of a checkpoint in parts the folder they are in
    size: int  # bytes
    parts: tuple[str, ...] = ()  # names of its files where these are several


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
        """As `lpc_core.inspection.examining.Wishes` takes them."""
        given = vars(self) | {"gammas": None if self.gamma is None else [self.gamma], "gamma": None, "data_name": None}
        return {name: value for name, value in given.items() if value is not None}

    def options(self) -> list[str]:
        """As the command line takes them, with the owner's names."""
        order = None if self.order is None else ",".join(self.order)
        given = vars(self) | {"data": self.data_name or self.data, "data_name": None, "picked": None, "order": order}
        picks = [f"--pick={role}={name}" for role, name in (self.picked or {}).items()]
        return [*(f"--{name}={value}" for name, value in given.items() if value is not None), *picks]


@dataclass(frozen=True, eq=False)
class Held:
    """An inspection on a desk, with tokens of the files that its point cloud is drawn from."""

    upload: Upload
    inspection: Inspection
    sight: Sight
    tokens: dict[str, str]  # kind of file ("cloud", "nodes", "images", "theory", "points") → token
    pictures: tuple[list[int], int] | None = None  # of the "images" file: [H, W, C], and where they begin
    prediction: Prediction | None = None  # None while it is being computed
    projections: dict[str, str] = field(default_factory=dict)  # "tsne", "umap" → token
    serial: int = 0  # grows with every inspection of the desk
    known: dict[str, Any] = field(default_factory=dict)  # what a page has computed of it, so as not to do it again

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` gives, computed the first time it is asked for under this name."""
        if name not in self.known:
            self.known[name] = make()
        found: T = self.known[name]
        return found


class InspectDesk(jobs.Desk):
    """One tab's file, what it turned out to be, and what was measured on it."""

    noun = "files being inspected"
    refusal = InspectRefused
    time_setting = "inspect_s"
    advice = "save fewer samples or smaller arrays"

    def __init__(self, device: str = "auto") -> None:
        super().__init__()
        self.device = device
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
        self._wish = Wish()
        self._busy = 0
        self._serial = 0
        self._tree: tuple[Path, list[TensorEntry] | str] | None = None
        self._lock = threading.Lock()
        self._background = ThreadPoolExecutor(1, "nodes")
        self._prepare()

    @property
    def busy(self) -> bool:
        """Whether something is under way, the reading of its result included."""
        return self.running or self._busy > 0

    # ---- files in ----------------------------------------------------------------------------------------------------

    def take(self, name: str, source: IO[bytes]) -> None:
        """Keep the file ``source`` called ``name`` and find out what it is; `InspectRefused` when that must wait."""
        self.accept(self._keep(name, source, "upload"))

    def take_parts(self, files: Sequence[tuple[str, IO[bytes]]]) -> None:
        """Keep the files of a checkpoint in parts in a folder of their own, under safe forms of their names."""
        self._serial += 1
        folder, names = self.folder / f"upload-{self._serial}", [name for name, _ in files]
        folder.mkdir(mode=0o700)
        safe = [_UNSAFE.sub("_", _shown(name)).lstrip(".")[-MOST_NAME:] or "file" for name in names]
        if len(set(safe)) < len(safe):
            shutil.rmtree(folder)
            raise InspectRefused("expected each file once, got one name twice; choose each part of a checkpoint once")
        size = sum(_written(folder / name, source) for name, (_, source) in zip(safe, files, strict=True))
        self.accept(Upload(f"{_shown(names[0])} and {len(names) - 1} more", folder, size,
                           tuple(_shown(name) for name in names)))

    def take_data(self, name: str, source: IO[bytes]) -> None:
        """Keep samples to run a checkpoint on."""
        self._replace_data(self._keep(name, source, "data"))

    def take_pictures(self, files: Sequence[tuple[str, IO[bytes]]], most_bytes: int) -> None:
        """Keep the pictures among (folder/class/picture, file); `InspectRefused` when there are none, or too many."""
        from lpc_core.checkpoint import FileRefused, pictures

        self._serial += 1
        path = self.folder / f"data-{self._serial}.zip"
        inside = {name.partition("/")[2]: file for name, file in files}  # a picture at the top has no class
        try:
            total = sum(file.seek(0, os.SEEK_END) for file in inside.values())
            if total > most_bytes:
                raise InspectRefused(f"expected a folder of at most {most_bytes:,} bytes, got {total:,}; choose fewer "
                                     "pictures, or smaller ones")
            for file in inside.values():
                file.seek(0)
            if not pictures.pack({name: file.read for name, file in inside.items()}, path):
                raise InspectRefused("expected a folder with one folder of pictures per class, got one without any; "
                                     f"{pictures.SORT}")
        except (FileRefused, ImportError, InspectRefused) as error:
            path.unlink(missing_ok=True)
            raise InspectRefused(str(error)) from None
        self._replace_data(Upload(_shown(files[0][0].partition("/")[0]), path, path.stat().st_size))

    def _replace_data(self, upload: Upload | None) -> None:
        """Other samples in the place of those before, whose file goes unless somebody may be about to read it."""
        if not self.busy:
            self._forget(self.data)
        self.data = upload

    def accept(self, upload: Upload, wish: Wish | None = None) -> None:
        """Find out what ``upload`` is; what needs no choices, or has them in ``wish``, is measured at once."""
        self.cancel()
        if self.upload is not None and (self.held is None or self.held.upload is not self.upload):
            self._forget(self.upload)
        self.upload, self.found, self.asks, self.error = upload, None, None, ""
        self._drop(self.head)
        self.head = None
        self.inspect(wish or Wish())

    def _keep(self, name: str, source: IO[bytes], kind: str) -> Upload:
        """Write ``source`` under a name of ours; of its own name only a usual ending is kept."""
        most = from_env().upload_mb
        if source.seek(0, os.SEEK_END) > most * BLOCK:
            raise InspectRefused(f"expected a file of at most {most:,} MB, got {source.tell() / BLOCK:,.0f} MB; save "
                                 "less in it, or ask whoever runs the server to raise LPC_UPLOAD_MB")
        source.seek(0)
        self._serial += 1
        ending = _ENDING.search(name.lower())
        path = self.folder / f"{kind}-{self._serial}{ending[0] if ending else ''}"
        return Upload(_shown(name), path, _written(path, source))

    def _forget(self, upload: Upload | None) -> None:
        if upload is None or upload.path.parent != self.folder:
            return
        if upload.parts:
            shutil.rmtree(upload.path, ignore_errors=True)
        else:
            upload.path.unlink(missing_ok=True)

    # ---- work --------------------------------------------------------------------------------------------------------

    def inspect(self, wish: Wish) -> None:
        """Measure the file, a checkpoint or a film in the way of ``wish``."""
        if self.upload is not None:
            self._wish, self.asks = wish, None
            self._begin("inspect", "inspect", str(self.upload.path), str(self._fresh), dumps(wish.wishes()))

    def inspect_but(self, *, picked: dict[str, str] | None = None, unlabelled: str | None = None) -> None:
        """Measure the file once more with another choice; those made before stay."""
        roles = {**(self._wish.picked or {}), **(picked or {})} or None
        self.inspect(dataclasses.replace(self._wish, picked=roles, unlabelled=unlabelled or self._wish.unlabelled))

    def pick_head(self, weight: str, bias: str | None, weights: str | None = None) -> None:
        """Show the head of these tensors alone; ``weights`` are those to read of a file with several."""
        if self.upload is not None:
            self._begin("head", "head", str(self.upload.path), self.upload.name, weight, bias or "", str(self._fresh),
                        weights or "")

    def project(self, method: str) -> None:
        """Compute t-SNE ("tsne") or UMAP ("umap") coordinates of the inspection that is held."""
        if method not in PROJECTIONS:
            raise InspectRefused(f"expected one of {', '.join(PROJECTIONS)}, got {method!r}; choose one of them")
        if self.held is not None and method not in self.held.projections and not self.busy:
            self._begin(method, "project", str(self._saved), method, str(self._fresh))

    def _begin(self, task: str, *command: str) -> None:
        if self.running:
            return
        before, self.task = self.task, task
        try:
            self.start(command, LOOKING)
        except InspectRefused:
            self.task = before
            raise

    def cancel(self) -> None:
        """End what is under way; what was found before stays."""
        super().cancel()
        self.share, self.what = 0.0, ""

    def tree(self) -> list[TensorEntry] | str:
        """Every tensor of the file with its shape, norm and histogram, or in one line why not. Read once, safely."""
        from app.desks.looking import in_settings, reader_limits
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

    @property
    def _fresh(self) -> Path:
        return self.folder / "new.safetensors"

    @property
    def _saved(self) -> Path:
        return self.folder / "held.inspection.safetensors"

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
            spares.prepare(LOOKING)

    def finished(self) -> None:
        """Take what the command left."""
        try:
            {"inspect": self._take, "head": self._hold_head}.get(self.task, self._add_projection)()
        except (OSError, ValueError) as error:
            self.error = f"The result could not be read: {' '.join(str(error).split())}"

    def _take(self) -> None:
        """Keep the inspection; there is none where the command said what it needs to know first."""
        if self._fresh.exists():
            self._hold()

    def _hold(self) -> None:
        from app.looks import cloud
        from lpc_core.inspection import load

        assert self.upload is not None
        inspection = _named(load(self._fresh), self.upload, self._wish)
        os.replace(self._fresh, self._saved)
        sight = cloud.look(inspection)
        held = self._publish(inspection, sight)
        self._drop(self._before)
        with ThreadPoolExecutor(1) as pool:
            foretelling = pool.submit(self._foretell, held)
            with contextlib.suppress(TimeoutError):
                held = foretelling.result(QUICK_S)
            self.held, self._before = held, self.held  # a page may still be fetching parts of the one before
            if self._before is not None and self._before.upload is not held.upload:
                self._forget(self._before.upload)
            foretold = foretelling.result()
        if self.held is held:  # and not a newer one by now
            self.held = foretold

    def _drop(self, held: Held | None) -> None:
        """Delete the files of a view that is no longer shown."""
        if held is not None:
            shutil.rmtree(self.folder / f"view-{held.serial}", ignore_errors=True)

    def _publish(self, inspection: Inspection, sight: Sight) -> Held:
        """Write the cloud's files, the nodes' in the background; the ones before are no longer served."""
        from app.looks import cloud

        assert self.upload is not None
        self._serial += 1
        folder = self.folder / f"view-{self._serial}"
        folder.mkdir(mode=0o700)
        paths, info = cloud.write_samples(folder, inspection, sight)
        nodes = self._background.submit(cloud.write_nodes, paths["nodes"], inspection, sight)
        tokens = {kind: self.publish(path, nodes if kind == "nodes" else None) for kind, path in paths.items()}
        pictures = (info["image"], info["images_at"]) if "images" in paths else None
        return Held(self.upload, inspection, sight, tokens, pictures, serial=self._serial)

    def _foretell(self, held: Held) -> Held:
        """The same with the predicted points, which may take seconds."""
        from app.looks import cloud
        from app.looks.cloud_theory import predict_for

        foretold = predict_for(held.inspection, held.sight.means)
        paths = cloud.write_theory(self.folder / f"view-{held.serial}", foretold, held.sight)
        tokens = held.tokens | {kind: self.publish(path) for kind, path in paths.items()}
        return dataclasses.replace(held, prediction=foretold, tokens=tokens)

    def _hold_head(self) -> None:
        from app.looks import cloud
        from app.looks.head_alone import head_inspection

        assert self.upload is not None
        inspection = head_inspection(self._fresh, self.upload.name)
        self._fresh.unlink()
        before = self.head
        self.head = self._foretell(self._publish(inspection, cloud.look(inspection)))
        self._drop(before)

    def _add_projection(self) -> None:
        from app.looks import cloud

        held = self.held
        if held is None:
            return
        xy = arrays(self._fresh)["xy"]
        self._fresh.unlink()
        path = self.folder / f"view-{held.serial}" / f"{self.task}.safetensors"
        cloud.write_projection(path, xy, held.sight)
        coordinates = held.inspection.coordinates | {self.task: xy}
        inspection = dataclasses.replace(held.inspection, coordinates=coordinates)
        self.held = dataclasses.replace(held, inspection=inspection,
                                        projections=held.projections | {self.task: self.publish(path)})

    def close(self) -> None:
        """End the work and delete all files."""
        self._background.shutdown(cancel_futures=True)
        super().close()
        self.held = self.head = self.found = self.upload = None


def _written(path: Path, source: IO[bytes]) -> int:
    """Write ``source`` to a new file that nobody else may read; how many bytes that were."""
    size = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while block := source.read(BLOCK):
            size += file.write(block)
    return size


def _shown(name: str) -> str:
    """The name without folders and without what could not be shown in one line."""
    return _CUT.sub("_", Path(name.replace("\\", "/")).name)[:120] or "file"


def _named(inspection: Inspection, upload: Upload, wish: Wish) -> Inspection:
    """The inspection with its owner's file names in the place of ours, and the command that gives it in a shell."""
    command = shlex.join(["lpc", "inspect", *(upload.parts or (upload.name,)), *wish.options()])
    source = inspection.source | {"file": upload.name, "command": command}
    if wish.data_name and wish.data and "data" in source:
        name = str(source["data"]["name"]).replace(Path(wish.data).name, wish.data_name)
        source["data"] = source["data"] | {"name": name}
    return dataclasses.replace(inspection, source=source)


__all__ = ["Held", "InspectDesk", "InspectRefused", "Upload", "Wish"]
