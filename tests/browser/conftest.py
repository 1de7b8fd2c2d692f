"""A real lab in a real Chromium: the server as `make run` starts it, and pages to drive it with."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).parent / "shots"
HOW = ("no Chromium found, so the browser tests are skipped; install one with `apt-get install chromium` "
       "(or your system's package manager) and run `make test` again")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


def find_chromium():
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return os.environ.get("LPC_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Lab:
    """A running server, its address, and its process."""

    def __init__(self, log, **environment):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.process = subprocess.Popen([sys.executable, "-m", "app", "--port", str(self.port)], cwd=ROOT,
                                        env=os.environ | environment, stdout=log.open("wb"), stderr=subprocess.STDOUT)

    def wait(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError), urllib.request.urlopen(self.url + "/lab/health", timeout=1) as answer:
                if answer.status == 200:
                    return self
            time.sleep(0.1)
        raise AssertionError(f"the lab did not start in {seconds} s:\n{self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def lab(tmp_path_factory, data_root):
    log = tmp_path_factory.mktemp("lab") / "log.txt"
    running = Lab(log, LPC_DATA=str(data_root))
    try:
        yield running.wait()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def chromium():
    path = find_chromium()
    if path is None:
        pytest.skip(HOW)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """``open_page(url, width=…, dark=…)`` → a page whose errors fail the test."""
    contexts, errors = [], []

    def make(url, width=1280, height=860, dark=False):
        context = chromium.new_context(viewport={"width": width, "height": height},
                                       color_scheme="dark" if dark else "light")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: _only_local(request.url, errors))
        page.goto(url)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors, errors


def _only_local(url, errors):
    if not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:")):
        errors.append(f"the page asked for {url}")


def stage_state(page):
    """What the stage draws now."""
    return page.evaluate("() => document.querySelector('.lpc-stage')?.lpcStage?.state() ?? null")


def stage_stats(page):
    """What the stage has done so far."""
    return page.evaluate("() => document.querySelector('.lpc-stage').lpcStage.stats()")


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
    import math

    box = page.get_by_test_id("lpc-gamma").bounding_box()
    here = float(page.get_by_test_id("lpc-gamma").get_attribute("aria-valuenow"))
    y = box["y"] + box["height"] / 2

    def x_of(log_gamma):
        return box["x"] + box["width"] * (log_gamma + 4) / 10

    page.mouse.move(x_of(here), y)
    page.mouse.down()
    page.mouse.move(x_of(math.log10(value)), y, steps=12)
    page.mouse.up()
