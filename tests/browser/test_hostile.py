"""Every page in a real browser with what a stranger may put into a link or a file's name; and a page with a flaw."""

import shutil

import numpy as np
import pytest
from conftest import ROOT, Lab, only_local, tabs
from driving import ask_until, wait_until

from app.views import views
from app.views._form import fields

pytestmark = pytest.mark.browser

MARK = "evil.example"
HOSTILE = ("[Sign in](https://evil.example/in) <img src=https://evil.example/x.png onerror=alert(1)> "
           "<script>document.title='evil.example'</script> ![x](https://evil.example/y.png) $x$ :red[www.evil.example]")
TRACES = f"""() => [...document.querySelectorAll("a[href], img[src], iframe, script[src], link[href]")]
  .map((e) => e.href || e.src).filter((at) => at && at.includes("{MARK}") && !at.startsWith(location.origin))
  .concat(document.title.includes("{MARK}") ? [document.title] : [])"""
FLAW = '''"""A page with a flaw."""

from app.views import View


def render() -> None:
    raise RuntimeError("/home/somebody/secret.py")


VIEW = View("Flaw", 99, render)
'''


ELSEWHERE = ["http://evil.example/x.png", "http://localhost:9/x.png", "https://192.0.2.1/x.png"]


def test_a_tab_that_asks_for_anything_elsewhere_is_found_out(profile):
    """What every test with a page goes by: nothing comes from another machine, by name or by number."""
    errors = []
    with tabs(profile) as new:
        page = new()
        only_local(page, errors)
        page.set_content("".join(f'<img src="{at}">' for at in (*ELSEWHERE, "http://127.0.0.1:9/x.png")))
        ask_until(page, lambda: errors, lambda found: len(found) >= len(ELSEWHERE))
    assert sorted(errors) == [f"the page asked for {at}" for at in ELSEWHERE]


def link(page):
    """The address of a page with a hostile text in every parameter that one can have, and in one of no name."""
    from urllib.parse import urlencode

    names = [*fields(), "comparison", "gammas", "frames", "points", "sample", "study", "view", "lesson", "step", "at",
             "hand", "code", HOSTILE]
    return f"/{'' if page == 'home' else page}?{urlencode(dict.fromkeys(names, HOSTILE))}"


@pytest.mark.parametrize("name", [name for name, _ in views()])
def test_a_link_writes_nothing_on_a_page_but_its_text(lab, open_page, name):
    page = open_page(lab.url + link(name))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.get_by_role("heading").or_(page.get_by_test_id("stAlert")).first.wait_for()
    if name in {"play", "compare"}:
        wait_until(page, lambda s: s["step"] > 0)  # whatever the link says, the lab is alive
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(state="attached")
    assert page.evaluate(TRACES) == []
    assert "Traceback" not in page.inner_text("body")


def test_a_file_writes_nothing_on_a_page_but_its_text(lab, open_page, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "<img src=x onerror=alert(1)> [in](https:evil.example).npz"
    labels = np.array([HOSTILE, HOSTILE[::-1]])[np.arange(40) % 2]
    np.savez(path, latents=rng.normal(size=(40, 2)), labels=labels)
    page = open_page(f"{lab.url}/inspect")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.locator("[data-testid=stFileUploaderDropzone] input[type=file]").first.set_input_files(path)
    page.get_by_test_id("lpc-cloud").first.wait_for()
    assert page.evaluate(TRACES) == []
    assert page.locator("img[onerror]").count() == 0


@pytest.fixture(scope="module")
def flawed(tmp_path_factory):
    """A lab with a page more, which fails."""
    copy = tmp_path_factory.mktemp("flawed")
    shutil.copytree(ROOT / "app", copy / "app", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("lpc_core", "assets"):
        (copy / name).symlink_to(ROOT / name)
    (copy / "app" / "views" / "flaw.py").write_text(FLAW)
    running = Lab(copy / "log.txt", root=copy, LPC_SPARE="0")
    try:
        yield running.wait()
    finally:
        running.stop()


def test_a_flaw_is_said_in_one_plain_sentence_and_goes_to_the_log_whole(flawed, open_page):
    page = open_page(f"{flawed.url}/flaw")
    page.get_by_test_id("stAlert").get_by_text("Something went wrong on the server").wait_for()
    text = page.inner_text("body")
    for leak in ("secret", "Traceback", "RuntimeError", ".py"):
        assert leak not in text
    assert "/home/somebody/secret.py" in flawed.log.read_text()
    page.get_by_role("link", name="Play").first.click()  # the others work
    wait_until(page, lambda s: s["step"] > 0)
