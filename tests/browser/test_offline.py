"""The file that trains without a server: opened from a disk in a real Chromium that has no network."""

from pathlib import Path

import pytest
from conftest import SLOW_DISPLAY
from driving import drag_gamma, screens, stage_state, wait_until

from app.lessons import lessons
from app.offline.page import ABOUT, offline_page
from lpc_core.parsing import parse_run
from lpc_core.run_group import alone
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser
LIMIT = 8_000_000  # bytes


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """A short lesson, whose words would end the page if they were taken for markup."""
    path = tmp_path_factory.mktemp("offline") / "lesson.html"
    run = parse_run({"samples": "1000", "test_samples": "500", "batch_size": "64", "lr": "0.003", "head_lr": "0.005",
                     "lr_schedule": "constant", "steps": "1000000", "gamma_schedule": "constant",
                     "gamma_end": "0.001"}, "cpu")
    words = "Push & <b>pull</b>", "Drag γ.</script><script>throw 1</script>"
    path.write_text(offline_page(alone(run), words), "utf-8")
    return path


@pytest.fixture
def opened(chromium, lesson):
    """``opened()`` → the page, or that at a path, with no network; what it asks for or complains of fails the test."""
    contexts, asked, errors = [], [], []

    def make(path=lesson):
        context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 860})
        contexts.append(context)
        context.set_default_timeout(1_000 * PATIENCE_S)
        context.add_init_script(SLOW_DISPLAY)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri())
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors, errors
    assert all(url.startswith(("file:", "blob:", "data:")) for url in asked), asked


def test_the_default_run_fits_into_a_small_file():
    assert len(offline_page(alone(parse_run({}, "cpu"))).encode()) <= LIMIT


def test_with_the_network_blocked_gamma_is_dragged_and_the_classes_collapse(opened):
    page = opened()
    assert page.title() == "Push & <b>pull</b>"
    assert page.get_by_text("Drag γ.</script>").is_visible()
    assert page.get_by_text(ABOUT).is_visible()
    page.get_by_test_id("lpc-speed").select_option("0")
    weak = wait_until(page, lambda s: s["metrics"].get("train_accuracy", 0) > 0.99)
    rail = page.locator("[data-testid=lpc-gamma] .lpc-rail")
    place = rail.bounding_box()
    drag_gamma(page, 1.0)
    assert rail.bounding_box() == place  # a wider number beside it moves nothing under the hand
    strong = wait_until(page, lambda s: s["mode"] == "hand" and s["metrics"]["within_class_spread"] < 0.05)["metrics"]
    assert strong["norm_mean"] < weak["metrics"]["norm_mean"]
    assert strong["train_accuracy"] > 0.99
    assert strong["radius_error"] < 0.1
    page.keyboard.press("Space")
    still = wait_until(page, lambda s: s["state"] == "paused")
    page.keyboard.press(".")
    wait_until(page, lambda s: s["state"] == "paused" and s["step"] == still["step"] + 1)
    assert saved(page, "nodes", "svg").startswith("<svg")
    assert len(saved(page, "latents", "csv").splitlines()) == 1 + 1000
    assert saved(page, "curves", "csv").splitlines()[1].startswith("0,0.001,")
    page.get_by_test_id("lpc-reset").click()
    wait_until(page, lambda s: s["run"] == 2 and s["state"] == "running")


def saved(page, panel, form):
    """What the menu of a panel hands out."""
    page.get_by_test_id(f"lpc-save-{panel}").click()
    with page.expect_download() as download:
        page.get_by_test_id(f"lpc-save-{panel}-{form}").click()
    return Path(download.value.path()).read_text("utf-8")


def test_it_fits_small_screens_and_the_dark(opened):
    page = opened()
    wait_until(page, lambda s: s["step"] > 0 and s["points"] > 1)
    for scheme in screens(page, "offline", (1280, 860), (390, 844)):
        assert stage_state(page)["dark"] is (scheme == "dark")


def test_a_lesson_that_compares_runs_is_learnt_without_a_server(opened, tmp_path):
    path = tmp_path / "optimizer.html"
    work, steps = lessons()["optimizer"].work(), lessons()["optimizer"].steps  # whose checks hold to the end, once met
    path.write_text(offline_page(work, lesson="optimizer"), "utf-8")
    assert path.stat().st_size <= LIMIT
    page = opened(path)
    page.get_by_test_id("lpc-speed").select_option("0")
    for i, step in enumerate(steps):
        page.get_by_role("heading", name=step.title).wait_for()
        wait_until(page, lambda s, i=i: s["index"] == i and s["ticked"])
        if i + 1 < len(steps):
            page.get_by_test_id("lpc-step-next").click()
    assert all(page.get_by_text(title, exact=True).first.is_visible() for title in work.titles)
