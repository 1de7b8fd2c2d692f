"""The film as a person meets it: recorded with one press, scrubbed both ways, saved, opened, taken home."""

import pytest
from driving import SHOTS, ask_until, open_own_link, resting_box, screens

from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser

STATE = "() => document.querySelector('[data-testid=lpc-film]')?.lpcFilm?.state() ?? null"
SMALL_RUN = "samples=1000&test_samples=200&batch_size=64"


def film_state(page):
    return page.evaluate(STATE)


def wait_for_film(page, condition):
    return ask_until(page, lambda: film_state(page),
                     lambda state: state["drawnRadius"] and state["curves"] and condition(state))


def type_into(page, label, text):
    box = page.get_by_label(label, exact=True).first
    box.fill(text)
    box.press("Enter")
    page.wait_for_timeout(600)


@pytest.fixture(scope="module")
def film_file(tmp_path_factory):
    from lpc_core.config import unflatten
    from lpc_core.film import parse_gammas, save_film
    from lpc_core.film.record import record

    path = tmp_path_factory.mktemp("film") / "a.film.safetensors"
    config = unflatten({"steps": 300, "ramp_steps": 200, "batch_size": 64, "samples": 2_000, "test_samples": 300})
    save_film(record(config, parse_gammas("1e-3:1e3:7"), 12, 300, device="cpu"), path)
    return path


def drag(page, testid, share):
    """Drag a slider's thumb to a share of its rail, in small moves as a hand does."""
    box = resting_box(page, page.locator(f"[data-testid={testid}] .lpc-rail"))
    here = page.locator(f"[data-testid={testid}] .lpc-thumb-knob").bounding_box()
    page.mouse.move(here["x"] + here["width"] / 2, here["y"] + here["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + share * box["width"], here["y"] + here["height"] / 2, steps=10)
    page.mouse.up()


def scrub(page):
    """Both sliders move what is drawn: the shell shrinks with γ, and time goes back to the start."""
    drag(page, "lpc-film-time", 1)
    drag(page, "lpc-film-gamma", 0)
    rails = page.locator(".lpc-rail").all()
    places = [rail.bounding_box() for rail in rails]
    weak = wait_for_film(page, lambda s: s["g"] == 0 and s["t"] == s["T"] - 1
                         and s["drawnRadius"] == pytest.approx(s["radius"], rel=1e-3))
    drag(page, "lpc-film-gamma", 0.5)
    strong = wait_for_film(page, lambda s: s["g"] == s["G"] // 2
                           and s["drawnRadius"] == pytest.approx(s["radius"], rel=1e-3))
    assert strong["gamma"] > 50 * weak["gamma"]
    assert strong["drawnRadius"] < weak["drawnRadius"] / 2
    drag(page, "lpc-film-time", 0)
    start = wait_for_film(page, lambda s: s["t"] == 0 and s["drawnStep"] == 0)
    assert "before training" in start["sentence"]
    now, ends = (page.get_by_test_id(f"lpc-film-{name}").inner_text() for name in ("now", "gamma-value"))
    assert float(now) < float(ends)  # the moment's γ is named as such, and so is the one that the ramp goes to
    assert [rail.bounding_box() for rail in rails] == places  # no number beside them moves them
    return strong


def open_film(page, path):
    page.locator("input[type=file]").set_input_files(str(path))
    return wait_for_film(page, lambda s: True)


def test_a_film_is_recorded_with_one_press_saved_and_exported(lab, open_page, chromium, tmp_path):
    page = open_page(f"{lab.url}/film?{SMALL_RUN}")
    page.get_by_role("button", name="Record the film").wait_for()
    type_into(page, "γ of the runs", "1e-2:1e2:5")
    type_into(page, "Steps", "200")
    page.get_by_role("button", name="Record the film").click()
    state = wait_for_film(page, lambda s: True)
    assert (state["G"], state["T"], state["n"]) == (5, 60, 1_000)
    scrub(page)
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "film.png")
    with page.expect_download() as saved:
        page.get_by_test_id("lpc-film-save").click()
    saved.value.save_as(tmp_path / "a.film.safetensors")
    with page.expect_download() as exported:
        page.get_by_test_id("lpc-film-export").click()
    exported.value.save_as(tmp_path / "a.html")
    other = open_page(f"{lab.url}/film")
    assert open_film(other, tmp_path / "a.film.safetensors")["G"] == 5
    play_offline(chromium, tmp_path / "a.html")


def play_offline(chromium, path):
    """The page alone, with no network at all: it plays, and asks for nothing."""
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 860})
    context.set_default_timeout(1_000 * PATIENCE_S)
    page, asked, errors = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    scrub(page)
    context.close()
    assert not errors, errors
    assert all(url.startswith(("file:", "blob:", "data:")) for url in asked), asked


def test_keyboard_play_and_curves_move_the_film(lab, open_page, film_file, tmp_path):
    page = open_page(f"{lab.url}/film")
    page.get_by_role("button", name="Record the film").wait_for()
    first = open_film(page, film_file)
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("ArrowLeft")
    wait_for_film(page, lambda s: s["g"] == first["g"] - 1)
    page.keyboard.press("Shift+ArrowLeft")
    wait_for_film(page, lambda s: s["t"] == first["t"] - 1)
    page.get_by_test_id("lpc-film-gamma").focus()
    page.keyboard.press("Home")
    wait_for_film(page, lambda s: s["g"] == 0)
    page.get_by_test_id("lpc-film-time").focus()
    page.keyboard.press("Home")
    wait_for_film(page, lambda s: s["t"] == 0)
    page.keyboard.press("Space")
    wait_for_film(page, lambda s: s["playing"] and s["t"] > 2)
    wait_for_film(page, lambda s: not s["playing"] and s["t"] == s["T"] - 1)
    lines = page.get_by_test_id("lpc-film-lines")
    box = lines.bounding_box()
    lines.click(position={"x": 0.35 * box["width"], "y": 0.2 * box["height"]})
    wait_for_film(page, lambda s: s["g"] > 1)
    assert page.get_by_test_id("lpc-film-gamma").get_attribute("aria-valuetext").startswith("γ = ")
    an_edited_film_is_refused_and_the_one_before_stays(page, film_file, tmp_path)
    its_link_opens_the_same_moment(page, lab)


def its_link_opens_the_same_moment(page, lab):
    """Of a film that comes with the lab: the run, the frame, the curves, the classes."""
    page.goto(f"{lab.url}/film?film=figure-1&hand=0.1&at=300&curves=losses,nc1,radius,accuracies&only=1,3&zoom=2,1,0")
    before = wait_for_film(page, lambda s: s["gamma"] == pytest.approx(0.1, rel=0.01))
    assert abs(before["step"] - 300) < 30
    assert not before["playing"]
    page.get_by_test_id("lpc-film-time").focus()
    page.keyboard.press("ArrowRight")
    before = wait_for_film(page, lambda s: s["t"] == before["t"] + 1 and f"step {s['step']}:" in s["sentence"])
    said = open_own_link(page, lab)
    assert said == {"film=figure-1", "hand=0.1", f"at={before['step']}", "curves=losses,nc1,radius,accuracies",
                    "only=1,3", "zoom=2,1,0"}
    wait_for_film(page, lambda s: all(s[name] == before[name] for name in ("g", "t", "sentence")))
    assert page.get_by_test_id("lpc-curve-pick-0").input_value() == "losses"


def an_edited_film_is_refused_and_the_one_before_stays(page, film_file, folder):
    raw = bytearray(film_file.read_bytes())
    raw[-1] ^= 1
    (folder / "bad.safetensors").write_bytes(raw)
    page.locator("input[type=file]").set_input_files(folder / "bad.safetensors")
    page.get_by_text("this film was changed or damaged").wait_for()
    assert wait_for_film(page, lambda s: True)["G"] == 7


def test_it_fits_small_screens_and_the_dark(new_tab, film_file, tmp_path):
    from app.looks.film_export import export

    export(film_file, tmp_path / "film.html")
    page = new_tab()
    page.goto((tmp_path / "film.html").as_uri())
    wait_for_film(page, lambda s: True)
    for _ in screens(page, "film-file", (1280, 844), (390, 844)):
        assert page.get_by_test_id("lpc-film-gamma").bounding_box()["width"] > 150
