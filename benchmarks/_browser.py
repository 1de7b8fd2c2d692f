"""A lab server and a headless Chromium to measure with."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(command: list[str], port: int, path: str) -> Iterator[str]:
    """Run ``command`` until the block ends; yields its address once ``path`` answers."""
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url + path)
        yield url
    finally:
        process.terminate()
        process.wait(15)


def _wait_for(url: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds} s")


def lab() -> contextlib.AbstractContextManager[str]:
    """The lab as `make run` starts it, on a free port."""
    port = free_port()
    return serving([sys.executable, "-m", "app", "--port", str(port)], port, "/lab/health")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium without a GPU, as on many classroom machines."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("LPC_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        sys.exit("benchmarks: expected a Chromium on the PATH, got none; install one (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
