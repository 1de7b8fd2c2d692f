"""Films of the lab's tabs: recorded in a process of their own, kept on a desk, read by whoever has the token.

The film's file appears whole or not at all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from app.desks import jobs
from app.settings import from_env
from lpc_core.config import ConfigError, RunConfig
from lpc_core.engine.cost import Cost, CostError, cost_of
from lpc_core.files.writing import write_whole
from lpc_core.film import FilmError, check_size, film_bytes, gammas_text, open_film, parse_gammas
from lpc_core.parsing import to_short_texts, to_texts

GAMMAS, FRAMES, POINTS = "1e-3:1e5:32", 60, 1_000  # of a film, unless asked otherwise
STEPS = 1_200  # likewise: enough to see every phase, and recorded in seconds
START_S = 3.0  # to start the process that records


@dataclass(frozen=True)
class Recording:
    """What to record."""

    run: RunConfig
    gammas: str
    frames: int
    points: int

    @property
    def seconds(self) -> float:
        """How long recording takes on an ordinary core, roughly: a start, all steps, and a look at every moment."""
        cost = self.check()
        return START_S + self.run.steps * cost.step_s + self.frames * cost.pause_s

    def check(self) -> Cost:
        """What recording takes; `FilmError` for what cannot be recorded, as far as that is known without the data."""
        values = parse_gammas(self.gammas)
        check_size(self.frames, self.points, self.run.steps)
        try:
            return cost_of(self.run, len(values))
        except ConfigError as error:
            raise FilmError(str(error)) from None


@dataclass(frozen=True)
class HeldFilm:
    """The film on a desk."""

    token: str
    size: int  # bytes
    recording: Recording  # that makes such a film
    sample: str = ""  # what a link calls it, if it comes with the lab

    @property
    def texts(self) -> dict[str, str]:
        """The film in few words, as a link carries it."""
        if self.sample:
            return {"film": self.sample}
        run, asked = self.recording.run, self.recording
        more = {"gammas": (asked.gammas, GAMMAS), "frames": (asked.frames, FRAMES), "points": (asked.points, POINTS),
                "length": (run.steps, usual_steps(run))}
        return to_short_texts(run) | {name: str(value) for name, (value, usual) in more.items() if value != usual}


def usual_steps(run: RunConfig) -> int:
    """How long a film of ``run`` is, unless asked otherwise."""
    return min(STEPS, max(10, run.steps))


class FilmDesk(jobs.Desk):
    """One tab's recording and film."""

    noun = "films being recorded"
    advice = "choose fewer γ, frames, points or steps"

    def __init__(self) -> None:
        super().__init__()
        self.held: HeldFilm | None = None
        self.path = self.folder / "film.safetensors"  # where the film lies while there is one
        self._recording: Recording | None = None

    def record(self, recording: Recording) -> None:
        """Start recording; `FilmError` if that cannot be done."""
        cost = recording.check()
        if self.running:
            return
        self._recording = recording
        settings = [f"{name}={text}" for name, text in to_texts(recording.run).items()]
        try:
            self.train(["film", *settings, f"--gammas={recording.gammas}", "--json", f"--frames={recording.frames}",
                        f"--points={recording.points}", f"--device={from_env().device}", f"--out={self._fresh}"], cost)
        except (CostError, jobs.JobRefused) as error:
            raise FilmError(str(error)) from None

    def finished(self) -> None:
        """Take the film that was recorded."""
        try:
            os.replace(self._fresh, self.path)
        except OSError as error:
            self.error = f"The film could not be kept: {error.strerror}."
            return
        if self._recording is not None:
            self._hold(self._recording)

    def adopt(self, raw: bytes, sample: str = "") -> None:
        """Put a saved film on the desk, the lab's own ``sample`` or any; `FilmError` if it is not one."""
        film = open_film(raw)
        self.cancel()
        try:
            write_whole(self.path, film_bytes(film))  # its phases as this version defines them
        except OSError as error:
            raise FilmError(f"The film could not be kept: {error.strerror}.") from None
        self.error = ""
        frames, points = len(film.steps), len(film.labels)
        self._hold(Recording(film.config, gammas_text(film.gammas), frames, points), sample)

    def _hold(self, recording: Recording, sample: str = "") -> None:
        self.held = HeldFilm(self.publish(self.path), self.path.stat().st_size, recording, sample)
