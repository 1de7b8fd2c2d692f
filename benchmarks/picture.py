"""The README's pictures: ``python -m benchmarks.picture`` films the real lab while γ is dragged.

Pillow, which writes them, comes with Streamlit.
"""

from __future__ import annotations

import io
import math

from PIL import Image
from playwright.sync_api import FloatRect, Page

from benchmarks._browser import ROOT, chromium, lab

WIDTH, HEIGHT = 1480, 830
FRAMES, FRAME_MS = 44, 180
STAGE = "() => document.querySelector('[data-testid=lpc-stage]')?.lpcStage?.state()"


def wait_for_step(page: Page, step: int) -> None:
    """Wait until the run is at ``step``."""
    while ((page.evaluate(STAGE) or {}).get("step") or 0) < step:
        page.wait_for_timeout(50)


def shoot(page: Page) -> Image.Image:
    """The stage as it is now."""
    box = page.get_by_test_id("lpc-stage").bounding_box()
    assert box is not None
    clip: FloatRect = {"x": box["x"] - 8, "y": box["y"] - 8, "width": box["width"] + 16, "height": HEIGHT - box["y"]}
    return Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")


def drag(page: Page) -> list[Image.Image]:
    """Drag γ from 1e-3 to 1e2 slowly and take a picture of every move."""
    box = page.locator("[data-testid=lpc-gamma] .lpc-rail").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    pictures = []
    page.mouse.move(box["x"] + box["width"] * 0.1, y)
    page.mouse.down()
    for i in range(FRAMES):
        share = min(1.0, i / (0.75 * FRAMES))  # the last quarter of the film shows the hand at rest
        log_gamma = -3 + 5 * (1 - math.cos(math.pi * share)) / 2
        page.mouse.move(box["x"] + box["width"] * (log_gamma + 4) / 10, y)
        page.wait_for_timeout(FRAME_MS)
        pictures.append(shoot(page))
    page.mouse.up()
    return pictures


def film(page: Page, url: str) -> Page:
    """Record the default film and show it."""
    page.goto(f"{url}/film")
    page.get_by_role("button", name="Record the film").click(timeout=60_000)
    page.get_by_test_id("lpc-film").wait_for(timeout=300_000)
    page.wait_for_timeout(5_000)
    return page


def compare(page: Page, url: str) -> Page:
    """AdamW beside SGD, collapsed."""
    page.goto(f"{url}/compare?comparison=optimizer")
    page.get_by_test_id("lpc-speed").select_option("0", timeout=60_000)
    page.wait_for_timeout(25_000)
    page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTo(0, 180)")
    page.wait_for_timeout(1_000)
    return page


def main() -> None:
    """Write assets/lab.gif, lab-dark.png, film.png and compare.png."""
    folder = ROOT / "assets"
    with lab() as url, chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{url}/?gamma_start=0.001&steps=100000&ramp_steps=50000")
        wait_for_step(page, 400)
        pictures = drag(page)
        size = (960, round(pictures[0].height * 960 / pictures[0].width))
        small = [p.resize(size, Image.Resampling.LANCZOS).quantize(96, dither=Image.Dither.NONE) for p in pictures]
        small[0].save(folder / "lab.gif", save_all=True, append_images=small[1:], duration=FRAME_MS, loop=0)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="dark")
        page.goto(f"{url}/?dataset=digits")
        wait_for_step(page, 3_000)
        page.screenshot(path=folder / "lab-dark.png")
        film(browser.new_page(viewport={"width": 1280, "height": 1180}), url).screenshot(path=folder / "film.png")
        compare(browser.new_page(viewport={"width": 1280, "height": 900}), url).screenshot(path=folder / "compare.png")


if __name__ == "__main__":
    main()
