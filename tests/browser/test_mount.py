"""How a part of a page gets its data when the browser is too busy to load in order."""

import pytest

from app.parts._mount import _LOADER

pytestmark = pytest.mark.browser

PART = """export default ({data, parentElement: {lpcGot}}) => {
  lpcGot.push(data.n);
  return () => lpcGot.push(-data.n);
};"""
LATEST = "([...new Set(window.lpcHost.lpcGot)]).join()"
CALL = """async ([loader, n, stage]) => {
  const { default: call } = await import(URL.createObjectURL(new Blob([loader], {type: "text/javascript"})));
  const host = window.lpcHost ??= Object.assign(document.createElement("div"), {lpcGot: []});
  (window.lpcStops ??= {})[n] = call({data: {n, stage}, parentElement: host});
}"""


@pytest.fixture
def call(lab, new_tab):
    """``call(n, held=…)`` → data ``n`` are given; a held one loads when ``call.free()``."""
    page, waiting = new_tab(), []
    answer = {"body": PART, "content_type": "text/javascript"}

    def hold(route):
        waiting.append(route)

    page.route("**/lab/static/held/*.js", hold)
    page.route("**/lab/static/quick/*.js", lambda route: route.fulfill(**answer))
    page.goto(f"{lab.url}/lab/health")

    def give(n, held=False):
        page.evaluate(CALL, [_LOADER, n, f"{lab.url}/lab/static/{'held' if held else 'quick'}/{n}.js"])

    def free():
        while not waiting:
            page.wait_for_timeout(20)
        waiting.pop().fulfill(**answer)
        page.evaluate("(name) => import(name)", f"{lab.url}/lab/static/quick/rest.js")

    give.free = free
    give.stop = lambda n: page.evaluate("(n) => window.lpcStops[n]()", n)
    give.until = lambda got: page.wait_for_function(f"() => {LATEST} === '{got}'")
    return give


def test_older_data_that_load_last_are_left_out(call):
    call(1, held=True)
    call(2)
    call.until("2")
    call.free()
    call(3)
    call.until("2,3")
    call.stop(3)
    call.until("2,3,-3")


def test_a_late_call_that_is_taken_back_leaves_the_newer_data(call):
    call(2, held=True)
    call(1, held=True)
    call.stop(1)  # Streamlit called it late, and says so
    call.free()
    call.free()
    call.until("2")
