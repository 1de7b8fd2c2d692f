"""How often the point cloud of the inspection page draws while it is moved, in a browser without a GPU.

``python -m benchmarks.cloud``: headless Chromium and the lab on the same machine; embeddings are handed in through the
page. Every draw shows all samples. Beside it, on a canvas of the same size in the same page, what one would write
without thinking of it: a circle per sample, filled one after the other.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page

from benchmarks._browser import chromium, lab

SIZES = ((50_000, 2), (50_000, 3), (100_000, 2), (100_000, 3))
SECONDS = 4
READY = """(n) => { const state = document.querySelector('[data-testid=lpc-cloud]')?.lpcCloud?.state();
  return state?.n === n && state.draws > 0 && state.crosses; }"""
MOVE = """async (seconds) => {
  const { cloud } = document.querySelector('[data-testid=lpc-cloud]').lpcCloud;
  const [begin, from] = [performance.now(), cloud.draws];
  for (let k = 0; performance.now() - begin < 1_000 * seconds; k++) {
    const [dx, dy] = [6 * Math.sin(k / 9), 3 * Math.cos(k / 9)]; // around and back: the samples stay in sight
    cloud.moved(() => (cloud.camera.deep ? cloud.camera.turn(5, 1) : cloud.camera.pan(dx, dy)));
    cloud.picture.moving = cloud.picture.drawnFully = false; // all samples, also while it moves
    await new Promise(requestAnimationFrame);
  }
  return [(cloud.draws - from) / (performance.now() - begin) * 1_000, cloud.picture.paintMs, cloud.picture.painted];
}"""
CIRCLES = """async (seconds) => {
  const { cloud } = document.querySelector('[data-testid=lpc-cloud]').lpcCloud;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: cloud.picture.marks.width, height: cloud.picture.marks.height });
  cloud.plot.append(canvas);
  const ctx = canvas.getContext("2d");
  const begin = performance.now();
  let draws = 0;
  for (; performance.now() - begin < 1_000 * seconds; draws++) {
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < cloud.file.n; i++) {
      ctx.fillStyle = cloud.picture.colours[cloud.file.labels[i]];
      ctx.beginPath();
      ctx.arc(cloud.picture.at.x[i] + draws % 5, cloud.picture.at.y[i], 1.8, 0, 2 * Math.PI);
      ctx.fill();
    }
    await new Promise(requestAnimationFrame);
  }
  canvas.remove();
  return draws / (performance.now() - begin) * 1_000;
}"""


def embeddings(path: Path, n: int, d: int) -> Path:
    """Four loose classes around the corners of a cube, with the head that reads them."""
    rng = np.random.default_rng(0)
    weight = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32)[:, :d]
    labels = np.arange(n) % 4
    latents = weight[labels] + 0.35 * rng.normal(size=(n, d)).astype(np.float32)
    np.savez(path, latents=latents, labels=labels, weight=3 * weight, bias=np.zeros(4, np.float32))
    return path


def measure(browser: Browser, url: str, path: Path, n: int) -> tuple[float, float, float, float]:
    """Seconds from the file to the picture, draws per second, script per draw in ms, and the circles' draws."""
    page, seconds = opened(browser, url, path, n)
    page.wait_for_timeout(3_000)  # until the charts below have come
    rate, paint_ms, painted = page.evaluate(MOVE, SECONDS)
    assert painted == n, f"expected {n} samples in every draw, got {painted}"
    circles = page.evaluate(CIRCLES, SECONDS)
    page.close()
    return seconds, rate, paint_ms, circles


def opened(browser: Browser, url: str, path: Path, n: int) -> tuple[Page, float]:
    """The inspection page with this file of ``n`` samples, and seconds from handing it in until it was drawn."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{url}/inspect")
    page.get_by_text("What do a network's latents look like?").wait_for()
    begin = time.monotonic()
    page.locator("input[type=file]").first.set_input_files(str(path))
    page.wait_for_function(READY, arg=n, timeout=120_000, polling=100)  # looking at every frame would cost a core
    return page, time.monotonic() - begin


def main() -> None:
    """Measure and print the table."""
    print("samples    d   file to picture, s   draws/s   script, ms   circles/s   ratio")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, lab() as url:
        for n, d in SIZES:
            path = embeddings(Path(folder) / f"{n}-{d}.npz", n, d)
            seconds, rate, paint_ms, circles = measure(browser, url, path, n)
            print(f"{n:7,} {d:4} {seconds:20.1f} {rate:9.1f} {paint_ms:12.1f} {circles:11.1f} {rate / circles:7.1f}",
                  flush=True)


if __name__ == "__main__":
    main()
