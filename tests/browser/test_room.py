"""A room as people meet it: one leads through a lesson, another follows; and what a projector shows."""

import re

import pytest
from driving import SHOTS, ask_until, drag_gamma, stage_state, wait_until

pytestmark = pytest.mark.browser
LARGE = """() => [document.querySelector('[data-testid=stMain]').scrollHeight, window.innerHeight,
                  document.documentElement.scrollWidth, window.innerWidth,
                  document.querySelector('.lpc-plot').getBoundingClientRect().bottom,
                  document.querySelector('[data-testid=stHeader]').offsetHeight]"""


def test_a_second_browser_follows_a_leader_through_a_whole_lesson(lab, open_page):
    leader = open_page(f"{lab.url}/learn?lesson=forces")
    wait_until(leader, lambda s: s["step"] > 0)
    leader.get_by_test_id("lpc-room").click()
    leader.get_by_test_id("lpc-room-open").click()
    leader.get_by_test_id("lpc-room-code").filter(has_text=re.compile("^[B-Z]{4}$")).wait_for()
    code = leader.get_by_test_id("lpc-room-code").inner_text()
    follower = open_page(f"{lab.url}/room", width=390, height=844, dark=True)
    follower.get_by_label("The room's code").fill(code.lower())
    follower.get_by_role("button", name="Come in").click()
    run = wait_until(follower, lambda s: s["ticked"])["run"]
    assert run == stage_state(leader)["run"]
    assert follower.get_by_test_id("lpc-next").is_hidden()

    leader.get_by_test_id("lpc-next").click()
    wait_until(follower, lambda s: s["index"] == 1 and not s["ticked"])
    follower.get_by_test_id("lpc-option-1").click()
    leader.get_by_test_id("lpc-room-answers").get_by_text("a few times smaller1").wait_for()
    leader.keyboard.press("Escape")
    drag_gamma(leader, 1.0)
    wait_until(follower, lambda s: s["ticked"] and s["mode"] == "hand")
    assert "You predicted it." in follower.get_by_test_id("lpc-answer").inner_text()

    follower.get_by_test_id("lpc-follow-name").fill("<b>Ada</b>")
    follower.get_by_test_id("lpc-follow-hands").click()
    own = wait_until(follower, lambda s: s["step"] > 50 and s["mode"] == "auto")
    assert (own["lesson"], own["index"]) == ("forces", 1)
    leader.get_by_test_id("lpc-room").click()
    members = leader.get_by_test_id("lpc-room-members")
    members.get_by_text("1 · <b>Ada</b>: own hands, forces, step 2").wait_for()
    leader.get_by_test_id("lpc-room-halt").click()
    wait_until(follower, lambda s: s["state"] == "paused")
    leader.get_by_test_id("lpc-room-halt").click()
    wait_until(follower, lambda s: s["state"] == "running")
    follower.get_by_test_id("lpc-follow-hands").click()
    members.get_by_text("1 · <b>Ada</b>: follows").wait_for()

    leader.keyboard.press("Escape")
    leader.get_by_test_id("lpc-next").click()
    for page in (follower, leader):  # whose own page may come to the step after the follower's
        wait_until(page, lambda s: s["index"] == 2)
    leader.get_by_test_id("lpc-do-it").click()
    wait_until(follower, lambda s: s["ticked"] and s["index"] == 2)
    SHOTS.mkdir(exist_ok=True)
    follower.screenshot(path=SHOTS / "room-follower.png")
    assert follower.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth + 1")

    leader.reload()  # it leads on
    leader.get_by_test_id("lpc-room").filter(has_text=f"{code} · 1").wait_for()
    wait_until(follower, lambda s: s["index"] == 2 and s["mode"] == "auto")
    leader.get_by_test_id("lpc-room").click()
    leader.get_by_test_id("lpc-room-end").click()
    follower.get_by_text("There is no room by this code").wait_for()


def test_a_projector_shows_all_of_it_above_the_fold_and_a_spotlight(lab, open_page):
    page = open_page(f"{lab.url}/play?present=1", width=1024, height=768)
    wait_until(page, lambda s: s["step"] > 0)
    for width, height in ((1024, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        ask_until(page, lambda: page.evaluate(LARGE), lambda it: it[0] <= it[1] and it[2] <= it[3] and it[4] < it[1])
        assert page.evaluate(LARGE)[5] == 0
    page.keyboard.press("s")
    page.mouse.move(300, 200)
    assert page.get_by_test_id("lpc-spotlight").is_visible()
    assert page.evaluate("() => getComputedStyle(document.querySelector('.lpc-spotlight')).backgroundImage").find(
        "at 300px 200px") > 0
    page.keyboard.press("s")
    page.get_by_test_id("lpc-share").wait_for(state="hidden")
    assert "present=1" in page.url
    page.get_by_test_id("lpc-present").click()
    page.get_by_test_id("stHeader").wait_for()
    page.wait_for_url(re.compile("^((?!present).)*$"))
