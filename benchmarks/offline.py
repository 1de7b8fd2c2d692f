"""The page that trains without a server: steps per second beside a naive loop and the lab's engine, size, first motion.

    OMP_NUM_THREADS=1 python -m benchmarks.offline [--quick]

The paper's Figure 1 (the default run) with batches of 64, in turns in one headless Chromium and one process, so that
whatever else the machine does meets them all. Then the page itself: its size, and how long after it was opened its
network has taken a step that is on the screen. And how far the page's weights are from the engine's, both in float64.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Browser, Page, Route

from app.offline.pack import packed
from app.offline.page import offline_page
from benchmarks._browser import ROOT, chromium
from lpc_core.config import RunConfig, unflatten
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.trainer import Trainer
from lpc_core.run_group import alone
from lpc_core.schedules import lr_at

HOST = "http://127.0.0.1:9"  # nothing listens there: every answer comes from `_answer`
STEPS = 200
MOVING = "() => document.querySelector('[data-testid=lpc-stage]')?.lpcStage?.state().step > 0"
SETUP = """async (pack) => {
  const { decode } = await import("/app/static/kit/frames.js");
  const { Trainer } = await import("/app/static/engine/trainer.js");
  const { ofRun } = await import("/app/static/engine/lockstep.js");
  const { Naive } = await import("/benchmarks/naive.js");
  const bytes = Uint8Array.from(atob(pack), (letter) => letter.charCodeAt(0));
  const given = () => ofRun(decode(bytes.buffer.slice(0)), 0);
  const endless = given();
  endless.info.config.steps = 1e9;
  const trainer = new Trainer(endless);
  const layers = trainer.network.layers.map((layer) => ({
    ...layer, weight: layer.weight.slice(), bias: layer.bias.slice() }));
  const naive = new Naive(layers, trainer.config);
  const timed = (work, ms) => {
    const end = performance.now() + ms;
    let [done, begin] = [0, performance.now()];
    for (; performance.now() < end; done++) work();
    return (1000 * done) / (performance.now() - begin);
  };
  const plain = () => {
    trainer.draw();
    naive.step(trainer.pass.inputs, trainer.batchLabels, trainer.gamma.value);
  };
  window.measure = (ms) => [timed(() => trainer.train(), ms), timed(plain, ms)];
  window.weights = (steps) => {
    const other = new Trainer(given());
    other.advance(steps);
    return [...other.network.values];
  };
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    turns = 3 if parser.parse_args().quick else 15
    torch.set_num_threads(1)
    config = unflatten({"batch_size": 64})
    with chromium() as browser:
        page = _prepared(browser, config)
        _print_speeds(page, config, turns)
        _print_distance(page, config)
        _print_page(browser)


def _prepared(browser: Browser, config: RunConfig) -> Page:
    """A page with our modules, the run in it, warm."""
    page = browser.new_page()
    page.route("**/*", _answer)
    page.goto(HOST)
    page.evaluate(SETUP, base64.b64encode(packed(alone(config))).decode("ascii"))
    page.evaluate("() => measure(1000)")
    return page


def _answer(route: Route) -> None:
    path = route.request.url.removeprefix(HOST)
    if path.endswith(".js"):
        return route.fulfill(body=(ROOT / path[1:]).read_bytes(), content_type="text/javascript")
    return route.fulfill(body="<!doctype html>", content_type="text/html")


def _print_speeds(page: Page, config: RunConfig, turns: int) -> None:
    run = Trainer(config, "cpu")
    found: list[list[float]] = []
    for _ in range(turns):
        page_s, naive_s = page.evaluate("() => measure(400)")
        found.append([page_s, naive_s, _engine_speed(run, 0.4)])
    print("\nFigure 1, batches of 64, steps/s: median of turns, and the best of them\n")
    for name, values in zip(("the page's engine, float64", "a naive loop, float64", "lpc_core's fused engine, float32"),
                            zip(*found, strict=True), strict=True):
        print(f"  {name:34} {statistics.median(values):7,.0f} {max(values):7,.0f}")
    ratio = statistics.median(own / naive for own, naive, _ in found)
    print(f"  the page's engine over the naive loop, median of turns: {ratio:.1f}")


def _engine_speed(run: Trainer, seconds: float) -> float:
    begin, steps = time.perf_counter(), run.step
    while (spent := time.perf_counter() - begin) < seconds:
        if run.finished:
            run.extend()
        run.advance(20)
    return (run.step - steps) / spent


def _print_distance(page: Page, config: RunConfig) -> None:
    """Largest difference of a weight over the largest weight, after `STEPS` steps of both from the same beginning."""
    run = Trainer(config, "cpu")
    engine = FusedEngine(config, run.model.to(torch.float64), run.batches.size)
    for step in range(STEPS):
        rate = lr_at(config.optim, config.optim.lr, step, config.steps)
        engine.step(*run.batches.next(), run.gamma.advance(), rate)
    own, other = engine.values.numpy(), np.array(page.evaluate("(steps) => weights(steps)", STEPS))
    share = abs(own - other).max() / abs(own).max()
    print(f"\nafter {STEPS} steps in float64 the weights differ by {share:.1e} of the largest")


def _print_page(browser: Browser) -> None:
    text = offline_page(alone(RunConfig())).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.html"
        path.write_bytes(text)
        times = sorted(_first_motion(browser, path) for _ in range(3))
    print(f"\nthe default run's page: {len(text) / 1e6:.1f} MB; a step on the screen {times[1]:.1f} s after opening "
          f"(of three: {times[0]:.1f} to {times[2]:.1f})")


def _first_motion(browser: Browser, path: Path) -> float:
    context: Any = browser.new_context(offline=True)
    page, begin = context.new_page(), time.perf_counter()
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_function(MOVING, timeout=60_000)
    seconds = time.perf_counter() - begin
    context.close()
    return seconds


if __name__ == "__main__":
    main()
