"""Run: one session inside a worker: its trainer, what the reader asked for, when it owes a frame or a state file.

It is of a group of runs, trained in `Lockstep`, and has a `Panel` for each of them; a single run is a group of one.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.catalogue import catalogue
from app.live import frames, messages, orders
from app.live.pacing import RateMeter, StepBudget
from app.training import state_file
from app.training.delivery import Delivery
from app.training.history import History
from app.training.keeping import Keeper
from app.training.panel import Panel
from lpc_core.data import Dataset
from lpc_core.engine.lockstep import Lockstep
from lpc_core.run_group import RunGroup

SPEED = 300.0  # steps per second, until the reader says otherwise
OF_THE_LEADER = ("gamma", "gamma_sum", "gamma_target", "gamma_mode", "lr", "head_lr")  # what a group says as one

MakeTrainer = Callable[[RunGroup, Dataset], Lockstep]
Post = Callable[[orders.Report], None]


class Run:
    """One session. Nothing here waits: the worker asks it to train, to send a frame, to save, each when due."""

    def __init__(self, id: str, post: Post, make: MakeTrainer, path: Path, *, frame: int = 0, run: int = 0) -> None:
        now = time.perf_counter()
        self.id, self._post, self._make = id, post, make
        self.run, self.ticket = run, 0
        self.delivery, self.keeper = Delivery(frame), Keeper(path, self.tell)
        self.trainer: Lockstep | None = None
        self.here = self.held = False  # a page is connected; it has been silent for too long
        self.playing, self._remaining = True, math.inf  # the reader's wish; steps until the run pauses again
        self.broken = ""  # why this session's trainer may not be called any more
        self.view, self._gamma_seq = messages.View(type="view"), 0
        self._budget, self._meter = StepBudget(SPEED, now), RateMeter(now)
        self.debt = 0.0  # seconds this run took beyond its turns
        self.restoring = False  # it ran in a worker that ended, and has not begun here yet
        self._error: orders.Notice | None = None  # the last one, for a page that comes later
        self._panels: list[Panel] = []

    # ---- beginning -----------------------------------------------------------------------------------------------

    def start(self, config: RunGroup, dataset: Dataset, ticket: int) -> None:
        """Begin ``config`` at step 0. Raises what building and looking at it raises; then the run before goes on."""
        self._take(self._make(config, dataset), ticket)
        self.keeper.remove()

    def restore(self, saved: state_file.Saved, dataset: Dataset, ticket: int) -> int:
        """Go on with a run that another worker left behind; returns the step it is at."""
        trainer = self._make(saved.config, dataset)
        trainer.load_state_bytes(saved.trainer)
        self.playing, self._gamma_seq = saved.info["playing"], saved.info["gamma_seq"]
        self._budget.set_rate(saved.info["speed"], time.perf_counter())
        self.view = messages.View.model_validate_json(saved.info["view"])
        self._take(trainer, ticket, saved.histories)
        return trainer.step

    def _take(self, trainer: Lockstep, ticket: int, histories: Sequence[History] = ()) -> None:
        self._panels = [Panel(member) for member in trainer.members]  # first: a look may fail, too
        self.trainer, self.ticket, self.broken = trainer, ticket, ""
        self._remaining = math.inf
        self.run += 1
        self._error = None
        for panel, history in zip(self._panels, histories, strict=False):
            panel.history = history
        self._meter.stop(time.perf_counter())
        self.delivery.restart()
        self.keeper.forget()
        self.keeper.changed = True  # what the reader has set so far must outlive this process too
        if not self.playing:
            self.keeper.hurry()
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
        self.delivery.greet()
        if self._error is not None:
            self._post(self._error)
        if self.trainer is not None:
            self._send_setup()
            self.delivery.measure_next()
        if self.broken:  # its last moment, and why
            self._send_picture()

    def retell(self) -> None:
        """Pages have come that watch: they need the whole picture too."""
        self._send_setup(retold=True)
        self.delivery.measure_next()

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
        match message:
            case messages.Ack(frame=frame):
                self.delivery.acknowledge(frame)
            case messages.View(regions=regions):
                if regions and not self.view.regions:
                    self.delivery.measure_next()
                self.view = message
                self.delivery.touch()
            case messages.Speed(steps_per_second=rate):
                self._budget.set_rate(rate, time.perf_counter())
            case messages.Play() | messages.Pause() | messages.Reset() if self.trainer is None:  # its data are to come
                self.playing = not isinstance(message, messages.Pause)
            case messages.Reset() if self.broken:
                self._again()
            case _ if self.trainer is not None and not self.broken:
                self._control(self.trainer, message)

    def _control(self, trainer: Lockstep, message: messages.Control) -> None:
        match message:
            case messages.Play():
                self._play(trainer, math.inf)
            case messages.Step(count=count):
                self._play(trainer, count if self._remaining == math.inf else self._remaining + count)
            case messages.Pause():
                self._pause()
            case messages.Replay(step=step):
                self._replay(step)
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
        self.keeper.changed = True
        self.delivery.measure_next()

    def _play(self, trainer: Lockstep, steps: float) -> None:
        self.playing, self._remaining = True, steps
        if trainer.finished:
            trainer.extend()

    def _replay(self, step: int) -> None:
        """To ``step`` of this run, and pause."""
        if self.trainer is not None and self.trainer.step > step:
            self._again()
        if self.trainer is not None and self.trainer.step < step:
            self._play(self.trainer, step - self.trainer.step)
        else:
            self._pause()

    def _pause(self) -> None:
        """Stand still by the reader's wish, which is saved even where no step has been taken since the last time."""
        self.playing, self._remaining, self.keeper.changed = False, math.inf, True
        self._pause_clock()

    def _pause_clock(self) -> None:
        self._meter.stop(time.perf_counter())
        self.delivery.touch()
        self.keeper.hurry()

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
        self.keeper.changed = self.keeper.changed or done > 0
        if self._remaining <= 0:
            self.playing, self._remaining = False, math.inf
        if self.state != "running":
            self.delivery.measure_next()
            self._pause_clock()
        return time.thread_time() - work

    def _wants_frame(self) -> bool:
        watched = self.here and not self.held and not self.broken
        return watched and self.trainer is not None and self.delivery.wants(self.trainer.step)

    def send_frame_if_due(self, now: float, active: int) -> None:
        """Measure if due, draw and send, where a page can take one more; ``active`` runs share the worker's time."""
        if self.trainer is not None and self._wants_frame() and self.delivery.wait(now) <= 0:
            self.delivery.send(self.trainer.step, self._look, self._send_picture, active)

    def save(self) -> None:
        """Write the state file, as long as there is a run to go on with."""
        if self.trainer is not None and not self.broken:
            self.keeper.save(functools.partial(self._at_rest, self.trainer))

    def _at_rest(self, trainer: Lockstep) -> state_file.Saved:
        info = {"playing": self.playing, "gamma_seq": self._gamma_seq, "speed": self._budget.rate,
                "ticket": self.ticket, "view": self.view.model_dump_json()}
        histories = tuple(panel.history for panel in self._panels)
        return state_file.Saved(trainer.config, trainer.state_bytes(), histories, info)

    def wait(self, now: float) -> float:
        """Seconds until this run has something to do by itself; infinity when it waits for the reader."""
        due = self._budget.wait(now) if self.trains else math.inf
        if self._wants_frame():
            due = min(due, self.delivery.wait(now))
        if self.trainer is not None and not self.broken:
            due = min(due, self.keeper.wait(now))
        return max(0.0, due)

    def fail(self, reason: str) -> None:
        """Take the trainer out of service: it raised what nobody expected. `Reset` starts it anew."""
        self.broken = reason
        self.tell("error", reason)
        if self.here:
            self._send_picture()

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
            panel.look(measure=measure, running=self.state == "running", regions=self.view.regions)

    def _send_picture(self) -> None:
        """The frame of what was last looked at."""
        if self.trainer is not None:
            frame = self.delivery.number()
            self._post(orders.Frame(self.id, self._draw(self.trainer, frame), frame))

    def _draw(self, trainer: Lockstep, frame: int) -> bytes:
        parts = [panel.picture(self.view) for panel in self._panels]
        for panel, (own, _) in zip(self._panels, parts, strict=True):
            own["state"] = "diverged" if panel.trainer.diverged else self.state
            own["reason"] = self.broken or own["reason"]
        info = {name: parts[trainer.leader][0][name] for name in OF_THE_LEADER}
        info |= {"run": self.run, "frame": frame, "step": trainer.step, "steps": trainer.limit,
                 "gamma_seq": self._gamma_seq, "state": self.state, "reason": self.broken or trainer.reason,
                 "steps_per_s": self._meter.rate if self.state == "running" else 0.0}
        return frames.encode("frame", info, parts)

    def _send_setup(self, *, retold: bool = False) -> None:
        trainer = self.trainer
        if trainer is None:
            return
        parts = [panel.opening() for panel in self._panels]
        lead = {name: value for name, value in parts[trainer.leader][0].items() if name != "history"}
        own = {"run": self.run, "frame": self.delivery.frame, "step": trainer.step, "steps": trainer.limit,
               "titles": trainer.config.titles, "follows": trainer.config.follows, "catalogue": catalogue()}
        raw = frames.encode("setup", lead | own, parts)
        self._post(orders.Setup(self.id, raw, self.run, self.ticket, retold))

    def _send_thumbs(self) -> None:
        images = self._panels[0].trainer.probe_images if self._panels else None
        if images is None:
            self.tell("info", "These samples are not pictures, so there are none to show.")
        else:
            self._post(orders.Thumbs(self.id, frames.encode_thumbs(self.run, images)))
