"""How often the stage draws in a browser without a GPU, beside what a Streamlit fragment with st.plotly_chart reaches.

``python -m benchmarks.stage``: headless Chromium, trainer running on the same machine, 2,000 points,
8 histograms, 4 curves.
"""

from __future__ import annotations

import statistics
import sys

from playwright.sync_api import Browser

from benchmarks._browser import chromium, free_port, lab, serving

SECONDS, LOOKS = 10, 40
RUN = "?dataset=hypercube&latent_dim=8&steps=100000&ramp_steps=20000"
STATS = "() => document.querySelector('[data-testid=lpc-stage]').lpcStage.stats()"
MOVING = "() => document.querySelector('[data-testid=lpc-stage]')?.lpcStage?.state()?.step > 300"
COUNT_TITLES = """(ms) => new Promise((done) => {
  const seen = new Set(), end = performance.now() + ms;
  const look = () => {
    const title = document.querySelector('.js-plotly-plot .gtitle');
    if (title) seen.add(title.textContent);
    performance.now() < end ? requestAnimationFrame(look) : done(seen.size);
  };
  look();
})"""


def measure_stage(browser: Browser, url: str) -> dict[str, float]:
    """Draws of the latent view, frames that came in, and draws of each small chart, per second."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url + "/" + RUN)
    page.wait_for_function(MOVING, timeout=60_000)
    page.wait_for_timeout(4_000)  # until the charts have come
    before, costs = page.evaluate(STATS), []
    for _ in range(LOOKS):
        page.wait_for_timeout(SECONDS * 1_000 / LOOKS)
        after = page.evaluate(STATS)
        costs.append(after["drawMs"])  # the mean of the last draws, which vary by a factor of three
    heap = page.evaluate("() => performance.memory.usedJSHeapSize / 1e6")
    page.close()
    seconds = (after["lastDrawAt"] - before["lastDrawAt"]) / 1_000
    rates = {name: (after[name] - before[name]) / seconds for name in ("draws", "frames")}
    rates |= {name: (chart["draws"] - before["charts"][name]["draws"]) / seconds
              for name, chart in after["charts"].items()}
    return rates | {"script per draw, ms": statistics.median(costs), "JavaScript heap, MB": heap}


def measure_fragment(browser: Browser, url: str) -> float:
    """Distinct frames of the Streamlit chart that reached the screen, per second."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url)
    page.wait_for_selector(".js-plotly-plot .gtitle", timeout=60_000)
    page.wait_for_timeout(2_000)
    count: int = page.evaluate(COUNT_TITLES, SECONDS * 1_000)
    page.close()
    return count / SECONDS


def main() -> None:
    """Measure both and print the table."""
    with chromium() as browser:
        with lab() as url:
            ours = measure_stage(browser, url)
        port = free_port()
        script = ["-m", "streamlit", "run", "benchmarks/_fragment.py", "--server.headless=true",
                  "--browser.gatherUsageStats=false", "--server.address=127.0.0.1", f"--server.port={port}"]
        with serving([sys.executable, *script], port, "/_stcore/health") as url:
            theirs = measure_fragment(browser, url)
    for name, value in ours.items():
        print(f"{name + ('' if ',' in name else ' per second'):32} {value:8.1f}")
    print(f"{'st.plotly_chart per second':32} {theirs:8.1f}")
    print(f"{'latent view / st.plotly_chart':32} {ours['draws'] / theirs:7.1f}×")
    print(f"{'new frames / st.plotly_chart':32} {ours['frames'] / theirs:7.1f}×")


if __name__ == "__main__":
    main()
