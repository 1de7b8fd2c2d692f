"""A real lab in a real Chromium: the server as `make run` starts it, and pages to drive it with."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.forks import forked  # noqa: F401
from tests.patience import PATIENCE_S, looks

ROOT = Path(__file__).parents[2]
HOW = ("no Chromium found, so browser tests are skipped; install one with `apt-get install chromium-headless-shell` "
       "(or chromium, by your system's package manager) and run `make test` again")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-proxy-server",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # no test reaches another machine


def find_chromium():
    names = ("chromium-headless-shell",  # the same engine without the windows of a browser, which take time too
             "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return os.environ.get("LPC_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


_left = []  # ports whose labs have ended


def free_port():
    """A port to listen on: the last one left, if any, for which the browser has Streamlit's scripts compiled."""
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):  # another lab may listen on one that was left
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", _left.pop() if _left else 0))
            return s.getsockname()[1]


def leave(port):
    """Let the next one have ``port``."""
    _left.append(port)


# Pages draw as on a display of 2.5 Hz: without a graphics card, 60 pictures a second take all that a processor has.
SLOW_DISPLAY = """(() => {
  const next = window.requestAnimationFrame.bind(window);
  const due = new Map();
  let last = 0;
  const draw = (now) => {
    const callbacks = [...due.values()];
    due.clear();
    for (const callback of callbacks) try { callback(now); } catch (error) { reportError(error); }
  };
  window.requestAnimationFrame = (callback) => {
    if (due.size === 0) setTimeout(() => next(draw), 400);
    due.set(++last, callback);
    return last;
  };
  window.cancelAnimationFrame = (id) => due.delete(id);
})();"""


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
        leave(self.port)


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
def playwright():
    if find_chromium() is None:
        pytest.skip(HOW)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright):
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
    yield browser
    browser.close()


@contextlib.contextmanager
def kept(playwright, folder, *flags):
    """One reader's browser: it keeps Streamlit's compiled scripts, which take a fresh one three seconds a page."""
    context = playwright.chromium.launch_persistent_context(folder, executable_path=find_chromium(),
                                                            args=[*FLAGS, *flags])
    context.set_default_timeout(1_000 * PATIENCE_S)
    context.add_init_script(SLOW_DISPLAY)
    try:
        yield context
    finally:
        context.close()


@pytest.fixture(scope="session")
def profile(playwright, tmp_path_factory):
    with kept(playwright, tmp_path_factory.mktemp("profile")) as context:
        yield context


@contextlib.contextmanager
def tabs(context):
    """``new()`` → an empty tab; what earlier tests left are used again, in which a page takes a third less work.

    Each is in a window of its own: behind another, it would draw once a second.
    """
    idle, used = vars(context).setdefault("idle", []), []

    def window():
        session = context.new_cdp_session(context.pages[0])
        with context.expect_page() as opened:
            session.send("Target.createTarget", {"url": "about:blank", "newWindow": True})
        session.detach()
        return opened.value

    def new():
        page, heard = idle.pop() if idle else window(), []
        page.on = lambda event, hear: (heard.append((event, hear)), type(page).on(page, event, hear))
        used.append((page, heard))
        return page

    yield new
    for page, heard in used:
        if page.is_closed():
            continue
        for event, hear in heard:
            page.remove_listener(event, hear)
        page.unroute_all(behavior="ignoreErrors")
        if page.url.startswith("http"):
            page.evaluate("() => sessionStorage.clear()")
        page.goto("about:blank")
        idle.append(page)


@pytest.fixture
def new_tab(profile):
    """``new_tab(width=…, dark=…, still=…)`` → an empty tab whose errors fail the test."""
    errors = []

    def make(width=1280, height=860, dark=False, still=False):
        page = new()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light",
                           reduced_motion="reduce" if still else "no-preference")
        page.on("pageerror", lambda error: errors.append(str(error)))
        only_local(page, errors)
        return page

    with tabs(profile) as new:
        yield make
    assert not errors, errors


@pytest.fixture
def open_page(new_tab, profile):
    """``open_page(url, width=…, dark=…)`` → a page in a tab of its own, for which the browser remembers nothing."""

    def make(url, *size, **how):
        page, origin = new_tab(*size, **how), "://".join(urlsplit(url)[:2])
        session = profile.new_cdp_session(page)
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"})
        session.detach()
        page.goto(url)
        return page

    return make


def only_local(page, errors):
    """Add to ``errors`` what ``page`` asks another machine for: it fails (`FLAGS`), which few requests of ours do."""
    ours = ("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:", "file:")
    page.on("requestfailed", lambda request: request.url.startswith(ours) or
            errors.append(f"the page asked for {request.url}"))
