"""A real lab in a real Chromium: the server as `make run` starts it, and pages to drive it with."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S, looks

ROOT = Path(__file__).parents[2]
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

    def __init__(self, log, port=None, root=ROOT, **environment):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        command = [sys.executable, "-m", "app", "--port", str(self.port)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=root, env=os.environ | environment, stdout=output,
                                            stderr=subprocess.STDOUT)

    def wait(self, prefix=""):
        at = f"{self.url}{prefix}/lab/health"
        for _ in looks():
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError), urllib.request.urlopen(at, timeout=10) as answer:
                if answer.status == 200:
                    return self
        raise AssertionError(f"the lab did not start:\n{self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def data_root(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def lab(tmp_path_factory, data_root):
    log = tmp_path_factory.mktemp("lab") / "log.txt"
    nowhere = "http://127.0.0.1:9"  # no test downloads anything, whatever network the machine has
    running = Lab(log, LPC_DATA=str(data_root), HTTP_PROXY=nowhere, HTTPS_PROXY=nowhere)
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
        context.set_default_timeout(1_000 * PATIENCE_S)
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
