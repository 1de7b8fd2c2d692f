"""The lab in the distribution's Firefox: every page comes alive, γ can be dragged, the console stays clean."""

import pytest
from driving import ask_until, wait_until
from firefox import Firefox, find_firefox

from app.views import views

pytestmark = pytest.mark.browser
ALIVE = {  # of the pages whose life is not a stage's: what is there once they are
    "home": "lpc-film", "film": "stButton", "learn": "stMain", "metrics": "stButton", "inspect": "stFileUploader",
    "experiments": "stRadio", "room": "stTextInput"}
RAIL = """() => { const b = document.querySelector('[data-testid=lpc-gamma] .lpc-rail').getBoundingClientRect();
  return [b.left, b.top + b.height / 2, b.width, Number(document.querySelector('[data-testid=lpc-gamma]')
    .getAttribute('aria-valuenow'))]; }"""


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    path = find_firefox()
    if path is None:
        pytest.skip("no Firefox found; install one with `apt-get install firefox-esr` and run `make test` again")
    browser = Firefox(path, str(tmp_path_factory.mktemp("profile")))
    yield browser
    browser.close()


@pytest.fixture
def page(firefox):
    """A tab whose console has nothing to complain of by the end."""
    firefox.fresh()
    yield firefox
    assert [text for level, text in firefox.said if level in {"error", "warn"}] == []


@pytest.mark.parametrize("name", [name for name, _ in views()])
def test_every_page_comes_alive(lab, page, name):
    page.goto(f"{lab.url}/{'' if name == 'home' else name}")
    if name in ALIVE:
        there = f"() => document.querySelector('[data-testid={ALIVE[name]}]') !== null"
        ask_until(page, lambda: page.evaluate(there), bool)
    else:
        wait_until(page, lambda s: s["step"] > 20)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth + 1")


def test_gamma_is_dragged(lab, page):
    page.goto(f"{lab.url}/play")
    wait_until(page, lambda s: s["step"] > 50)
    left, y, width, here = page.evaluate(RAIL)
    page.drag((left + width * (here + 4) / 10, y), (left + width * 0.5, y))
    state = wait_until(page, lambda s: s["mode"] == "hand" and s["gamma"] > 1)
    wait_until(page, lambda s: s["radius"] < 0.9 * state["radius"])
