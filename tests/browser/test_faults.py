"""What goes wrong while people watch: a killed worker, a reload, two tabs, a closed tab, a page with errors."""

import contextlib
import json
import os
import re
import signal
import urllib.request
from pathlib import Path

import pytest
from driving import stage_state, wait_until

from tests.patience import until

pytestmark = pytest.mark.browser


def worker_of(lab):
    """The lab's training process: of its children the one that has used the processor most."""
    used = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended while we looked
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == lab.process.pid:
                used[int(folder.name)] = int(fields[11])
    return max(used, key=used.get)


def sessions_of(lab):
    with urllib.request.urlopen(lab.url + "/lab/health", timeout=60) as answer:
        return json.load(answer)["sessions"]


def test_a_killed_worker_is_replaced_and_the_page_says_so(lab, open_page):
    page = open_page(f"{lab.url}/?steps=1000000&ramp_steps=100000")
    before = wait_until(page, lambda s: s["step"] > 1_200)  # older than the first saved state
    os.kill(worker_of(lab), signal.SIGKILL)
    page.get_by_test_id("lpc-notice").get_by_text(re.compile("training process stopped; went on from step")).wait_for()
    after = wait_until(page, lambda s: s["state"] == "running" and s["run"] > before["run"])
    assert after["step"] > 300
    wait_until(page, lambda s: s["step"] > after["step"] + 100)


NOTICES = """async () => {
  const { Notices } = await import("/lab/static/live/notices.js");
  const notices = new Notices(() => {});
  const shown = () => !notices.notice.hidden;
  const seen = [];
  notices.loaded(4);
  notices.receive({ level: "warning", text: "starting another" });
  notices.loaded(5);
  seen.push(shown());
  notices.receive({ level: "warning", text: "went on from step 1,200", state: "restored" });
  seen.push(shown());
  notices.loaded(5);
  seen.push(shown());
  notices.loaded(6);
  seen.push(shown());
  return seen;
}"""


def test_a_setup_that_comes_twice_leaves_what_was_said_of_its_run(lab, open_page):
    page = open_page(f"{lab.url}/lab/health")
    assert page.evaluate(NOTICES) == [False, True, True, False]


def test_a_reload_starts_the_same_run_again(lab, open_page):
    page = open_page(f"{lab.url}/?seed=3")
    wait_until(page, lambda s: s["step"] > 300)
    page.get_by_test_id("lpc-play").click()
    wait_until(page, lambda s: s["state"] == "paused")
    address = page.url
    page.reload()
    again = wait_until(page, lambda s: s["step"] > 0)
    assert (again["state"], again["run"]) == ("running", 1)  # begun anew: the one before is paused
    assert page.url == address


def test_two_tabs_are_two_runs_and_a_closed_one_stops(lab, open_page):
    first, second = open_page(f"{lab.url}/?seed=1"), open_page(f"{lab.url}/?seed=2")
    for page in (first, second):
        wait_until(page, lambda s: s["step"] > 100)
    first.get_by_test_id("lpc-play").click()
    wait_until(first, lambda s: s["state"] == "paused")
    assert stage_state(second)["state"] == "running"
    both = sessions_of(lab)
    second.close()
    until(lambda: sessions_of(lab) < both)


def test_a_page_in_three_dimensions_breaks_no_rule_of_its_own_security_policy(lab, new_tab):
    """What it breaks is an error in the console, as which `test_accessible` would see that of any other page."""
    page, said = new_tab(), []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{lab.url}/?dataset=digits&latent_dim=3")
    wait_until(page, lambda s: s["step"] > 300)
    page.get_by_test_id("lpc-play").click()
    wait_until(page, lambda s: s["state"] == "paused")
    page.wait_for_timeout(800)  # the points go to Plotly
    assert said == []
