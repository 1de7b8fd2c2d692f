"""Studies of the lab's tabs: a run followed, or a dozen runs compared, in a process of its own; read while it grows."""

from __future__ import annotations

import dataclasses
import shutil
import threading
from typing import ClassVar

import numpy as np

from app.desks import jobs
from app.settings import from_env
from lpc_core.config import ConfigError, RunConfig
from lpc_core.engine.cost import CostError, cost_of
from lpc_core.parsing import to_texts
from lpc_core.study import Moment, Study, StudyError, open_study

MOMENTS = 40  # of a followed run
SAMPLES = 100  # held-out samples that each run of a comparison is attacked on


@dataclasses.dataclass(frozen=True)
class Look:
    """What is known of a study at one moment. The study grows in a thread of its own while a page is drawn."""

    run: RunConfig | None = None  # what is studied, or waits to be
    study: Study | None = None  # as far as it has come; the samples themselves stay in the moments' files
    tokens: tuple[str, ...] = ()  # of the moments' files
    running: bool = False
    waiting: str = ""  # why the command has not started yet
    share: float = 0.0
    what: str = ""
    error: str = ""

    @property
    def busy(self) -> bool:
        """Whether a page should look again soon."""
        return self.running or bool(self.waiting)


class StudyDesk(jobs.Desk):
    """One tab's run, followed and measured. What was measured stays when the command fails or is cancelled."""

    noun = "studies"
    advice = "choose a smaller network, fewer samples or fewer steps"
    task: ClassVar[str] = "follow"

    def __init__(self) -> None:
        super().__init__()
        self.run: RunConfig | None = None
        self.study: Study | None = None
        self.tokens: tuple[str, ...] = ()
        self.waiting = ""  # these four, and what a job has: see `Look`
        self._out = self.folder / "study"
        self._growing = threading.RLock()  # the study: the tab's script begins one, the listening thread adds to it

    def look(self) -> Look:
        """All of one moment; what is no longer running has nothing more to say."""
        running = self.running  # first: the study that is read next is then the last one
        with self._growing:
            return Look(self.run, self.study, self.tokens, running, self.waiting, self.share, self.what, self.error)

    def want(self, run: RunConfig) -> None:
        """Study ``run``, unless that is what is there or under way. On a busy server it waits for `retry`."""
        if run != self.run:
            self.drop_other(run)
            self._clear(run)
            self._try()

    def retry(self) -> None:
        """Start what waits, if there is room now."""
        if self.waiting:
            self._try()

    def drop_other(self, run: RunConfig) -> None:
        """Forget the study of any run but ``run``."""
        if self.run is not None and self.run != run:
            self.cancel()
            self._clear(None)

    def again(self) -> None:
        """Study the same run once more, after an error or a cancel."""
        if self.run is not None and not self.running:
            self._clear(self.run)
            self._try()

    def cancel(self) -> None:
        """End the command; what was measured stays."""
        super().cancel()
        self.waiting = ""

    def _clear(self, run: RunConfig | None) -> None:
        with self._growing:
            self.run, self.study, self.tokens, self.error = run, None, (), ""
            shutil.rmtree(self._out, ignore_errors=True)

    def _try(self) -> None:
        if self.run is None:
            return
        settings = [f"{name}={text}" for name, text in to_texts(self.run).items()]
        try:
            self.train(["study", self.task, *settings, *self._more(self.run), "--json", f"--device={from_env().device}",
                        f"--out={self._out}"], cost_of(self.run))
            self.waiting = ""
        except (ConfigError, CostError) as error:
            self.error, self.waiting = str(error), ""
        except jobs.JobRefused as error:
            self.waiting = str(error)

    def _more(self, run: RunConfig) -> list[str]:
        return [f"--moments={min(MOMENTS, run.steps + 1)}"]

    def said(self, line: dict[str, object]) -> None:
        """Take what has been measured, where the line names its file."""
        super().said(line)
        if line.get("file"):
            with self._growing:
                self._take()

    def _take(self) -> None:
        before = self.study
        had = 0 if before is None else len(before.moments) + len(before.rows)
        if not self._out.exists():
            return  # the last words of a command whose study was dropped
        try:
            new = open_study(self._out, since=had)
        except StudyError as error:
            self.error = str(error)
            return
        files = sorted(self._out.glob("moment-*.safetensors"))[had:had + len(new.moments)]
        self.tokens += tuple(self.publish(path) for path in files)
        moments = (*(before.moments if before else ()), *map(_light, new.moments))
        self.study = dataclasses.replace(new, moments=moments, rows=(*(before.rows if before else ()), *new.rows))


def _light(moment: Moment) -> Moment:
    """The moment without its samples, which the server would otherwise hold for every tab: latents (0, d)."""
    return dataclasses.replace(moment, latents=np.empty((0, moment.latents.shape[1]), np.float32),
                               predictions=moment.predictions[:0].copy())


class SweepDesk(StudyDesk):
    """One tab's comparison of many runs around its own. They take a core for a minute or more: one at a time."""

    at_once = 1
    task = "sweep"

    def _more(self, run: RunConfig) -> list[str]:
        return [f"--samples={SAMPLES}"]
