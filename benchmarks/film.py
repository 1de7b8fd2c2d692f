"""What a film of 32 γ × 60 frames × 1,000 points costs: seconds to record, megabytes, seconds to open, scrubbing rate.

``python -m benchmarks.film``: recorded on this machine's CPU, beside the same 32 runs one after the other (extrapolated
from two); opened from disk in headless Chromium, from navigation to the first picture.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Browser

from app.looks.film_export import export
from benchmarks._browser import chromium
from lpc_core.config import RunConfig
from lpc_core.data.inputs import input_shape
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.trainer import Trainer
from lpc_core.film import open_film, parse_gammas, run_of, save_film, shortened
from lpc_core.film.record import record
from lpc_core.models import build

GAMMAS, FRAMES, POINTS, STEPS = "1e-3:1e5:32", 60, 1_000, 1_200
READY = """() => {
  const state = document.querySelector('[data-testid=lpc-film]')?.lpcFilm?.state();
  return state?.drawnRadius > 0 && state.curves;
}"""
SCRUB = """async () => {
  const film = document.querySelector('[data-testid=lpc-film]').lpcFilm, before = film.state().draws;
  const start = performance.now();
  let n = 0;
  await new Promise((done) => {
    const step = () => {
      if (performance.now() - start > 5000) return done();
      n += 1;
      film.go(Math.round(16 + 15 * Math.sin(n / 20)), Math.round(30 + 29 * Math.sin(n / 33)));
      requestAnimationFrame(step);
    };
    step();
  });
  return (film.state().draws - before) / (performance.now() - start) * 1000;
}"""


def training(run: RunConfig, gammas: np.ndarray) -> float:
    """Seconds for the steps of a film's runs alone, all at once and never looked at."""
    first = Trainer(run, "cpu")
    models = [build(run.model, input_shape(first.dataset), first.dataset.classes, run.seed) for _ in gammas]
    engine, gamma = FusedEngine(run, models, first.batches.size), torch.tensor(gammas, dtype=torch.float32)
    begin = time.perf_counter()
    for _ in range(STEPS):
        engine.step(*first.batches.next(), gamma, run.optim.lr)
    return time.perf_counter() - begin


def one_by_one(run: RunConfig, gammas: list[float]) -> float:
    """Seconds for as many films' runs, each trained and measured alone."""
    begin = time.perf_counter()
    for gamma in gammas:
        Trainer(run_of(run, gamma), "cpu", every=STEPS // FRAMES).advance(STEPS)
    return time.perf_counter() - begin


def in_browser(browser: Browser, page_file: Path) -> tuple[float, float]:
    """Seconds from navigation to the first picture, and drawings per second while both sliders move."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    begin = time.perf_counter()
    page.goto(page_file.as_uri())
    page.wait_for_function(READY, timeout=60_000, polling="raf")
    opened = time.perf_counter() - begin
    rate = page.evaluate(SCRUB)
    page.close()
    return opened, rate


def main() -> None:
    """Record, save, open, scrub; print the table."""
    torch.set_num_threads(1)
    run, gammas = shortened(RunConfig(), STEPS), parse_gammas(GAMMAS)
    begin = time.perf_counter()
    film = record(run, gammas, FRAMES, POINTS, device="cpu")
    seconds = time.perf_counter() - begin
    steps = training(run, gammas)
    alone = one_by_one(run, [0.1, 10.0]) * len(gammas) / 2
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path, page_file = Path(folder) / "a.film.safetensors", Path(folder) / "a.html"
        size = save_film(film, path)
        begin = time.perf_counter()
        open_film(path)
        checked = time.perf_counter() - begin
        export(path, page_file)
        opened, rate = in_browser(browser, page_file)
        page_size = page_file.stat().st_size
    for name, value, unit in (
        ("record", seconds, "s"), ("the same steps, never looked at", steps, "s"),
        ("share of the recording that is measuring", 100 * (1 - steps / seconds), "%"),
        ("the same runs one by one, unmeasured", alone, "s"), ("film file", size / 1e6, "MB"),
        ("open and check", checked, "s"), ("offline page", page_size / 1e6, "MB"), ("open in Chromium", opened, "s"),
        ("drawings while scrubbing", rate, "per s"),
    ):
        print(f"{name:40} {value:8.2f} {unit}")


if __name__ == "__main__":
    main()
