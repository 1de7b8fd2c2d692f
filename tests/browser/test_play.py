"""The lab as a person meets it: it moves by itself, γ collapses it, links reproduce, small screens fit."""

import math
import re

import numpy as np
import pytest
from driving import ask_until, drag_gamma, screens, stage_state, wait_until

pytestmark = pytest.mark.browser


def test_a_first_visit_it_moves_pauses_answers_gamma_and_begins_again(lab, open_page):
    page = open_page(f"{lab.url}/play")
    it_moves_by_itself_with_the_papers_figure_1(page)
    it_really_pauses_and_the_keyboard_works(page)
    paused_it_still_answers_gamma_with_its_predicted_points(page)
    reset_resets(page)


def it_moves_by_itself_with_the_papers_figure_1(page):
    first = wait_until(page, lambda s: s["step"] > 0)
    heads = [head.bounding_box() for head in page.locator(".lpc-curve-head").all()]
    assert len({(head["x"], head["y"]) for head in heads}) == 4  # from the first frame on, none over another
    later = wait_until(page, lambda s: s["step"] > first["step"] + 50 and s["radius"] is not None)
    assert later["state"] == "running"
    assert later["mode"] == "auto"
    assert page.get_by_test_id("lpc-latents").is_visible()
    page.wait_for_url(re.compile("dataset=hypercube"))
    assert page.title() == "LPC Lab"


def it_really_pauses_and_the_keyboard_works(page):
    page.get_by_test_id("lpc-play").click()
    paused = wait_until(page, lambda s: s["state"] == "paused")
    page.wait_for_timeout(700)
    assert stage_state(page)["step"] == paused["step"]
    page.get_by_test_id("lpc-step").click()
    assert wait_until(page, lambda s: s["step"] > paused["step"])["step"] == paused["step"] + 1
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Space")
    wait_until(page, lambda s: s["state"] == "running" and s["step"] > paused["step"] + 20)
    before = float(page.get_by_test_id("lpc-gamma").get_attribute("aria-valuenow"))
    page.get_by_test_id("lpc-gamma").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert float(page.get_by_test_id("lpc-gamma").get_attribute("aria-valuenow")) > before + 0.3
    assert wait_until(page, lambda s: s["mode"] == "hand")


def paused_it_still_answers_gamma_with_its_predicted_points(page):
    page.get_by_test_id("lpc-play").click()
    paused = wait_until(page, lambda s: s["state"] == "paused")
    drag_gamma(page, 1e3)
    moved = wait_until(page, lambda s: s["predictedRadius"] < paused["predictedRadius"] / 3)
    assert moved["step"] == paused["step"]


def reset_resets(page):
    before = stage_state(page)
    page.get_by_test_id("lpc-reset").click()
    again = wait_until(page, lambda s: s["run"] > before["run"])
    assert (again["mode"], again["state"]) == ("auto", "running")


def test_dragging_gamma_shrinks_the_shell_and_raises_the_separation_ratio(lab, open_page):
    page = open_page(f"{lab.url}/?gamma_start=0.0001")
    wait_until(page, lambda s: s["step"] > 100)
    drag_gamma(page, 1e-2)
    before = wait_until(page, lambda s: s["mode"] == "hand" and math.isclose(s["gamma"], 1e-2, rel_tol=0.2)
                        and s["metrics"].get("separation_ratio"))
    drag_gamma(page, 1e2)
    after = wait_until(page, lambda s: math.isclose(s["gamma"], 1e2, rel_tol=0.2) and s["radius"] < before["radius"] / 5
                       and s["metrics"]["separation_ratio"] > before["metrics"]["separation_ratio"])
    assert after["radius"] == pytest.approx(after["predictedRadius"], rel=0.25)


def test_a_view_in_three_dimensions_turns_while_it_runs(lab, open_page):
    page = open_page(f"{lab.url}/?dataset=digits&latent_dim=3")
    wait_until(page, lambda s: s["step"] > 50)
    page.get_by_test_id("lpc-dims-3").click()
    before = wait_until(page, lambda s: s["dims"] == 3)
    box = page.get_by_test_id("lpc-plot").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 150)
    page.mouse.down()
    for x in range(100, 180, 10):
        page.mouse.move(box["x"] + x, box["y"] + 150)
        page.wait_for_timeout(80)  # frames come in between
    page.mouse.up()
    wait_until(page, lambda s: s["yaw"] == pytest.approx(before["yaw"] + 70 * 0.008, abs=0.05))
    page.get_by_test_id("lpc-play").click()
    solid = wait_until(page, lambda s: s["state"] == "paused" and s["dims"] == 3)
    page.get_by_test_id("lpc-dims-2").click()
    wait_until(page, lambda s: s["dims"] == 2 and s["halfRange"] != solid["halfRange"])  # it fits anew, at rest too


def test_a_link_gives_the_same_run_again(lab, open_page):
    """Step k of the same link shows the same numbers in two tabs, whatever each drew in between."""
    link = f"{lab.url}/?dataset=moons&classes=3&seed=11&gamma_end=50&steps=150&ramp_steps=100&hidden=16-16"
    seen = []
    for _ in range(2):
        page = open_page(link)
        state = wait_until(page, lambda s: s["state"] == "finished" and s["metrics"].get("step") == 150)
        seen.append(state["metrics"])
        page.wait_for_url(re.compile("/play[?].*gamma_end=50.*seed=11"))  # the bare address leads to the run
    assert seen[0] == pytest.approx(seen[1], rel=1e-9)


def test_a_bad_value_in_a_link_is_named_and_falls_back_alone(lab, open_page):
    page = open_page(f"{lab.url}/?gamma_end=lots&seed=5&colour=red")
    wait_until(page, lambda s: s["step"] > 0)
    text = page.locator("body").inner_text()
    assert "gamma_end: expected a number from 0 to 1e+08, got 'lots'. Using 100.0." in text
    assert "colour: expected a known setting" in text
    assert "seed=5" in page.url


def test_pictures_in_files_start(lab, open_page, data_root):
    """Pictures of noise: this is of the page, not of the network."""
    folder = data_root / "cifar-10-batches-bin"
    folder.mkdir(exist_ok=True)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        records = np.random.default_rng(0).integers(0, 256, (1_000, 1 + 3072), np.uint8)
        records[:, 0] = np.arange(1_000) % 10
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    page = open_page(f"{lab.url}/?dataset=cifar10")
    state = wait_until(page, lambda s: s["step"] > 0 and s["radius"] is not None)
    assert state["state"] == "running"


def test_a_data_set_that_is_not_there_says_where_to_put_it(lab, open_page):
    page = open_page(f"{lab.url}/?dataset=cifar100")
    said = page.get_by_test_id("lpc-cover").get_by_text(re.compile("put train.bin, test.bin in .*cifar-100-binary"))
    said.wait_for()
    assert "got no connection to www.cs.toronto.edu" in said.inner_text()


def test_the_form_starts_another_run_and_leaves_the_one_before_when_its_data_cannot_be_had(lab, open_page):
    page = open_page(f"{lab.url}/play")
    first = wait_until(page, lambda s: s["step"] > 0)
    field = page.get_by_role("spinbutton", name="Classes")
    field.fill("6")
    field.press("Enter")
    second = wait_until(page, lambda s: s["run"] != first["run"] and s["step"] > 0)
    page.wait_for_url(re.compile("classes=6"))
    page.get_by_text("F", exact=True).first.wait_for()
    page.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="Fashion-MNIST").click()
    notice = page.get_by_test_id("lpc-notice").get_by_text(re.compile("The run before it goes on"))
    notice.wait_for()
    now = stage_state(page)
    wait_until(page, lambda s: s["run"] == second["run"] and s["step"] > now["step"] + 50)


@pytest.mark.parametrize("penultimate", ["nonlinear", "none"])
def test_where_nothing_is_predicted_the_stage_says_why(lab, open_page, penultimate):
    page = open_page(f"{lab.url}/?penultimate={penultimate}")
    wait_until(page, lambda s: s["step"] > 50)
    assert stage_state(page)["predictedRadius"] is None
    page.get_by_text("No predicted points").first.wait_for()


def test_nothing_overlaps_or_sticks_out(lab, open_page):
    page = open_page(f"{lab.url}/?dataset=digits")
    wait_until(page, lambda s: s["step"] > 300 and s["radius"] is not None)
    for _ in screens(page, "play", (1280, 860), (820, 1100), (390, 844)):
        ask_until(page, lambda: page.evaluate(OVERLAPS), lambda overlaps: not overlaps)


OVERLAPS = """() => {
  const stage = document.querySelector('[data-testid=lpc-stage]');
  const shown = [...stage.querySelectorAll('button, select, [data-testid=lpc-gamma]')]
    .filter((e) => e.offsetParent).map((e) => [e, e.getBoundingClientRect()]);
  const bad = [];
  for (const [a, p] of shown) {
    if (p.right > innerWidth + 1 || p.left < -1) bad.push(a.outerHTML.slice(0, 80) + ' sticks out');
    for (const [b, q] of shown) {
      if (a === b || a.contains(b) || b.contains(a)) continue;
      const w = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      const h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (w > 2 && h > 2) bad.push(a.outerHTML.slice(0, 60) + ' over ' + b.outerHTML.slice(0, 60));
    }
  }
  return bad;
}"""
