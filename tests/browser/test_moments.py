"""A link to a moment in a real browser: replayed to its very step, seen as it was, short, copied, drawn as a code."""

import re

import pytest
from driving import ask_until, drag_gamma, wait_until

pytestmark = pytest.mark.browser


def test_a_moment_travels_by_its_link(lab, open_page):
    words = "dataset=digits&latent_dim=3&seed=3&at=240&hand=5&view=pca3&turn=1.00,0.20&off=shell&curves=losses,nc1"
    page = open_page(f"{lab.url}/play?{words}")
    there = wait_until(page, lambda s: s["state"] == "paused" and s["mode"] == "hand" and s["dims"] == 3)
    assert there["step"] == 240
    assert (there["gammaShown"], there["projection"]) == (5, "pca")
    assert there["yaw"] == pytest.approx(1.0)
    page.locator("[data-testid=lpc-layer-shell][aria-pressed=false]").wait_for()
    page.get_by_test_id("lpc-share").click()
    link = page.get_by_test_id("lpc-share-link").input_value()
    assert len(link) <= 200
    query = link.partition("?")[2]
    assert sorted(query.split("&")) == sorted(f"{words},separation,accuracies".split("&"))
    code = page.get_by_test_id("lpc-share-qr")
    ask_until(page, lambda: code.evaluate("(e) => e.naturalWidth"), lambda width: width > 50)
    other = open_page(f"{lab.url}/play?{query}")
    again = wait_until(other, lambda s: s["state"] == "paused" and s["metrics"].get("step") == 240)
    first = wait_until(page, lambda s: s["metrics"].get("step") == 240)
    assert again["metrics"]["loss"] == pytest.approx(first["metrics"]["loss"], rel=1e-9)
    a_teacher_shows_only_some_controls(page, other, lab)


def a_teacher_shows_only_some_controls(page, other, lab):
    """What the boxes take away is gone at once, for keys too, and whoever opens the link does not have it either."""
    slider = page.get_by_test_id("lpc-gamma")
    page.get_by_text("Show others only some controls").click()
    for name in ("gamma", "settings"):
        page.get_by_test_id(f"lpc-share-show-{name}").click()
    slider.wait_for(state="hidden")
    link = page.get_by_test_id("lpc-share-link").input_value()
    assert link.endswith("&hide=settings,gamma")
    other.goto(f"{lab.url}/play?{link.partition('?')[2]}")
    there = wait_until(other, lambda s: s["state"] == "paused" and s["mode"] == "hand")
    other.get_by_test_id("lpc-gamma").wait_for(state="hidden")
    other.get_by_test_id("stSidebar").wait_for(state="hidden")
    other.locator("body").press("ArrowRight")
    other.get_by_test_id("lpc-step").click()
    assert wait_until(other, lambda s: s["step"] > there["step"])["gammaShown"] == there["gammaShown"]
    assert "hide=settings%2Cgamma" in other.url or "hide=settings,gamma" in other.url


def test_what_is_done_by_hand_is_in_the_link(lab, open_page):
    page = open_page(f"{lab.url}/play?seed=8")
    wait_until(page, lambda s: s["step"] > 100)
    drag_gamma(page, 1.0)
    wait_until(page, lambda s: s["mode"] == "hand")
    page.get_by_test_id("lpc-play").click()
    paused = wait_until(page, lambda s: s["state"] == "paused")
    page.get_by_test_id("lpc-share").click()
    link = page.get_by_test_id("lpc-share-link").input_value()
    assert paused["step"] <= 10_000
    assert re.search(r"/play[?]dataset=hypercube&seed=8&at=\d+&hand=[\d.]+$", link)


def test_a_moment_that_cannot_be_is_named(lab, open_page):
    page = open_page(f"{lab.url}/play?seed=8&at=many")
    wait_until(page, lambda s: s["step"] > 0)
    assert "at: expected a whole number of steps from 0 to 10000, got 'many'. It is ignored." in page.inner_text("body")
