"""The Metrics page as a person meets it: numbers come by themselves, explain themselves, and can be taken home."""

import csv
import io
import struct
import xml.etree.ElementTree as ET

import pytest
from driving import SHOTS, ask_until, open_own_link, resting_box

from lpc_core.metrics import METRICS

pytestmark = pytest.mark.browser

RUN = "samples=600&test_samples=200&noise=0.5&steps=400&ramp_steps=300&gamma_end=10&batch_size=64"
SCOPE = "() => document.querySelector('[data-testid=lpc-microscope]')?.lpcMicroscope?.state() ?? null"
WATCHED = """() => {
  const cards = "[data-testid=lpc-cards]";
  window.taken = [];
  new MutationObserver((changes) => changes.forEach(({ removedNodes }) => removedNodes.forEach((node) => {
    const roots = [...(node.matches?.(cards) ? [node] : []), ...(node.querySelectorAll?.(cards) ?? [])];
    for (const root of roots) window.taken.push(root.lpcCards.state().keys.join());
  }))).observe(document.body, { childList: true, subtree: true });
}"""
POINTS = """(key) => [...document.querySelectorAll('[data-testid=lpc-cards]')].map((root) => root.lpcCards?.state())
  .filter((state) => state?.keys.includes(key) && state.drawn)
  .map((state) => Object.fromEntries(state.traces[key].map(({name, points}) => [name, points])))[0] ?? null"""


def points(page, key, fits):
    return ask_until(page, lambda: page.evaluate(POINTS, key), fits)


def scope(page, fits):
    return ask_until(page, lambda: page.evaluate(SCOPE), lambda s: s.get("drawn") and fits(s))


def saved(page, key, kind, path):
    page.get_by_test_id(f"lpc-card-save-{key}").click()
    with page.expect_download() as download:
        page.get_by_test_id(f"lpc-card-{kind}-{key}").click()
    assert download.value.suggested_filename == f"lpc-lab-{key}.{kind}"
    download.value.save_as(path / f"{key}.{kind}")
    return (path / f"{key}.{kind}").read_bytes()


@pytest.fixture
def measured(lab, open_page):
    """The page after its study, watched while it grew."""
    page = open_page(f"{lab.url}/metrics?{RUN}")
    points(page, "nc1", lambda drawn: drawn.get("NC1", 0) > 1)
    page.evaluate(WATCHED)
    page.get_by_text("Measured at 40 moments").wait_for()
    assert page.evaluate("() => window.taken") == []  # while the study goes on, none is built anew
    drawn = points(page, "nc1", lambda drawn: drawn["NC1"] == 40)
    assert drawn["CDNV"] == 40
    return page


def test_the_study_runs_by_itself_explains_itself_and_goes_where_it_is_taken(lab, measured, tmp_path):
    page = measured
    assert "The terminal phase" in page.get_by_test_id("lpc-sentence").first.text_content()
    explain(page)
    take_home(page, tmp_path)
    sort_table(page)
    zoom(page, tmp_path)
    its_link_opens_the_same_moment(page, lab)
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "metrics.png")
    shrink(page)


def explain(page):
    button = page.get_by_test_id("lpc-card-info-nc1")
    button.focus()
    page.keyboard.press("Enter")
    note = page.locator(".lpc-metric-popover:visible")
    for name in ("nc1_pinv", "nc1_cdnv"):
        for part in (METRICS[name].formula, METRICS[name].meaning, METRICS[name].source):
            assert part in note.text_content()
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert note.count() == 0


def take_home(page, path):
    svg = ET.fromstring(saved(page, "nc1", "svg", path))
    texts = [node.text for node in svg.iter() if node.text]
    assert svg.tag.endswith("svg")
    assert {"TPT", "NC1", "CDNV", "γ", "training step", "NC1 · each class shrinks to a point"} <= set(texts)
    png = saved(page, "nc1", "png", path)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert width == 1_800
    assert height > 900
    assert len(png) > 20_000
    header, *lines = csv.reader(io.StringIO(saved(page, "nc1", "csv", path).decode()))
    assert header[:5] == ["step", "gamma", "train_accuracy", "test_accuracy", "nc1_pinv"]
    assert [int(line[0]) for line in (lines[0], lines[-1])] == [0, 400]
    assert len(lines) == 40
    assert float(lines[-1][4]) < float(lines[0][4]) / 10


def sort_table(page):
    table = page.get_by_test_id("lpc-readings")
    names = table.locator("tbody tr")
    names.nth(15).wait_for()
    before = names.count()
    assert before > 15
    page.get_by_test_id("lpc-sort-value").click()
    head = table.locator("th.lpc-col-value")
    assert head.get_attribute("aria-sort") == "ascending"
    first = names.first.get_attribute("data-testid")
    page.get_by_test_id("lpc-sort-value").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert names.last.get_attribute("data-testid") == first
    assert names.count() == before
    page.get_by_test_id("lpc-reading-info-separation_ratio").click()
    assert METRICS["separation_ratio"].formula in page.locator(".lpc-metric-popover:visible").text_content()
    page.keyboard.press("Escape")


def zoom(page, path):
    """From the whole view down to single float32 steps, by button, by key, at another moment, of another class."""
    whole = scope(page, lambda s: s["moments"] == 40 and s["t"] == 39)
    assert {"A", "B", "C", "D", "class mean"} <= set(whole["traces"])
    page.get_by_test_id("lpc-scope-fit").click()
    fitted = scope(page, lambda s: s["zoom"] > 0)
    assert fitted["half"] < whole["half"]
    page.get_by_test_id("lpc-scope-deepest").click()
    deep = scope(page, lambda s: s["zoom"] == s["last"] and "one float32 step" in s["traces"])
    assert 4 * deep["step"] <= deep["half"] < 5 * deep["step"]
    assert "float32 steps" in page.get_by_test_id("lpc-card-caption-cloud").text_content()
    lens = page.get_by_test_id("lpc-scope-zoom")
    lens.focus()
    page.keyboard.press("Home")
    scope(page, lambda s: s["zoom"] == 0)
    page.keyboard.press("ArrowRight")
    scope(page, lambda s: s["zoom"] == 1)
    page.get_by_test_id("lpc-scope-time").focus()
    page.keyboard.press("Home")
    scope(page, lambda s: s["t"] == 0)
    page.get_by_test_id("lpc-scope-class").select_option(label="C")
    other = scope(page, lambda s: s["c"] == 2 and "samples of class C" in s["sentence"])
    assert "samples of class C" in other["sentence"]
    header, *lines = csv.reader(io.StringIO(saved(page, "distances", "csv", path).decode()))
    assert header == ["sample", "distance"]
    assert f"Half of the {len(lines)} samples" in other["sentence"]


OFF = """() => [...document.querySelectorAll('[data-testid=lpc-card-nc1] .js-plotly-plot')]
  .map(({data, _fullLayout}) => [data.findIndex((one) => one.visible === 'legendonly'), _fullLayout.xaxis.range])[0]
  ?? null"""


def its_link_opens_the_same_moment(page, lab):
    """The run, its moment and class under the microscope, the table's order, a line switched off, a chart zoomed in."""
    chart = page.get_by_test_id("lpc-card-nc1")
    chart.locator(".legendtoggle").first.click()
    ask_until(page, lambda: page.evaluate(OFF), lambda seen: seen[0] >= 0)  # Plotly waits for a second click first
    box = resting_box(page, chart.locator(".nsewdrag").first)
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=6)
    page.mouse.up()
    off, ends = ask_until(page, lambda: page.evaluate(OFF), lambda seen: seen[0] >= 0 and seen[1][1] < 350)
    before = scope(page, lambda s: s["c"] == 2)
    said = open_own_link(page, lab, most=300)
    assert {"class=2", "lens=1", "at=0", "sort=-value", f"lines=nc1.{off}", "steps=400"} <= said
    scope(page, lambda s: (s["c"], s["zoom"], s["t"], s["sentence"]) == (2, 1, 0, before["sentence"]))
    again = ask_until(page, lambda: page.evaluate(OFF), lambda seen: seen[0] == off and seen[1][1] < 350)
    assert again[1] == pytest.approx(ends, rel=1e-3)
    page.locator("th.lpc-col-value[aria-sort=descending]").wait_for()
    page.get_by_text("Measured at 40 moments").wait_for()


def shrink(page):
    """The same page on a phone: one column, nothing to scroll sideways, thumbs find the buttons."""
    page.set_viewport_size({"width": 390, "height": 844})
    cards = """() => [...document.querySelectorAll('.lpc-card, .lpc-readings, .lpc-scope')]
        .map((card) => card.getBoundingClientRect()).map(({left, right}) => [left, right])"""
    edges = ask_until(page, lambda: page.evaluate(cards), lambda found: all(right <= 390 for _, right in found))
    assert len(edges) > 10
    assert all(0 <= left < right for left, right in edges)
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollWidth <= 390")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page.get_by_test_id("lpc-card-save-nc1").bounding_box()["width"] >= 40
    plot = page.locator("[data-testid=lpc-card-nc1] .main-svg").first
    ask_until(page, plot.bounding_box, lambda box: box["x"] + box["width"] <= 390)
    page.screenshot(path=SHOTS / "metrics-390.png")


def test_a_comparison_gives_its_points_one_by_one_and_keeps_them_when_cancelled(lab, open_page):
    page = open_page(f"{lab.url}/metrics?{RUN.replace('steps=400', 'steps=10000', 1)}")
    page.get_by_role("button", name="Compare many runs").click()
    known, paper = "smallest known perturbation", "paper's DeepFool mean"
    drawn = points(page, "separation", lambda drawn: drawn.get(known, 0) > 0)
    assert drawn[paper] == drawn[known]
    page.locator(".st-key-sweep_row").get_by_role("button", name="Cancel").click()
    page.get_by_text("Stopped early, after").wait_for()
    points(page, "separation", lambda now: now[known] >= drawn[known])
