"""Every lesson rehearsed: after how many steps of training each check ticks for a learner who does what the step says.

    python -m benchmarks.lessons [--only NAME …] [--seeds 5 6 7 8 9]

One thread. Each step is taken by itself from a fresh run, as a link to it is opened; "never" means that what the lesson
says did not come about on that seed within the steps that the lesson allows.
"""

from __future__ import annotations

import argparse

import torch

from app.lessons import Lesson, lessons, met
from lpc_core.data import load
from lpc_core.engine.lockstep import Lockstep
from lpc_core.engine.trainer import Trainer

SEEDS = (5, 6, 7, 8, 9)
EVERY = 60  # steps between two measurements: those of the page at 300 steps per second


def reached(lesson: Lesson, index: int, seed: int) -> int | None:
    """Steps of training until the check of step ``index`` ticks, γ moved as soon as the step says; None for never."""
    step, work = lesson.steps[index], lesson.work(seed)
    data = load(work.data, seed)
    runs = Lockstep(work, lambda run: Trainer(run, "cpu", data))
    histories: list[list[dict[str, float]]] = [[] for _ in work.runs]
    moved = step.gamma is None
    while True:
        for history, member in zip(histories, runs.members, strict=True):
            now = member.snapshot()
            history.append(now.metrics | {"step": now.step, "gamma": now.gamma})
        if moved and met(step.check, histories):
            return runs.step
        if step.gamma is not None and not moved and met(step.ready, histories):
            runs.set_gamma(step.gamma)
            moved = True
        if runs.step >= step.within or runs.finished or runs.diverged:
            return None
        runs.advance(EVERY)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=lessons(), default=list(lessons()))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.only:
        lesson = lessons()[name]
        print(f"\n{name}: {lesson.title}")
        for index, step in enumerate(lesson.steps):
            found = [reached(lesson, index, seed) for seed in asked.seeds]
            print(f"  {index + 1}. {step.title:44}" + "".join(f"{'never' if at is None else at:>8}" for at in found))


if __name__ == "__main__":
    main()
