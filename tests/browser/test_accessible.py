"""Every page under axe-core in both themes, its console, and what a keyboard, a finger and a small screen meet."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from driving import ask_until, paint, screens, stage_state, themes, wait_until

from app.lessons import lessons

pytestmark = pytest.mark.browser

SMALL = "samples=300&test_samples=100&steps=60&ramp_steps=50"  # Metrics begins a study of its run at once
PAGES = ("", "play", "learn", "film", "compare", f"metrics?{SMALL}", "inspect", "experiments", "room")
# Two thirds of what is on a page with some, looked at on the pages above: whatever is left out, axe goes through it.
WITHOUT_CHARTS = """() => {
  globalThis.charts = [...document.querySelectorAll(".js-plotly-plot .svg-container")]
    .map((chart) => [chart, document.createComment("")]);
  for (const [chart, place] of charts) chart.replaceWith(place);
}"""
WITH_CHARTS = "() => { for (const [chart, place] of charts) place.replaceWith(chart); }"
SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
              && document.querySelector('h1') && !document.querySelector('.lpc-unstyled')"""


def settled(page):
    ask_until(page, lambda: page.evaluate(SETTLED), bool)


def violations(page, scheme="light"):
    """What axe finds; in the dark the page is the same but for its colours."""
    colours = {"runOnly": {"type": "rule", "values": ["color-contrast"]}} if scheme == "dark" else {}
    found = Axe().run(page, options={"resultTypes": ["violations"]} | colours).response["violations"]
    return [(one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3]) for one in found]


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_in_either_theme_and_the_console_is_clean(lab, new_tab, path):
    """No violation of any impact, no 404, no warning of the browser."""
    page, said = new_tab(still=True), []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("response", lambda answer: answer.status >= 400 and said.append(f"{answer.status} {answer.url}"))
    page.goto(f"{lab.url}/{path}")
    settled(page)
    if path == "film":
        page.get_by_text("The paper's Figure 1: four").first.click()
    if path in ("play", "compare", "film"):
        page.locator(".js-plotly-plot").first.wait_for()
        settled(page)
    for scheme in themes(page):
        ask_until(page, lambda scheme=scheme: violations(page, scheme), lambda found: not found)
    assert [line for line in said if not line.startswith(("log: ", "debug: ", "info: "))] == []


# What a projector shows: the heights of page and window; each plot's, and how far it sticks out of its panel.
SHOWN = """() => [document.documentElement.scrollHeight, innerHeight,
  [...document.querySelectorAll('.lpc-plot')].map((plot) => [plot.getBoundingClientRect().height,
    plot.getBoundingClientRect().bottom - plot.closest('.lpc-panel').getBoundingClientRect().bottom])]"""


def test_axe_finds_nothing_in_a_lesson_and_a_projector_shows_its_pictures(lab, open_page, subtests):
    """In one tab, as a learner goes from lesson to lesson, every second one in the dark."""
    page = open_page(f"{lab.url}/learn", width=1024, height=768, still=True)
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    for place, (name, lesson) in enumerate(lessons().items()):
        with subtests.test(name):
            paint(page, ("light", "dark")[place % 2])
            page.get_by_role("button", name=lesson.title).click()
            page.mouse.move(0, 0)  # what it comes to lie over may have a tip, which is drawn outside all landmarks
            wait_until(page, lambda s, name=name: s["lesson"] == name)
            page.locator(".js-plotly-plot").first.wait_for()
            settled(page)
            page.evaluate(WITHOUT_CHARTS)
            ask_until(page, lambda: violations(page), lambda found: not found)
            page.evaluate(WITH_CHARTS)
            page.get_by_test_id("lpc-present").click()
            ask_until(page, lambda: page.evaluate(SHOWN), lambda shown: shown[0] <= shown[1] and shown[2] and all(
                height > 120 and below <= 0 for height, below in shown[2]))
            page.get_by_test_id("lpc-present").click()
            page.get_by_role("button", name="All lessons").click()
    assert said == []


def test_in_german_the_document_says_so_and_fits_a_phone(lab, open_page):
    page = open_page(f"{lab.url}/play?lang=de", still=True)
    wait_until(page, lambda s: s["state"] == "paused")
    assert page.locator("html").get_attribute("lang") == "de"
    page.get_by_test_id("lpc-curves").locator(".lpc-curve-axis", has_text="Schritt").first.wait_for()
    page.get_by_role("button", name="Raum", exact=True).click()
    page.get_by_role("button", name="Raum öffnen").wait_for()
    for _ in screens(page, "german", (390, 860)):
        ask_until(page, lambda: violations(page), lambda found: not found)


def test_whoever_wants_less_motion_starts_paused_and_whoever_reloads_is_told(lab, open_page):
    page = open_page(f"{lab.url}/play", still=True)
    still = wait_until(page, lambda s: s["state"] == "paused")
    page.get_by_text("this device asks for less motion").wait_for()
    assert stage_state(page)["step"] >= still["step"]
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    page.get_by_text("reloading a page begins its run anew").wait_for()


OUTLINED = """() => [document.activeElement.dataset.testid, getComputedStyle(document.activeElement).outlineStyle]"""
BOXES = "(ids) => ids.map((id) => document.querySelector(`[data-testid=${id}]`).getBoundingClientRect())"
COVERED = """() => [...document.querySelectorAll('[data-testid=stTopNavLink], [data-testid=stPageLink-NavLink]')]
  .filter((link) => !link.closest('[aria-hidden=true]')) // those that Streamlit has folded
  .map((link) => [link, link.getBoundingClientRect()])
  .filter(([, at]) => at.width > 0 && at.x >= 0 && at.right <= innerWidth)
  .filter(([link, at]) => !link.contains(document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2)))
  .map(([link]) => link.textContent)"""


def test_on_small_screens_gamma_stays_by_the_points_a_finger_scrolls_and_links_are_in_sight(lab, open_page, profile):
    page = open_page(f"{lab.url}/play", 640, 400)  # 1280 x 800 at 200 %
    wait_until(page, lambda s: s["step"] > 20)
    page.get_by_test_id("lpc-present").wait_for()
    page.get_by_test_id("lpc-play").click()
    page.get_by_test_id("lpc-plot").evaluate("(plot) => plot.scrollIntoView({block: 'end'})")
    gamma, plot = ask_until(page, lambda: page.evaluate(BOXES, ["lpc-gamma", "lpc-plot"]),
                            lambda boxes: boxes[0]["y"] >= 0 and boxes[1]["bottom"] <= 401)
    assert gamma["bottom"] <= plot["y"] + 60 < plot["bottom"] - 100  # the points are seen under the slider
    page.get_by_test_id("stMain").evaluate("(main) => main.scrollTo(0, 0)")
    for width in (1024, 820, 390):
        page.set_viewport_size({"width": width, "height": 844})
        links = page.get_by_test_id("stPageLink-NavLink" if width == 390 else "stTopNavLink")
        links.filter(has_text="Compare").wait_for()
        ask_until(page, lambda: page.evaluate(COVERED), lambda covered: not covered)  # no button lies over one
    before, _, _ = ask_until(page, lambda: (stage_state(page)["range"], page.wait_for_timeout(300),
                                            stage_state(page)["range"]), lambda seen: seen[0] == seen[2] is not None)
    finger(profile.new_cdp_session(page), page.get_by_test_id("lpc-plot").bounding_box())
    ask_until(page, lambda: page.get_by_test_id("stMain").evaluate("(main) => main.scrollTop"), lambda top: top > 50)
    assert stage_state(page)["range"] == before
    links.filter(has_text="Compare").click()
    page.wait_for_url("**/compare?*")
    page.goto(f"{lab.url}/room")
    last = ask_until(page, links.filter(has_text="Room").bounding_box, lambda box: box["x"] + box["width"] <= 390)
    assert last["x"] > 200  # of a row that is wider than a phone


def finger(session, box):
    """Draw a finger up over what is in ``box``."""
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for i in range(15):
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2 - 10 * i}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": [at]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_at_rest_every_number_is_of_the_moment_drawn(lab, open_page):
    """Paused and stepped: header, legends and the drawn radius are one measurement."""
    page = open_page(f"{lab.url}/play?gamma_start=1&gamma_end=100000&ramp_steps=2000")
    wait_until(page, lambda s: s["step"] > 300)
    page.get_by_test_id("lpc-play").click()
    for _ in range(3):
        rest = wait_until(page, lambda s: s["state"] == "paused" and s["said"]["step"] == s["step"])
        ask_until(page, lambda rest=rest: stage_state(page)["radius"] == pytest.approx(rest["said"]["radius"]), bool)
        right = rest["said"]["metrics"]["train_accuracy"]
        accuracy = page.evaluate("(share) => `${(100 * share).toFixed(1)} %`", right)  # Python rounds 98.25 down
        assert page.get_by_test_id("lpc-train-value").inner_text() == accuracy
        shown = page.get_by_test_id("lpc-curves").locator(".lpc-curve-values b").all_inner_texts()
        assert accuracy in shown
        page.get_by_test_id("lpc-step").click()
        wait_until(page, lambda s, step=rest["step"]: s["step"] > step)
    the_picture_says_what_is_in_it_and_a_link_leads_past_the_form(page)


def the_picture_says_what_is_in_it_and_a_link_leads_past_the_form(page):
    rest = wait_until(page, lambda s: s["state"] == "paused" and s["said"]["step"] == s["step"])
    told = page.get_by_test_id("lpc-picture").get_attribute("aria-label")
    assert told.startswith("Hypercube Gaussians: ")
    assert f"at step {rest['step']:,}; radius" in told
    assert "spread within a class" in told
    assert page.get_by_test_id("lpc-data-name").inner_text() == "Hypercube Gaussians"
    assert page.get_by_test_id("lpc-step-value").inner_text() == f"{rest['step']:,}"
    page.get_by_test_id("lpc-present").wait_for()
    page.get_by_test_id("stSkipToContent").focus()
    page.keyboard.press("Enter")
    focused = []
    for _ in range(3):
        page.keyboard.press("Tab")
        focused.append(page.evaluate("() => document.activeElement.dataset.testid"))
    assert focused == ["lpc-present", "lpc-room", "lpc-play"]
    page.get_by_test_id("stTopNavLink").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate(OUTLINED) == ["stTopNavLink", "solid"]
    assert page.evaluate("() => [...document.querySelectorAll('[data-testid=stIconMaterial]')]"
                         ".every((icon) => icon.getAttribute('aria-hidden'))")


def test_the_picture_fits_the_screen_and_curves_begin_on_it(lab, open_page):
    page = open_page(f"{lab.url}/play", 1024, 768)
    wait_until(page, lambda s: s["step"] > 50)
    parts = [page.get_by_test_id(name) for name in ("lpc-plot", "lpc-curves")]
    for width, height in ((1024, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        ask_until(page, lambda: [part.bounding_box() for part in parts],
                  lambda boxes, width=width, height=height: fits(*boxes, width, height))


def fits(plot, curves, width, height):
    return (plot["y"] + plot["height"] <= height and curves["y"] < height - 80
            and curves["x"] + curves["width"] > width - 40)  # nothing stays empty at the right


def test_back_from_a_comparison_play_s_address_is_its_own(lab, open_page):
    page = open_page(f"{lab.url}/play")
    page.wait_for_url("**/play?*dataset=hypercube*")
    page.get_by_role("link", name="Compare").click()
    page.wait_for_url("**/compare?*comparison=penalty*")
    settled(page)
    ask_until(page, lambda: "/play" in page.url or (page.go_back(), settled(page), "/play" in page.url)[-1], bool)
    ask_until(page, lambda: page.url, lambda url: "dataset=hypercube" in url and "comparison=" not in url)
