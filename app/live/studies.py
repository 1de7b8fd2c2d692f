"""Studies of the lab's tabs: a run followed, or a dozen runs compared, in a process of its own; read while it grows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from app.live import jobs
from lpc_core.config import RunConfig
from lpc_core.parsing import to_texts
from lpc_core.study import Study, StudyError, open_study

MOMENTS = 40  # of a followed run
SAMPLES = 100  # held-out samples that each run of a comparison is attacked on


class StudyDesk(jobs.Desk):
    """One tab's study of a kind. What was measured stays when the command fails or is cancelled."""

    noun = "studies"
    refusal = StudyError

    def __init__(self, task: str, device: str = "auto") -> None:
        super().__init__()
        self.task, self.device = task, device  # task: "follow" | "sweep"
        self.run: RunConfig | None = None  # what is studied, or waits to be
        self.study: Study | None = None  # as far as it has come
        self.tokens: tuple[str, ...] = ()  # of the moments' files
        self.waiting = ""  # why the command has not started yet
        self._tries = 0
        self._out = self.folder

    @property
    def busy(self) -> bool:
        """Whether a page should look again soon."""
        return self.running or bool(self.waiting)

    def want(self, run: RunConfig) -> None:
        """Study ``run``, unless that is what is there or under way. On a busy server it waits for `retry`."""
        if run != self.run:
            self.drop_other(run)
            self._begin(run)

    def retry(self) -> None:
        """Start what waits, if there is room now."""
        if self.waiting:
            self._try()

    def drop_other(self, run: RunConfig) -> None:
        """Forget the study of any run but ``run``."""
        if self.run is not None and self.run != run:
            self.cancel()
            self.run, self.study, self.tokens, self.error = None, None, (), ""

    def again(self) -> None:
        """Study the same run once more, after an error or a cancel."""
        if self.run is not None and not self.running:
            self._begin(self.run)

    def cancel(self) -> None:
        """End the command; what was measured stays."""
        super().cancel()
        self.waiting = ""

    def _begin(self, run: RunConfig) -> None:
        self.run, self.study, self.tokens, self.error = run, None, (), ""
        self._try()

    def _try(self) -> None:
        assert self.run is not None
        self._tries += 1
        self._out = self.folder / f"study-{self._tries}"
        settings = [f"{name}={text}" for name, text in to_texts(self.run).items()]
        try:
            self.start(["study", self.task, *settings, *self._more(self.run), "--json", f"--device={self.device}",
                        f"--out={self._out}"])
            self.waiting = ""
        except StudyError as error:
            self.waiting = str(error)

    def _more(self, run: RunConfig) -> list[str]:
        return [f"--moments={min(MOMENTS, run.steps + 1)}"] if self.task == "follow" else [f"--samples={SAMPLES}"]

    def said(self, line: dict[str, object]) -> None:
        """Take what has been measured, where the line names its file."""
        super().said(line)
        if line.get("file"):
            self._take(self._out)

    def _take(self, out: Path) -> None:
        before = self.study
        had = 0 if before is None else len(before.moments) + len(before.rows)
        try:
            new = open_study(out, since=had)
        except StudyError as error:
            self.error = str(error)
            return
        tokens = [self.publish(path) for path in sorted(out.glob("moment-*.safetensors"))[had:had + len(new.moments)]]
        if out != self._out:
            return  # another study began meanwhile
        if before is not None:
            new = dataclasses.replace(new, moments=before.moments + new.moments, rows=before.rows + new.rows)
        self.study, self.tokens = new, (*self.tokens, *tokens)


__all__ = ["StudyDesk", "StudyError"]
