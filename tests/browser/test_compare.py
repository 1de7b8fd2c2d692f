"""Comparisons in a real browser: all panels at one step, on the same axes, moved by one hand."""

import math
import re

import pytest
from driving import ask_until, drag_gamma, open_own_link, screens, stage_state, wait_until

from app.comparisons import READY
from lpc_core.metrics import METRICS

pytestmark = pytest.mark.browser


def in_step(state):
    return {panel["step"] for panel in state["panels"]} == {state["step"]}


def settled(state):
    return len(state["panels"]) > 1 and all(panel["range"] and panel["scale"] for panel in state["panels"])


def same_range(a, b):
    return a["range"] == pytest.approx([pytest.approx(one) for one in b["range"]])


CHART_END = "() => document.querySelector('.lpc-compare-chart .lpc-fill-plot')._fullLayout?.xaxis.range[1]"


TOLD = """() => [[...document.querySelectorAll('[data-testid=lpc-evidence] dt')].map((one) => one.innerText),
  document.querySelector('[data-testid=lpc-stage]').lpcStage.state().titles]"""


def test_numbers_wait_for_the_runs_that_the_text_is_about(lab, new_tab):
    page = new_tab()
    page.goto(f"{lab.url}/lab/health")
    assert page.evaluate(WAITING) == [0, 1, 0, 1]


WAITING = """async () => {
  const { CompareStage } = await import("/lab/static/compare/compare.js");
  const { Catalogue } = await import("/lab/static/charts/catalogue.js");
  const { Evidence } = await import("/lab/static/compare/curves.js");
  const evidence = new Evidence(), told = [];
  const stage = { evidence, panels: [], props: { titles: ["a", "b"], evidence: ["nc1_pinv"] },
    setupInfo: { titles: ["c", "d"], catalogue: new Catalogue() } };
  const look = () => { CompareStage.prototype.showEvidence.call(stage); told.push(evidence.cells.length); };
  look();                            // the text is there before its runs
  stage.setupInfo.titles = ["a", "b"];
  look();
  stage.setupInfo.titles = ["e", "f"];
  look();                            // the runs are there before their text
  stage.props = { titles: ["e", "f"], evidence: ["norm_mean"] };
  look();
  return told;
}"""


def test_every_ready_comparison_starts_and_stays_in_step(lab, open_page):
    page = open_page(f"{lab.url}/compare?comparison=width&seed=4")
    for name, ready in READY.items():
        page.get_by_test_id("stMain").get_by_test_id("stSelectbox").first.click()
        page.get_by_role("option", name=ready.title, exact=True).click()
        titles = [title for title, _ in ready.runs]
        seen = wait_until(page, lambda s, titles=titles: s["titles"] == titles and s["step"] > 20)
        wait_until(page, lambda s, ready=ready: (s["shared"], s["chart"]) == (False, ready.number))
        evidence = page.get_by_test_id("lpc-evidence")  # what the text names stands right under it, above the fold
        named = [METRICS[metric].title for metric in ready.evidence]
        told = ask_until(page, lambda: page.evaluate(TOLD), lambda shown, named=named: shown[0] == named)
        assert told[1] == titles  # runs and numbers of one comparison
        told = evidence.locator("b").all_inner_texts()
        assert len(told) == len(ready.evidence) * len(ready.runs)
        assert all(re.fullmatch(r"[\d.,e-]+( %)?", text) for text in told if text != "–")
        parts = (evidence, page.get_by_test_id("lpc-play"))  # which move while what is above them comes and goes
        ask_until(page, lambda parts=parts: [part.bounding_box()["y"] for part in parts], lambda y: y[0] < y[1] < 500)
        for _ in range(5):
            page.wait_for_timeout(100)
            assert in_step(stage_state(page))
        later = wait_until(page, lambda s, step=seen["step"]: s["step"] > step + 20)
        ask_until(page, lambda: [page.evaluate(CHART_END)],
                  lambda drawn, step=seen["step"]: drawn[0] is None or drawn[0] > step)
        assert all(panel["metrics"].get("nc1_pinv") for panel in later["panels"])
        page.wait_for_url(re.compile(f"comparison={name}(&.*)?&seed=4"))


def test_gamma_moves_who_follows_and_shared_axes_are_equal_as_own_ones_are_not(lab, open_page):
    page = open_page(f"{lab.url}/compare")
    dragging_gamma_moves_the_runs_that_follow_and_no_other(page)
    shared_axes_are_equal_and_own_axes_are_not(page)


def dragging_gamma_moves_the_runs_that_follow_and_no_other(page):
    wait_until(page, lambda s: s["step"] > 100)
    drag_gamma(page, 1e2)
    state = wait_until(page, lambda s: s["mode"] == "hand" and math.isclose(s["panels"][1]["gamma"], 1e2, rel_tol=0.2))
    assert state["panels"][0]["gamma"] == 0
    assert state["panels"][1]["radius"] < state["panels"][0]["radius"] / 20
    page.get_by_test_id("lpc-reset").click()
    again = wait_until(page, lambda s: s["run"] > state["run"])
    assert in_step(again)


def shared_axes_are_equal_and_own_axes_are_not(page):
    state = wait_until(page, lambda s: settled(s) and s["step"] > 1_500)
    page.get_by_test_id("lpc-play").click()
    a, b = wait_until(page, lambda s: s["state"] == "paused" and not s["shared"])["panels"]
    assert not same_range(a, b)  # on its own axes the tighter of the two is seen too
    page.get_by_test_id("lpc-axes-shared").click()
    a, b = wait_until(page, lambda s: same_range(*s["panels"]))["panels"]
    assert a["radius"] > 20 * b["radius"]
    page.get_by_test_id("lpc-axes-own").click()
    wait_until(page, lambda s: s["panels"][0]["range"][0][1] > 5 * s["panels"][1]["range"][0][1])
    page.get_by_test_id("lpc-axes-shared").click()
    wait_until(page, lambda s: same_range(*s["panels"]))
    box = page.get_by_test_id("lpc-run-1").locator(".lpc-surface").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2 + 20, steps=6)
    page.mouse.up()
    a = wait_until(page, lambda s: same_range(*s["panels"]) and sum(s["panels"][0]["range"][0])
                   < -0.01 * s["panels"][0]["radius"])["panels"][0]
    assert state["panels"][0]["range"] != a["range"]


def test_turning_one_panel_turns_all(lab, open_page):
    page = open_page(f"{lab.url}/compare?comparison=width")
    wait_until(page, lambda s: s["step"] > 50)
    page.get_by_test_id("lpc-dims-3").click()
    before = wait_until(page, lambda s: [panel["dims"] for panel in s["panels"]] == [3, 3])
    page.wait_for_timeout(500)  # the tools take another line
    box = page.get_by_test_id("lpc-run-0").locator(".lpc-surface").bounding_box()
    page.mouse.move(box["x"] + 120, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + 190, box["y"] + 120, steps=5)
    page.mouse.up()
    wait_until(page, lambda s: s["panels"][0]["yaw"] == s["panels"][1]["yaw"] != before["panels"][0]["yaw"])
    page.get_by_test_id("lpc-play").click()
    page.get_by_test_id("lpc-axes-shared").click()
    page.get_by_test_id("lpc-compare-x-gamma").click()
    rests = wait_until(page, lambda s: s["state"] == "paused" and s["shared"])
    said = open_own_link(page, lab)
    assert {"comparison=width", f"at={rests['step']}", "axes=shared", "against=gamma", "view=pca3"} <= said
    again = wait_until(page, lambda s: s["state"] == "paused" and s["step"] == rests["step"] and s["shared"])
    wait_until(page, lambda s: [panel["dims"] for panel in s["panels"]] == [3, 3])
    for one, other in zip(rests["panels"], again["panels"], strict=True):
        assert other["radius"] == pytest.approx(one["radius"], rel=1e-9)
        assert other["yaw"] == pytest.approx(one["yaw"], abs=0.01)


OUTSIDE = """() => [...document.querySelectorAll('[data-testid=lpc-stage] :is(button, select)')]
  .filter((e) => e.offsetParent && !e.closest('.lpc-compare-numbers'))
  .filter((e) => { const b = e.getBoundingClientRect(); return b.right > innerWidth + 1 || b.left < -1; })
  .map((e) => e.outerHTML.slice(0, 80))"""


def test_nothing_sticks_out(lab, open_page):
    page = open_page(f"{lab.url}/compare?comparison=losses")
    wait_until(page, lambda s: settled(s) and s["step"] > 60)
    for _ in screens(page, "compare", (1280, 1250), (390, 844)):
        ask_until(page, lambda: page.evaluate(OUTSIDE), lambda outside: not outside)


def test_any_metric_can_be_drawn_and_is_then_in_the_table(lab, open_page):
    page = open_page(f"{lab.url}/compare?comparison=penalty&samples=400&steps=60&ramp_steps=40")
    wait_until(page, lambda s: all(panel["metrics"].get("nc1_pinv") for panel in s["panels"]))
    pick, table = page.get_by_test_id("lpc-compare-pick"), page.get_by_test_id("lpc-compare-table")
    usual = table.locator("thead button").all_inner_texts()
    offered = pick.locator("option").all()
    for option in offered:
        title = option.inner_text()
        pick.select_option(option.get_attribute("value"))
        pressed = table.locator('thead button[aria-pressed="true"]')
        assert pressed.count() == 1
        assert pressed.get_attribute("title") == f"Draw: {title}"
        assert table.locator("thead button").count() == len(usual)
    assert len(offered) > len(usual)
    pick.select_option("nc1_pinv")
    assert METRICS["point_error"].title in pick.inner_text()
