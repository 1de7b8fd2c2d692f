"""What the browser tests do to a page, and what they read off it."""

import math
import time
from pathlib import Path

SHOTS = Path(__file__).parent / "shots"


def stage_state(page):
    """What the stage draws now."""
    return page.evaluate("() => document.querySelector('[data-testid=lpc-stage]')?.lpcStage?.state() ?? null")


def stage_stats(page):
    """What the stage has done so far."""
    return page.evaluate("() => document.querySelector('[data-testid=lpc-stage]').lpcStage.stats()")


def wait_until(page, condition, seconds=20):
    """Wait until ``condition(state)`` holds for what the stage draws, and return that state."""
    end = time.monotonic() + seconds
    state = None
    while time.monotonic() < end:
        state = stage_state(page)
        if state and state.get("step") is not None and condition(state):
            return state
        page.wait_for_timeout(50)
    raise AssertionError(f"waited {seconds} s; the stage is at {state}")


def drag_gamma(page, value):
    """Drag the γ slider's thumb to ``value`` with the mouse, in small moves as a hand does."""
    box = page.locator("[data-testid=lpc-gamma] .lpc-rail").bounding_box()
    here = float(page.get_by_test_id("lpc-gamma").get_attribute("aria-valuenow"))
    y = box["y"] + box["height"] / 2

    def x_of(log_gamma):
        return box["x"] + box["width"] * (log_gamma + 4) / 10

    page.mouse.move(x_of(here), y)
    page.mouse.down()
    page.mouse.move(x_of(math.log10(value)), y, steps=12)
    page.mouse.up()
