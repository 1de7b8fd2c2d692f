"""Run: one session inside a worker: its trainer, what the reader asked for, when it owes a frame or a state file.

A comparison is one session too: its trainer is a `Lockstep`, and it has a `Panel` for each of its runs.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from app.catalogue import catalogue
from app.live import frames, messages, orders, state_file
from app.live.pacing import Cost, RateMeter, StepBudget
from app.live.panel import Panel
from lpc_core.comparison import Comparison
from lpc_core.config import RunConfig
from lpc_core.data import Dataset
from lpc_core.engine.lockstep import Lockstep
from lpc_core.snapshot import Snapshot

SPEED = 300.0  # steps per second, until the reader says otherwise
WINDOW = 2  # frames under way to a page that have not been acknowledged
SAVE_EVERY_S, SAVE_AGAIN_S = 2.0, 60.0  # where it fails it is tried less and less often, down to the latter
SAVE_SHARE = 0.05  # of the time, at most, goes into state files
OF_THE_LEADER = ("gamma", "gamma_sum", "gamma_target", "gamma_mode", "lr", "head_lr")  # what a comparison says as one


class Trainer(Protocol):
    """What a run needs of a trainer; `lpc_core.engine.trainer.Trainer` is the one in use."""

    config: RunConfig
    dataset: Dataset
    step: int
    limit: int
    reason: str
    theory_note: str

    # The methods say what they do in `lpc_core.engine.trainer`.
    @property
    def finished(self) -> bool: ...  # noqa: D102
    @property
    def diverged(self) -> bool: ...  # noqa: D102
    @property
    def probe_labels(self) -> np.ndarray: ...  # noqa: D102
    @property
    def probe_images(self) -> np.ndarray | None: ...  # noqa: D102
    def advance(self, steps: int, deadline: float | None = None) -> int: ...  # noqa: D102
    def snapshot(self, metrics: bool = True) -> Snapshot: ...  # noqa: D102
    def set_gamma(self, value: float) -> None: ...  # noqa: D102
    def set_auto(self) -> None: ...  # noqa: D102
    def set_lr(self, value: float) -> None: ...  # noqa: D102
    def extend(self) -> None: ...  # noqa: D102
    def state_bytes(self) -> bytes: ...  # noqa: D102
    def load_state_bytes(self, raw: bytes) -> None: ...  # noqa: D102


MakeTrainer = Callable[[RunConfig | Comparison, Dataset], Trainer | Lockstep]
Post = Callable[[orders.Report], None]


class Run:
    """One session. Nothing here waits: the worker asks it to train, to send a frame, to save, each when due."""

    def __init__(self, id: str, post: Post, make: MakeTrainer, path: Path, *, frame: int = 0, run: int = 0) -> None:
        now = time.perf_counter()
        self.id, self._post, self._make, self._path = id, post, make, path
        self.frame, self.run, self.ticket = frame, run, 0
        self.trainer: Trainer | Lockstep | None = None
        self.here = self.held = False  # a page is connected; it has been silent for too long
        self.playing, self._remaining = True, math.inf  # the reader's wish; steps until the run pauses again
        self.broken = ""  # why this session's trainer may not be called any more
        self.view, self._gamma_seq = messages.View(type="view"), 0
        self._speed, self._budget, self._meter = SPEED, StepBudget(SPEED, now), RateMeter(now)
        self._unacked: deque[int] = deque()
        self.frame_cost, self.metrics_cost = Cost(), Cost()
        self.debt = 0.0  # seconds this run took beyond its turns
        self.unsaved = 0  # times that its state file could not be written, one after the other
        self.restoring = False  # it ran in a worker that ended, and has not begun here yet
        self._error: orders.Notice | None = None  # the last one, for a page that comes later
        self._fresh()

    def _fresh(self) -> None:
        """Forget what belongs to the run before."""
        now = time.perf_counter()
        self._panels: list[Panel] = []
        self._dirty = self._measure = True
        self._drawn_step, self._next_frame, self._next_metrics = -1, now, now
        self._unsaved, self._next_save = False, now + SAVE_EVERY_S
        self._meter.stop(now)

    # ---- beginning -----------------------------------------------------------------------------------------------

    def start(self, config: RunConfig | Comparison, dataset: Dataset, ticket: int) -> None:
        """Begin ``config`` at step 0. Raises what building its trainer raises; then the run before goes on."""
        trainer = self._make(config, dataset)
        state_file.remove(self._path)
        self._take(trainer, ticket)

    def restore(self, saved: state_file.Saved, dataset: Dataset, ticket: int) -> None:
        """Go on with a run that another worker left behind."""
        trainer = self._make(saved.config, dataset)
        trainer.load_state_bytes(saved.trainer)
        self._take(trainer, ticket)
        for panel, history in zip(self._panels, saved.histories, strict=True):
            panel.history = history
        self.playing, self._gamma_seq = saved.info["playing"], saved.info["gamma_seq"]
        self._set_speed(saved.info["speed"])
        self.view = messages.View.model_validate_json(saved.info["view"])

    def _take(self, trainer: Trainer | Lockstep, ticket: int) -> None:
        self.trainer, self.ticket, self.broken = trainer, ticket, ""
        self._remaining = math.inf
        self.run += 1
        self._error = None
        self._fresh()
        self._panels = [Panel(member) for member in (trainer.members if isinstance(trainer, Lockstep) else [trainer])]
        self._unsaved = True  # what the reader has set so far must outlive this process too
        self._next_save = self._next_save if self.playing else -math.inf
        self._send_setup()

    def _again(self) -> None:
        """Back to step 0 of the same run, playing."""
        if self.trainer is not None:
            self.playing = True
            self.start(self.trainer.config, self.trainer.dataset, self.ticket)

    # ---- what the reader does ------------------------------------------------------------------------------------

    def come(self) -> None:
        """A page has connected: it needs the whole picture."""
        self.here, self.held = True, False
        self._unacked.clear()
        if self._error is not None:
            self._post(self._error)
        if self.trainer is not None:
            self._send_setup()
            self._dirty = self._measure = True
        if self.broken:
            self._send_last()

    def leave(self) -> None:
        """The page has gone: stand still, and keep what was reached."""
        self.here = False
        self._pause_clock()

    def hold(self, held: bool) -> None:
        """The page is silent (or speaks again): stand still as long as it is."""
        self.held = held
        self._pause_clock()

    def hear(self, message: messages.Control) -> None:
        """Do what the reader said. Raises `ValueError` for what the trainer refuses."""
        if isinstance(message, messages.Ack):
            while self._unacked and self._unacked[0] <= message.frame:
                self._unacked.popleft()
        elif isinstance(message, messages.View):
            self.view, self._dirty = message, True
        elif isinstance(message, messages.Speed):
            self._set_speed(message.steps_per_second)
        elif self.trainer is None:
            self._hear_early(message)
        elif not self.broken:
            self._control(self.trainer, message)
        elif isinstance(message, messages.Reset):
            self._again()

    def _hear_early(self, message: messages.Control) -> None:
        """While the data are still being loaded, only whether to play is remembered."""
        if isinstance(message, (messages.Play, messages.Pause, messages.Reset)):
            self.playing = not isinstance(message, messages.Pause)

    def _control(self, trainer: Trainer | Lockstep, message: messages.Control) -> None:
        match message:
            case messages.Play():
                self._play(trainer, math.inf)
            case messages.Step(count=count):
                self._play(trainer, count if self._remaining == math.inf else self._remaining + count)
            case messages.Pause():
                self.playing, self._remaining, self._unsaved = False, math.inf, True
                self._pause_clock()
            case messages.Reset():
                self._again()
            case messages.Gamma(value=value, seq=seq):
                trainer.set_gamma(value)
                self._gamma_seq = seq
                if trainer.finished and self.playing:
                    trainer.extend()
            case messages.Auto():
                trainer.set_auto()
            case messages.LearningRate(value=value):
                trainer.set_lr(value)
            case messages.Thumbs():
                self._send_thumbs()
            case _:
                return
        self._dirty = self._measure = self._unsaved = True

    def _play(self, trainer: Trainer | Lockstep, steps: float) -> None:
        self.playing, self._remaining = True, steps
        if trainer.finished:
            trainer.extend()

    def _set_speed(self, rate: float) -> None:
        self._speed = rate
        self._budget.set_rate(rate, time.perf_counter())

    def _pause_clock(self) -> None:
        self._meter.stop(time.perf_counter())
        self._dirty = True
        if self._unsaved:
            self._next_save = -math.inf

    # ---- what the worker asks for ----------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """Running | paused | finished | diverged."""
        if self.trainer is None or self.broken or self.trainer.diverged:
            return "diverged" if self.trainer is not None or self.broken else "paused"
        if self.trainer.finished:
            return "finished"
        return "running" if self.playing else "paused"

    @property
    def trains(self) -> bool:
        """Whether it may be given a turn."""
        return self.here and not self.held and self.trainer is not None and self.state == "running"

    def train(self, quantum: float) -> float:
        """Train for about ``quantum`` seconds, less if the reader wants it slower; returns the seconds of work."""
        begun, work = time.perf_counter(), time.thread_time()
        steps = min(self._budget.allowance(begun), self._remaining)
        if not self.trains or steps < 1 or self.trainer is None:
            return 0.0
        done = self.trainer.advance(int(steps), deadline=begun + quantum)
        now = time.perf_counter()
        self._budget.spend(done)
        self._meter.add(done, now)
        self._remaining -= done
        self._unsaved = self._unsaved or done > 0
        if self._remaining <= 0:
            self.playing, self._remaining = False, math.inf
        if self.state != "running":
            self._measure = True
            self._pause_clock()
        return time.thread_time() - work

    def owes_frame(self, now: float) -> bool:
        """Whether a page waits for a frame that is due, and can take one more."""
        return self._wants_frame() and now >= self._next_frame

    def _wants_frame(self) -> bool:
        moved = self._dirty or (self.trainer is not None and self.trainer.step != self._drawn_step)
        watched = self.here and not self.held and self.trainer is not None and not self.broken
        return watched and moved and len(self._unacked) < WINDOW

    def send_frame(self, frame_interval: float, metrics_interval: float) -> None:
        """Measure if due, draw and send; the next frame is due an interval later."""
        begun = time.perf_counter()
        measure = self._measure or begun >= self._next_metrics
        self._look(measure)
        self.frame += 1
        raw = self._draw()
        self._unacked.append(self.frame)
        self._dirty, self._drawn_step = False, self.trainer.step if self.trainer is not None else -1
        self._next_frame = max(self._next_frame + frame_interval, begun + frame_interval / 2)  # keeps the rate
        self._post(orders.Frame(self.id, raw, self.frame))
        seconds = time.perf_counter() - begun
        (self.metrics_cost if measure else self.frame_cost).add(seconds)
        if measure:
            self._measure, self._next_metrics = False, begun + metrics_interval

    def save_if_due(self, now: float) -> None:
        """Write the state file when something changed and it is time."""
        if self._unsaved and now >= self._next_save:
            self.save()

    def save(self) -> None:
        """Write the state file. Where that fails, the reader is told once, and once when it works again."""
        if self.trainer is None or self.broken:
            return
        begun, self._unsaved = time.perf_counter(), False
        info = {"playing": self.playing, "gamma_seq": self._gamma_seq, "speed": self._speed, "ticket": self.ticket,
                "view": self.view.model_dump_json()}
        try:
            histories = tuple(panel.history for panel in self._panels)
            state_file.write(self._path, state_file.Saved(self.trainer.config, self.trainer.state_bytes(), histories,
                                                          info))
        except OSError as error:
            self._note_unsaved(error.strerror or type(error).__name__)
        else:
            if self.unsaved:
                self.unsaved = 0
                self.tell("info", "This run is being saved again.", state="saved")
        end = time.perf_counter()
        pause = min(SAVE_AGAIN_S, SAVE_EVERY_S * 2**self.unsaved) if self.unsaved else SAVE_EVERY_S
        self._next_save = end + max(pause, (end - begun) / SAVE_SHARE)

    def _note_unsaved(self, why: str) -> None:
        self._unsaved, self.unsaved = True, self.unsaved + 1
        if self.unsaved == 1:
            self.tell("warning", f"This run cannot be saved at the moment ({why}). It goes on, but would start again "
                                 "from its last saved step if the training process stopped.", state="unsaved")

    def wait(self, now: float) -> float:
        """Seconds until this run has something to do by itself; infinity when it waits for the reader."""
        due = math.inf
        if self.trains:
            due = 0.0 if self._budget.allowance(now) >= 1 else self._budget.wait()
        if self._wants_frame():
            due = min(due, self._next_frame - now)
        if self._unsaved and self.trainer is not None and not self.broken:
            due = min(due, self._next_save - now)
        return max(0.0, due)

    def fail(self, reason: str) -> None:
        """Take the trainer out of service: it raised what nobody expected. `Reset` starts it anew."""
        self.broken = reason
        self.tell("error", reason)
        self._send_last()

    # ---- what is sent --------------------------------------------------------------------------------------------

    def tell(self, level: str, text: str, *, progress: float | None = None, state: str = "",
             failed: int | None = None) -> None:
        """Send one line; an error is also kept for a page that comes later."""
        notice = orders.Notice(self.id, frames.encode_notice(level, text, progress, state), level, failed)
        if level == "error":
            self._error = notice
        self._post(notice)

    def _look(self, measure: bool) -> None:
        for panel in self._panels:
            panel.look(measure=measure, running=self.state == "running")

    def _send_last(self) -> None:
        """Of a run out of service: its last moment and why."""
        if self._panels and self.here:
            self.frame += 1
            self._unacked.append(self.frame)
            self._post(orders.Frame(self.id, self._draw(), self.frame))

    def _draw(self) -> bytes:
        """The frame of what was last looked at."""
        parts = [panel.picture(self.view) for panel in self._panels]
        limit = self.trainer.limit if self.trainer is not None else 0
        info = {"run": self.run, "frame": self.frame, "steps": limit, "gamma_seq": self._gamma_seq, "state": self.state,
                "steps_per_s": self._meter.rate if self.state == "running" else 0.0}
        info |= {"reason": self.broken} if self.broken else {}
        if not isinstance(self.trainer, Lockstep):
            return frames.encode_part("frame", parts[0], info)
        for panel, (own, _) in zip(self._panels, parts, strict=True):
            own["state"] = "diverged" if panel.trainer.diverged else self.state
        lead = {name: parts[self.trainer.leader][0][name] for name in OF_THE_LEADER}
        lead |= {"step": self.trainer.step, "reason": self.trainer.reason}
        return frames.encode_parts("frame", parts, lead | info)

    def _send_setup(self) -> None:
        trainer = self.trainer
        if trainer is None or not self._panels:
            return
        parts = [panel.opening() for panel in self._panels]
        info = {"run": self.run, "frame": self.frame, "steps": trainer.limit, "catalogue": catalogue()}
        if isinstance(trainer, Lockstep):
            lead = {name: value for name, value in parts[trainer.leader][0].items() if name != "history"}
            info |= {"titles": trainer.config.titles, "follows": trainer.config.follows}
            raw = frames.encode_parts("setup", parts, lead | info)
        else:
            raw = frames.encode_part("setup", parts[0], info)
        self._post(orders.Setup(self.id, raw, self.run, self.ticket))

    def _send_thumbs(self) -> None:
        images = self._panels[0].trainer.probe_images if self._panels else None
        if images is None:
            self.tell("info", "These samples are not pictures, so there are none to show.")
        else:
            self._post(orders.Thumbs(self.id, frames.encode_thumbs(self.run, images)))
