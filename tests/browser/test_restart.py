"""Pages outlive their connection: a server that starts anew, a tablet that sleeps, a line that is slow and lossy."""

import contextlib
import re

import pytest
from conftest import Lab
from driving import at_rest, drag_gamma, stage_state, stage_stats, wait_until
from lines import Line

from tests.patience import until

pytestmark = pytest.mark.browser
AWAY = "The server does not answer. This page goes on by itself as soon as it does."
LONG = "steps=1000000&ramp_steps=100000"


@pytest.fixture
def restartable(tmp_path, data_root):
    """A lab; ``restart()`` ends it, and gives another one at the same address."""
    (tmp_path / "tmp").mkdir()
    with contextlib.ExitStack() as stack:
        def start(port=None, **more):
            running = Lab(tmp_path / f"log-{port}", port, LPC_DATA=str(data_root), TMPDIR=str(tmp_path / "tmp"), **more)
            stack.callback(running.stop)
            return running.wait()

        yield start(), start


def streamlit_is(page, state):
    page.locator(f"[data-testid=stApp][data-test-connection-state={state}]").wait_for()


def test_a_page_goes_on_with_its_run_after_a_restart(restartable, open_page):
    """From its saved state, however the server ended; where there is none, from step 0. Both are said."""
    lab, start = restartable
    page = open_page(f"{lab.url}/?seed=3&{LONG}")
    wait_until(page, lambda s: s["step"] > 100)
    drag_gamma(page, 1.0)
    wait_until(page, lambda s: s["mode"] == "hand" and s["gamma"] > 0.1)
    page.get_by_test_id("lpc-play").click()
    before, address = wait_until(page, at_rest), page.url
    lab.stop()
    page.get_by_test_id("lpc-connection").get_by_text(AWAY).wait_for()
    assert page.locator(".lpc-transport[inert]").count() == 1  # no Pause button that looks alive
    assert page.get_by_role("dialog").count() == 0
    assert page.get_by_text("connected to the internet").count() == 0
    lab = start(lab.port)
    page.get_by_test_id("lpc-notice").get_by_text(f"this run goes on from step {before['step']:,}").wait_for()
    after = as_the_hand_left_it(page, before)
    now, then = after["said"], before["said"]
    assert (now["step"], now["radius"]) == (then["step"], then["radius"])  # the very moment
    assert now["metrics"] == pytest.approx(then["metrics"], rel=1e-6)  # collapse points are solved anew, to 1e-10
    assert after["points"] > 1  # its curves are whole
    page.get_by_test_id("lpc-play").click()
    wait_until(page, lambda s: s["step"] > before["step"] + 50)
    page.get_by_test_id("lpc-play").click()
    wait_until(page, lambda s: s["state"] == "paused")
    lab.process.kill()
    lab.process.wait()
    page.get_by_test_id("lpc-connection").get_by_text(AWAY).wait_for()
    start(lab.port, LPC_KEEP_S="0")  # which clears away what the one before left
    page.get_by_test_id("lpc-notice").get_by_text("Started again from step 0").wait_for()
    again = wait_until(page, lambda s: s["step"] < before["step"])
    as_the_hand_left_it(page, again | {"gammaShown": before["gammaShown"]})
    assert page.url == address
    page.get_by_test_id("lpc-play").click()
    wait_until(page, lambda s: s["step"] > 100)


def as_the_hand_left_it(page, before):
    """What is drawn, once it is: at rest, under the γ of the hand, with buttons that work."""
    after = wait_until(page, lambda s: at_rest(s) and s["mode"] == "hand")
    assert after["gammaShown"] == pytest.approx(before["gammaShown"])
    assert page.locator(".lpc-transport[inert]").count() == 0
    return after


def test_every_page_comes_back_after_a_restart(restartable, open_page):
    lab, start = restartable
    pages = {path: open_page(f"{lab.url}/{path}?seed=3") for path in ("compare", "film", "inspect")}
    for path, page in pages.items():
        shown(page, path).wait_for()
        streamlit_is(page, "CONNECTED")
    lab.stop()
    for path, page in pages.items():
        streamlit_is(page, "PINGING_SERVER")
        if path != "compare":  # whose stage says it itself
            assert AWAY in page.get_by_test_id("stApp").evaluate("(app) => getComputedStyle(app, '::before').content")
    start(lab.port)
    for path, page in pages.items():
        streamlit_is(page, "CONNECTED")
        shown(page, path).wait_for()
        assert f"/{path}" in page.url


def shown(page, path):
    """What a page has when it is there."""
    return page.get_by_test_id("lpc-stage") if path == "compare" else page.locator("h1, h2, h3").first


def test_streamlits_page_is_told_to_show_no_dialogs(lab, open_page):
    page = open_page(f"{lab.url}/lab/health")
    told = page.evaluate("() => fetch('/_stcore/host-config').then((answer) => answer.json())")
    assert told["blockErrorDialogs"] is True


@pytest.fixture(scope="module")
def impatient(tmp_path_factory, data_root):
    """A lab that gives up a closed page's run at once, and a lost one's late."""
    running = Lab(tmp_path_factory.mktemp("lab") / "log", LPC_DATA=str(data_root), LPC_HEARTBEAT_S="0.2",
                  LPC_SILENT_S="3000")
    yield running.wait()
    running.stop()


@contextlib.contextmanager
def line(lab, **how):
    drawn = Line(lab.port, **how)
    try:
        yield drawn
    finally:
        drawn.close()


def test_a_tablet_that_slept_comes_back_to_its_run(impatient, open_page):
    with line(impatient) as drawn:
        page = open_page(f"{drawn.url}/?seed=3&{LONG}")
        wait_until(page, lambda s: s["step"] > 100)
        page.get_by_test_id("lpc-play").click()
        before = wait_until(page, lambda s: s["state"] == "paused")
        drawn.cut()
        page.get_by_test_id("lpc-connection").get_by_text(re.compile("Reconnecting|does not answer")).wait_for()
        page.wait_for_timeout(3_000)  # many times what the server waits for a closed page
        drawn.mend()
        page.get_by_test_id("lpc-connection").wait_for(state="hidden")
        page.get_by_test_id("lpc-play").click()
        after = wait_until(page, lambda s: s["state"] == "running")
        assert (after["run"], after["step"] >= before["step"]) == (before["run"], True)
        assert page.get_by_test_id("lpc-notice").get_by_text("Started again").count() == 0


def test_a_part_whose_script_did_not_come_is_asked_for_again(impatient, new_tab):
    page, refused = new_tab(), []

    def refuse_once(route):
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    page.route("**/room/lead.js", refuse_once)
    page.goto(f"{impatient.url}/?seed=3&{LONG}")
    page.get_by_test_id("lpc-present").wait_for()
    assert refused


def test_gamma_is_usable_over_a_slow_and_lossy_line(impatient, open_page):
    with line(impatient, delay_s=0.15, loss=0.05) as drawn:
        page = open_page(f"{drawn.url}/?seed=3&{LONG}")
        wait_until(page, lambda s: s["step"] > 0)
        place = page.get_by_test_id("lpc-gamma").bounding_box()
        page.get_by_test_id("lpc-present").wait_for()  # what comes late moves nothing under the hand
        assert page.get_by_test_id("lpc-gamma").bounding_box() == place
        wait_until(page, lambda s: s["step"] > 100)
        for value in (1.0, 0.01, 10.0):
            drag_gamma(page, value)
            under_the_hand = stage_state(page)["gammaShown"]
            assert under_the_hand == pytest.approx(value, rel=0.05)  # at once, whatever the line
            frames = stage_stats(page)["frames"]
            until(lambda: page.evaluate("() => 1") and stage_stats(page)["gammaWaiting"] == 0)  # every move is answered
            assert stage_state(page)["gammaShown"] == pytest.approx(under_the_hand)  # and it did not jump back
            wait_until(page, lambda s, v=value: s["gamma"] == pytest.approx(v, rel=0.05))
            assert stage_stats(page)["frames"] > frames
        assert drawn.late > 0
        assert page.get_by_test_id("lpc-connection").is_hidden()


def open_room(page):
    """The code of the room that this page opens."""
    page.get_by_test_id("lpc-room").click()
    page.get_by_test_id("lpc-room-open").click()
    code = page.get_by_test_id("lpc-room-code").filter(has_text=re.compile("^[B-Z]{4}$"))
    code.wait_for()
    return code.inner_text()


def test_a_room_goes_on_over_bad_wifi(impatient, open_page):
    """Loss and delay on both sides; the follower's line breaks while they predict, the leader's while pausing all."""
    with line(impatient) as theirs, line(impatient) as ours:
        leader = open_page(f"{ours.url}/learn?lesson=forces&step=2")
        wait_until(leader, lambda s: s["index"] == 1)
        code = open_room(leader)
        follower = open_page(f"{theirs.url}/room?code={code}", width=390, height=844)
        wait_until(follower, lambda s: s["index"] == 1)
        follower.get_by_test_id("lpc-follow-state").get_by_text("You follow the leader").wait_for()
        for one in (theirs, ours):  # from here on: both pages are there
            one.delay_s, one.loss = 0.15, 0.05

        theirs.cut()
        follower.get_by_test_id("lpc-follow-state").get_by_text("Reconnecting…").wait_for()
        follower.get_by_test_id("lpc-option-1").click()
        follower.get_by_test_id("lpc-follow-name").fill("Ada")
        follower.get_by_test_id("lpc-follow-hands").focus()
        theirs.mend()
        leader.get_by_test_id("lpc-room-answers").get_by_text("a few times smaller1").wait_for()
        members = leader.get_by_test_id("lpc-room-members")
        members.get_by_text("1 · Ada: follows").wait_for()
        assert members.locator("li").count() == 1
        assert follower.get_by_test_id("lpc-follow-name").input_value() == "Ada"

        theirs.cut()
        leader.locator(".st-key-lesson-next button").click()
        wait_until(leader, lambda s: s["index"] == 2)
        theirs.mend()
        wait_until(follower, lambda s: s["index"] == 2)
        follower.reload()
        wait_until(follower, lambda s: s["index"] == 2)
        members.get_by_text("1 · Ada: follows").wait_for()
        assert members.locator("li").count() == 1  # whoever reloads is no newcomer

        ours.cut()
        follower.get_by_test_id("lpc-follow-state").get_by_text("The leader is away").wait_for()
        leader.get_by_test_id("lpc-room-halt").click()
        ours.mend()
        follower.get_by_test_id("lpc-follow-state").get_by_text("Paused by the leader").wait_for()
        leader.reload()
        leader.get_by_test_id("lpc-room").filter(has_text=f"{code} · 1").wait_for()
        wait_until(leader, lambda s: s["state"] == "paused")  # the run is new, and all are paused
        wait_until(follower, lambda s: s["state"] == "paused" and s["run"] == stage_state(leader)["run"])
        assert theirs.late + ours.late > 0
