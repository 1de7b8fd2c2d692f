"""What the browser tests do to a page, and what they read off it."""

import math
from pathlib import Path

from tests.patience import PATIENCE_S, looks

SHOTS = Path(__file__).parent / "shots"


def stage_state(page):
    """What the stage draws now."""
    return page.evaluate("() => document.querySelector('[data-testid=lpc-stage]')?.lpcStage?.state() ?? null")


def stage_stats(page):
    """What the stage has done so far."""
    return page.evaluate("() => document.querySelector('[data-testid=lpc-stage]').lpcStage.stats()")


def ask_until(page, ask, fits, seconds=PATIENCE_S):
    """What ``ask()`` gives once it is something that ``fits``."""
    found = None
    for _ in looks(seconds, page.wait_for_timeout, every=100):
        found = ask()
        if found is not None and fits(found):
            return found
    raise AssertionError(f"waited {seconds} s, got {found}")


def wait_until(page, condition, seconds=PATIENCE_S):
    """Wait until ``condition(state)`` holds for what the stage draws, and return that state."""
    return ask_until(page, lambda: stage_state(page), lambda state: state.get("step") is not None and condition(state),
                     seconds)


def resting_box(page, locator):
    """Where an element is once it has stopped moving: what was clicked before may still shift the page."""
    before = []

    def look():
        before.append(locator.bounding_box())
        return before[-2:]

    return ask_until(page, look, lambda boxes: len(boxes) == 2 and boxes[0] == boxes[1])[0]


def drag_gamma(page, value):
    """Drag the γ slider's thumb to ``value`` with the mouse, in small moves as a hand does."""
    wanted = math.log10(value)
    ask_until(page, lambda: _drag(page, wanted), lambda reached: abs(reached - wanted) < 0.1)


def _drag(page, wanted):
    """Where the thumb is after one try, in decades; what comes onto a page just then moves it away from a hand."""
    rail, slider = page.locator("[data-testid=lpc-gamma] .lpc-rail"), page.get_by_test_id("lpc-gamma")
    box = resting_box(page, rail)
    here = float(slider.get_attribute("aria-valuenow"))
    y = box["y"] + box["height"] / 2

    def x_of(log_gamma):
        return box["x"] + box["width"] * (log_gamma + 4) / 10

    page.mouse.move(x_of(here), y)
    page.mouse.down()
    page.mouse.move(x_of(wanted), y, steps=12)
    page.mouse.up()
    return float(slider.get_attribute("aria-valuenow"))


def at_rest(state):
    """Whether the run stands still and the numbers are of the moment that is drawn."""
    return state["state"] == "paused" and state["said"] and state["said"]["step"] == state["step"]


def open_own_link(page, lab, most=200):
    """Open what the page's own button calls a link to it, at most so long; returns its words."""
    page.get_by_test_id("lpc-share").click()
    link = page.get_by_test_id("lpc-share-link").input_value()
    assert len(link) <= most
    path, _, query = link.partition("?")
    page.goto(f"{lab.url}/{path.rpartition('/')[2]}?{query}")
    return set(query.split("&"))


DARK = """() => {
  const page = document.querySelector('[data-testid=stApp]') ?? document.body;
  const [r, g, b] = getComputedStyle(page).backgroundColor.match(/\\d+/g);
  return Number(r) + Number(g) + Number(b) < 380;
}"""
FITS = "() => document.documentElement.scrollWidth <= window.innerWidth + 1"


def themes(page):
    """Both themes, one after the other, each once the page shows it."""
    for scheme in ("light", "dark"):
        paint(page, scheme)
        yield scheme


def paint(page, scheme):
    """The page in a theme, once it shows it."""
    page.emulate_media(color_scheme=scheme)
    ask_until(page, lambda: page.evaluate(DARK) is (scheme == "dark"), bool)


def screens(page, name, *sizes):
    """The page at each (width, height) in both themes: nothing sticks out at the right. A picture is kept of each."""
    SHOTS.mkdir(exist_ok=True)
    for scheme in themes(page):
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            ask_until(page, lambda: page.evaluate(FITS), bool)
            yield scheme
            page.screenshot(path=SHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
