"""The first minute and the lessons as a person meets them: a film that plays, four doors, checks that tick."""

import re

import pytest
from driving import ask_until, at_rest, drag_gamma, open_own_link, screens, stage_state, wait_until

from app.lessons import lessons

pytestmark = pytest.mark.browser


def film_state(page):
    return page.evaluate("() => document.querySelector('[data-testid=lpc-film]')?.lpcFilm?.state() ?? null")


def test_home_plays_a_film_by_itself_and_has_four_doors(lab, open_page):
    page = open_page(lab.url)
    ask_until(page, lambda: film_state(page), lambda film: film["playing"] and film["t"] > 2)
    assert page.locator("a[href*='arxiv.org/abs/2310.08224']").is_visible()
    assert page.title() == "LPC Lab"
    for door, address in (("Learn", "learn"), ("Inspect a file", "inspect"), ("Reproduce", "experiments")):
        assert page.get_by_role("link", name=door).last.get_attribute("href") == address
    page.get_by_role("link", name="Play").last.click()
    wait_until(page, lambda s: s["step"] > 0)
    page.wait_for_url(re.compile("/play[?]dataset=hypercube"))


def test_a_lesson_is_done_step_by_step_and_its_link_goes_along(lab, open_page):
    page = open_page(f"{lab.url}/learn")
    page.get_by_role("button", name=re.compile("Push and pull")).click()
    first = wait_until(page, lambda s: s.get("ticked"))
    page.get_by_test_id("lpc-next").click()
    page.wait_for_url(re.compile("lesson=forces&step=2"))
    wait_until(page, lambda s: s["index"] == 1 and not s["ticked"] and s["run"] == first["run"] and s["step"] > 300)
    page.get_by_test_id("lpc-option-1").click()
    drag_gamma(page, 1.0)
    wait_until(page, lambda s: s["ticked"])
    assert "You predicted it." in page.get_by_test_id("lpc-answer").inner_text()
    page.get_by_test_id("lpc-next").click()
    wait_until(page, lambda s: s["index"] == 2 and not s["ticked"])
    page.get_by_test_id("lpc-do-it").click()
    wait_until(page, lambda s: s["ticked"])
    page.get_by_role("button", name="All lessons").click()
    page.get_by_text("3 of 3 steps done").wait_for()
    page.get_by_role("button", name=re.compile(lessons()["linear"].title)).click()
    state = wait_until(page, lambda s: s["lesson"] == "linear" and s["ticked"])
    assert state["titles"] == ["linear", "ReLU"]  # several runs, side by side


def test_a_step_that_ticks_while_its_reader_leaves_has_ticked(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=forces&step=3")
    wait_until(page, lambda s: s["step"] > 100 and not s["ticked"])
    page.evaluate("""() => {
      const leave = [...document.querySelectorAll('button')].find((one) => one.textContent.includes('All lessons'));
      new MutationObserver((_, watch) => { watch.disconnect(); leave.click(); })
        .observe(document.querySelector('.lpc-coach'), { attributes: true, attributeFilter: ['class'] });
    }""")
    page.get_by_test_id("lpc-do-it").click()
    page.get_by_text("1 of 3 steps done").wait_for()


def test_another_lesson_is_another_run_and_never_ticks_for_the_old_one(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=forces&step=3")
    before = wait_until(page, lambda s: s["step"] > 200)
    page.get_by_test_id("lpc-do-it").click()
    wait_until(page, lambda s: s["ticked"])
    page.get_by_test_id("lpc-next").click()
    after = wait_until(page, lambda s: s["lesson"] == "shell" and s["run"] != before["run"])
    assert after["index"] == 0
    page.get_by_test_id("lpc-layer-points").click()
    page.get_by_test_id("lpc-play").click()
    rests = wait_until(page, at_rest)
    said = open_own_link(page, lab)
    assert {"lesson=shell", "step=1", f"at={rests['step']}"} <= said
    again = wait_until(page, lambda s: at_rest(s) and s["step"] == rests["step"])
    assert (again["lesson"], again["said"]["radius"]) == ("shell", pytest.approx(rests["said"]["radius"], rel=1e-6))


def test_a_lesson_fits_its_screen(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=shell&step=2")
    wait_until(page, lambda s: s["step"] > 100)
    for _ in screens(page, "lesson", (1280, 860), (390, 844)):
        assert stage_state(page)["goal"]
