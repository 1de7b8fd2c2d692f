"""Every lesson rehearsed: after how many steps of training each check ticks for a learner who does what the step says.

    python -m benchmarks.lessons [--only NAME …] [--seeds 5 6 7 8 9]

One thread. Each step is taken by itself from a fresh run, as a link to it is opened; "never" means that what the lesson
says did not come about on that seed within the steps that the lesson allows.
"""

from __future__ import annotations

import argparse

import torch

from app.lessons import Lesson, Step, lessons, met
from lpc_core.data import load
from lpc_core.engine.lockstep import Lockstep
from lpc_core.engine.trainer import Trainer

SEEDS = (5, 6, 7, 8, 9)
EVERY = 60  # steps between two measurements: those of the page at 300 steps per second


def rehearse(lesson: Lesson, seed: int) -> list[int | None]:
    """For every step: the steps of training until its check ticks, γ moved as soon as it says; None for never.

    Steps that only ask to let the run go on share one run; each of the others has a fresh one.
    """
    found = _follow(lesson, [step for step in lesson.steps if step.gamma is None], seed)
    for step in lesson.steps:
        if step.gamma is not None:
            found |= _follow(lesson, [step], seed)
    return [found[step.title] for step in lesson.steps]


def _follow(lesson: Lesson, steps: list[Step], seed: int) -> dict[str, int | None]:
    work = lesson.work(seed)
    data = load(work.data, seed)
    runs = Lockstep(work, lambda run: Trainer(run, "cpu", data))
    histories: list[list[dict[str, float]]] = [[] for _ in work.runs]
    found: dict[str, int | None] = dict.fromkeys((step.title for step in steps), None)
    to_move = [(step.ready, step.gamma) for step in steps if step.gamma is not None]
    while None in found.values():
        for history, member in zip(histories, runs.members, strict=True):
            now = member.snapshot()
            history.append(now.metrics | {"step": now.step, "gamma": now.gamma})
        if to_move and met(to_move[0][0], histories):
            runs.set_gamma(to_move.pop()[1])
        elif not to_move:
            found |= {step.title: runs.step for step in steps
                      if found[step.title] is None and runs.step <= step.within and met(step.check, histories)}
        if runs.step >= max(step.within for step in steps) or runs.finished or runs.diverged:
            break
        runs.advance(EVERY)
    return found


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
        found = [rehearse(lesson, seed) for seed in asked.seeds]
        for index, (step, times) in enumerate(zip(lesson.steps, zip(*found, strict=True), strict=True)):
            print(f"  {index + 1}. {step.title:44}" + "".join(f"{'never' if at is None else at:>8}" for at in times))


if __name__ == "__main__":
    main()
