"""Holdings: inspections as a page draws them: the files of their point clouds, in a folder each, behind tokens."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.desks.jobs import Desk
from app.desks.uploads import Upload

if TYPE_CHECKING:  # these need torch, which a page that inspects nothing does without
    import numpy as np

    from app.looks.cloud import Sight
    from app.looks.cloud_theory import Prediction
    from lpc_core.inspection import Inspection

T = TypeVar("T")


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
    own_names: tuple[str, ...] = ()  # of the classes, in the file or data set, where a reader gave them others
    serial: int = 0  # grows with every inspection of the desk
    known: dict[str, Any] = field(default_factory=dict)  # what a page has computed of it, so as not to do it again

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` gives, computed the first time it is asked for under this name."""
        if name not in self.known:
            self.known[name] = make()
        found: T = self.known[name]
        return found


class Holdings:
    """Makes the files of views in the folder of ``desk`` and drops them; nodes' files are written in the background."""

    def __init__(self, desk: Desk) -> None:
        self._folder, self._publish = desk.folder, desk.publish
        self._serials = itertools.count(1)  # two threads never get the same of it
        self._background = ThreadPoolExecutor(1, "nodes")

    def make(self, upload: Upload, inspection: Inspection, sight: Sight | None = None) -> Held:
        """Write the cloud's files of another inspection, as seen in ``sight`` (the default: all that can be drawn)."""
        from app.looks import cloud

        sight = sight or cloud.look(inspection)
        serial = next(self._serials)
        folder = self._of(serial)
        folder.mkdir(mode=0o700)
        paths, info = cloud.write_samples(folder, inspection, sight)
        nodes = self._background.submit(cloud.write_nodes, paths["nodes"], inspection, sight)
        tokens = {kind: self._publish(path, nodes if kind == "nodes" else None) for kind, path in paths.items()}
        pictures = (info["image"], info["images_at"]) if "images" in paths else None
        return Held(upload, inspection, sight, tokens, pictures, serial=serial)

    def foretell(self, held: Held) -> Held:
        """The same with the predicted points, which may take seconds."""
        from app.looks import cloud
        from app.looks.cloud_theory import predict_for

        foretold = held.prediction or predict_for(held.inspection, held.sight.means)
        paths = cloud.write_theory(self._of(held.serial), foretold, held.sight)
        tokens = held.tokens | {kind: self._publish(path) for kind, path in paths.items()}
        return dataclasses.replace(held, prediction=foretold, tokens=tokens)

    def project(self, held: Held, method: str, xy: np.ndarray) -> Held:
        """The same with the coordinates ``xy`` (N, 2) of one ``method`` more."""
        from app.looks import cloud

        path = self._of(held.serial) / f"{method}.safetensors"
        cloud.write_projection(path, xy, held.sight)
        coordinates = held.inspection.coordinates | {method: xy}
        return dataclasses.replace(
            held, inspection=dataclasses.replace(held.inspection, coordinates=coordinates),
            projections=held.projections | {method: self._publish(path)})

    def rename(self, held: Held, names: tuple[str, ...]) -> Held:
        """The same with classes called ``names`` (K,), or () for the names of the file or data set; in other files."""
        from lpc_core.inspection.naming import renamed

        own = held.own_names or held.inspection.embeddings.class_names
        typed = bool(names) and names != own
        inspection = renamed(held.inspection, names if typed else own, typed=typed)
        made = dataclasses.replace(self.make(held.upload, inspection, held.sight), prediction=held.prediction,
                                   own_names=own if typed else ())
        for method in held.projections:
            made = self.project(made, method, inspection.coordinates[method])
        return self.foretell(made)

    def drop(self, held: Held | None) -> None:
        """Delete the files of a view that is no longer shown."""
        if held is not None:
            gone = self._folder / f"gone-{held.serial}"
            with contextlib.suppress(FileNotFoundError):  # it was dropped before
                self._of(held.serial).rename(gone)  # nodes that are still being written find no folder any more
            shutil.rmtree(gone, ignore_errors=True)

    def close(self) -> None:
        """Make no files any more."""
        self._background.shutdown(cancel_futures=True)

    def _of(self, serial: int) -> Path:
        return self._folder / f"view-{serial}"
