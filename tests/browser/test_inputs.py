"""Inputs, latents and histograms in a real browser: what is pointed at or chosen in one is marked in all."""

import pytest
from driving import ask_until, stage_state, wait_until

pytestmark = pytest.mark.browser


def test_a_sample_is_marked_wherever_it_is_pointed_at_and_a_box_chooses(lab, open_page):
    page = open_page(f"{lab.url}/play?dataset=moons&steps=60000")
    wait_until(page, lambda s: s["inputs"]["regions"] and s["inputs"]["at"][0] > 0)
    page.set_viewport_size({"width": 1024, "height": 768})  # where it would push the curves out of sight
    wait_until(page, lambda s: not s["inputs"]["open"])
    page.set_viewport_size({"width": 1280, "height": 860})
    wait_until(page, lambda s: s["inputs"]["open"])
    page.get_by_test_id("lpc-play").click()
    wait_until(page, lambda s: s["state"] == "paused")
    surface = page.get_by_test_id("lpc-inputs-surface")
    box, (x, y) = surface.bounding_box(), stage_state(page)["inputs"]["at"]
    page.mouse.move(box["x"] + x, box["y"] + y)
    wait_until(page, lambda s: s["pointed"] >= 0)
    page.mouse.move(box["x"] + 18, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"], steps=4)
    page.mouse.up()
    chosen = wait_until(page, lambda s: s["chosen"] > 0)["chosen"]
    said = page.get_by_test_id("lpc-selection").inner_text()
    assert said.startswith(f"{chosen} selected: ")
    page.mouse.move(10, 10)
    assert stage_state(page)["chosen"] == chosen
    page.get_by_test_id("lpc-clear-selection").click()
    wait_until(page, lambda s: s["chosen"] == 0)
    surface.focus()
    page.keyboard.press("ArrowRight")
    wait_until(page, lambda s: s["pointed"] == 0)
    bars = page.get_by_test_id("lpc-nodes").locator("canvas").first.bounding_box()

    def over_bars():  # γ by hand moves nothing while it is paused, so a bar stays where it is
        for column in range(6, int(bars["width"] / 2), 3):
            page.mouse.click(bars["x"] + column, bars["y"] + bars["height"] - 30)
            if stage_state(page)["chosen"]:
                return True
        return False

    ask_until(page, over_bars, bool)
    page.get_by_test_id("lpc-inputs-toggle").click()
    assert surface.is_hidden()
    page.reload()
    assert wait_until(page, lambda s: s["inputs"]["kind"] == "plane")["inputs"]["open"] is False
