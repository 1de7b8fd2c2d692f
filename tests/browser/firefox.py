"""The distribution's Firefox, driven by its own WebDriver BiDi, as far as is needed: Playwright wants a patched one."""

import contextlib
import itertools
import json
import shutil
import subprocess
import time

from conftest import free_port
from websockets.sync.client import connect

from tests.patience import PATIENCE_S, looks


def find_firefox():
    """Where a Firefox is, or None."""
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


class Firefox:
    """One window. ``evaluate`` and ``wait_for_timeout`` are called as Playwright's are."""

    def __init__(self, path, profile):
        self.said, self.tab, self._numbers = [], None, itertools.count(1)  # what the console said: (level, text)
        self._open = contextlib.ExitStack()
        port = free_port()
        self.process = subprocess.Popen(
            [path, "--headless", "--no-remote", "--profile", profile, f"--remote-debugging-port={port}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.socket = self._connected(f"ws://127.0.0.1:{port}/session")
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self.tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def fresh(self):
        """Go on in another tab; what the one before still says does not count."""
        before, self.tab = self.tab, self._ask("browsingContext.create", type="tab")["context"]
        self.said.clear()
        self._ask("browsingContext.close", context=before)

    def _connected(self, at):
        for _ in looks(every=0.2):
            assert self.process.poll() is None, "Firefox ended"
            try:
                return self._open.enter_context(connect(at, max_size=None))
            except OSError:
                continue
        raise AssertionError("Firefox did not listen")

    def _ask(self, method, **params):
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(PATIENCE_S))
            if message.get("method") == "log.entryAdded":
                entry = message["params"]
                if entry["source"].get("context") == self.tab:
                    self.said.append((entry["level"], entry["text"]))
            elif message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def goto(self, url, width=1280, height=860):
        """Open ``url`` in a window of that size; returns when it has loaded."""
        self._ask("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})
        self._ask("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    def evaluate(self, function):
        """What a JavaScript function without arguments returns, by way of JSON."""
        text = f"(async () => JSON.stringify(await ({function})()) ?? 'null')()"
        found = self._ask("script.evaluate", expression=text, target={"context": self.tab}, awaitPromise=True)
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def drag(self, start, end, steps=12):
        """Press the mouse at ``start`` (x, y), move it to ``end`` and let go."""
        moves = [{"type": "pointerMove", "duration": 16, "x": round(start[0] + (end[0] - start[0]) * i / steps),
                  "y": round(start[1] + (end[1] - start[1]) * i / steps)} for i in range(steps + 1)]
        self._ask("input.performActions", context=self.tab, actions=[{
            "type": "pointer", "id": "mouse", "actions": [
                moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]}])

    @staticmethod
    def wait_for_timeout(milliseconds):
        """Let time pass."""
        time.sleep(milliseconds / 1_000)

    def close(self):
        """End the browser."""
        self._open.close()
        self.process.terminate()
        self.process.wait(PATIENCE_S)
