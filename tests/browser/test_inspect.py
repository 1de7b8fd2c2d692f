"""The inspection as a person meets it: files good, hostile and broken through the real page; points that answer."""

import base64
import contextlib
import json
import os
import zipfile

import numpy as np
import pytest
import torch
from driving import SHOTS, ask_until, open_own_link, resting_box, screens
from PIL import Image
from playwright.sync_api import TimeoutError

from app.looks import cloud as files
from app.looks.cloud_theory import predict_for
from tests.app._inspections import made

pytestmark = pytest.mark.browser

STATE = "() => document.querySelector('[data-testid=lpc-cloud]')?.lpcCloud?.state() ?? null"
SCRIPTS = ("<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "=cmd|'/c calc'!A0", "[x](javascript:alert(3))")


def cloud(page, fits=lambda state: True):
    """What the cloud draws, once it has drawn it and it ``fits``."""
    return ask_until(page, lambda: page.evaluate(STATE), lambda s: s["draws"] and not s["moving"] and fits(s))


def saved(path, **more):
    """An npz of embeddings."""
    found = made(**more).embeddings
    arrays = {"latents": found.latents, "labels": found.labels, "predictions": found.predictions,
              "weight": found.weight, "bias": found.bias, "class_names": np.array(found.class_names),
              "images": found.images, "texts": None if found.texts is None else np.array(found.texts)}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def start(lab, open_page, **size):
    page = open_page(f"{lab.url}/inspect", **size)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.dialogs = dialogs
    page.get_by_text("What do a network's latents look like?").wait_for()
    return page


def give(page, path):
    """Hand in a file by the drop zone of the empty page, or by the menu of a page that shows one."""
    menu = page.get_by_role("button", name="Open another")
    if menu.count():
        menu.click()
    page.locator("input[type=file]").first.set_input_files(str(path))


def drag(page, points):
    box = resting_box(page, page.get_by_test_id("lpc-cloud-surface"))
    at = [(box["x"] + x, box["y"] + y) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def around(cross, half=70):
    """A loop around a class."""
    x, y = cross
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    return [(x + half * a, y + half * b) for a, b in corners]


def crosses(page):
    """Where the predicted points are on the surface."""
    return page.evaluate("""() => { const {cloud, state} = document.querySelector('[data-testid=lpc-cloud]').lpcCloud;
        const {x, y} = cloud.camera.rect; return state().crosses.map(([a, b]) => [a + x, b + y]); }""")


def test_embeddings_are_drawn_chosen_listed_and_reported(lab, open_page, chromium, tmp_path):
    page = start(lab, open_page)
    give(page, saved(tmp_path / "mine.npz", n=800, images=True))
    state = cloud(page, lambda s: s["crosses"])
    assert (state["n"], state["d"], state["K"]) == (800, 2, 4)
    assert state["gamma"] == pytest.approx(0.5, rel=0.1)  # the best fit finds the γ the points were made for
    assert "samples are predicted right" in page.get_by_test_id("lpc-sentence").first.inner_text()
    slider_moves_the_crosses(page)
    lasso_lists(page)
    hover_and_keys(page)
    filters_and_shortcuts(page, state["wrong"])
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "inspect.png")
    report_opens_offline(page, chromium, tmp_path)


def slider_moves_the_crosses(page):
    before = crosses(page)
    page.get_by_test_id("lpc-cloud-gamma").focus()
    page.keyboard.press("Home")
    weak = cloud(page, lambda s: s["gamma"] < 1e-5)
    page.keyboard.press("End")
    strong = cloud(page, lambda s: s["gamma"] > 1e5)
    size = [np.ptp(np.array(state["crosses"]), axis=0).max() for state in (weak, strong)]
    assert size[0] > 10 * size[1]  # a strong γ draws all of them to the origin
    page.get_by_test_id("lpc-cloud-best").click()
    ask_until(page, lambda: crosses(page), lambda now: np.allclose(now, before, atol=1.5))


def lasso_lists(page):
    page.get_by_test_id("lpc-cloud-lasso").click()
    drag(page, around(crosses(page)[0]))
    chosen = cloud(page, lambda s: s["chosen"] > 0)["chosen"]
    assert 150 <= chosen <= 210  # a class has 200 samples, and its few strays lie elsewhere
    page.get_by_test_id("lpc-samples-note").get_by_text(f"{chosen} samples, mistakes first").wait_for()
    labels = page.get_by_test_id("lpc-samples-list").first.locator("strong").all_inner_texts()
    assert set(labels) == {"class 0"}, labels
    page.keyboard.down("Shift")
    drag(page, around(crosses(page)[2]))
    page.keyboard.up("Shift")
    assert cloud(page, lambda s: s["chosen"] > chosen)["chosen"] >= 2 * 150
    page.get_by_test_id("lpc-cloud-clear").click()
    cloud(page, lambda s: s["chosen"] == 0)
    page.get_by_role("heading", name="Most ambiguous", exact=True).wait_for()
    page.get_by_test_id("lpc-cloud-move").click()


def hover_and_keys(page):
    spot = page.evaluate("() => document.querySelector('[data-testid=lpc-cloud]').lpcCloud.cloud.picture.spotOf(5)")
    box = resting_box(page, page.get_by_test_id("lpc-cloud-surface"))
    page.mouse.move(box["x"] + spot[0], box["y"] + spot[1])
    tip = page.get_by_test_id("lpc-cloud-tip")
    tip.wait_for()
    assert "class 1" in tip.inner_text()
    assert "row " in tip.inner_text()
    surface = page.get_by_test_id("lpc-cloud-surface")
    surface.focus()
    home = cloud(page)
    page.keyboard.press("+")
    assert cloud(page, lambda s: s["scale"] > home["scale"])["scale"] == pytest.approx(1.35 * home["scale"])
    page.keyboard.press("ArrowLeft")
    cloud(page, lambda s: s["centre"][0] != home["centre"][0])
    surface.dblclick(position={"x": 300, "y": 300})
    assert cloud(page, lambda s: s["scale"] == home["scale"])["centre"] == home["centre"]


def filters_and_shortcuts(page, wrong):
    page.get_by_test_id("lpc-cloud-wrong").click()
    assert cloud(page, lambda s: s["chosen"] > 0)["chosen"] == wrong > 0
    page.get_by_test_id("lpc-cloud-surface").focus()
    page.keyboard.press("Escape")
    cloud(page, lambda s: s["chosen"] == 0)
    page.get_by_role("button", name="class 3").first.click()
    strength = "() => [...document.querySelector('[data-testid=lpc-cloud]').lpcCloud.cloud.picture.strength]"
    ask_until(page, lambda: page.evaluate(strength), lambda found: found.count(1) == 600)
    page.get_by_role("button", name="class 3").first.click()


def report_opens_offline(page, chromium, tmp_path):
    page.get_by_role("button", name="Report").click()
    for words, ending in (("Page (HTML)", "html"), ("Numbers (JSON)", "json")):
        with page.expect_download() as download:
            page.get_by_role("button", name=words).click()
        assert download.value.suggested_filename == f"mine.report.{ending}"
        download.value.save_as(tmp_path / f"report.{ending}")
    assert json.loads((tmp_path / "report.json").read_text())["samples"] == 800
    context = chromium.new_context(offline=True)
    alone, asked = context.new_page(), []
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("console", lambda message: asked.append(message.text) if message.type == "error" else None)
    alone.goto((tmp_path / "report.html").as_uri())
    assert alone.locator("svg use").count() > 700
    assert "mine.npz" in alone.title()
    assert all(url.startswith(("file:", "data:")) for url in asked), asked
    context.close()


class Evil:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def hostile_files(folder, canary):
    """Files that want something, each with what its refusal must say."""
    torch.save({"state_dict": Evil(canary)}, folder / "evil.pt")
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000000, 100), }"
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("latents.npy", b"\x93NUMPY\x01\x00v\x00" + header.ljust(117) + b"\n" + bytes(40_000_000))
    return {"evil.pt": "system", "bomb.npz": "40,000,000,000"}


def test_nothing_of_a_hostile_file_runs_and_each_is_refused_in_a_line(lab, open_page, tmp_path):
    canary = tmp_path / "canary"
    page = start(lab, open_page)
    give(page, saved(tmp_path / "script.npz", n=200, names=SCRIPTS))
    cloud(page, lambda s: s["crosses"] and s["K"] == 4)
    page.get_by_text(SCRIPTS[0], exact=True).first.wait_for()
    for name, said in hostile_files(tmp_path, canary).items():
        give(page, tmp_path / name)
        alert = page.get_by_test_id("stAlert").filter(has_text=name)
        alert.wait_for()
        told = alert.inner_text()
        assert said in told
        assert "Traceback" not in told
        assert "What was found in script.npz stays below." in told
        assert len(told) < 700
    assert cloud(page)["n"] == 200
    assert not canary.exists()
    assert not page.dialogs
    assert page.evaluate("() => document.querySelectorAll('img[src=x], [onerror]').length") == 0


def its_link_opens_the_same_moment(page, lab):
    """The sample, its axes, camera, chosen samples and γ; a file of one's own would not be in it."""
    page.get_by_test_id("lpc-cloud-axes-nodes").click()
    page.get_by_test_id("lpc-cloud-node-1").select_option("3")
    page.get_by_test_id("lpc-cloud-ambiguous").click()
    page.get_by_test_id("lpc-cloud-plus").click()
    page.get_by_test_id("lpc-cloud-gamma").focus()
    page.keyboard.press("End")
    before = cloud(page, lambda s: s["kind"] == "nodes" and s["chosen"] and s["gamma"] > 1e4)
    said = open_own_link(page, lab)
    assert {"file=collapsed", "view=n0-3", "chosen=ambiguous"} <= said
    after = cloud(page, lambda s: s["chosen"] == before["chosen"] and s["crosses"] and s["gamma"] > 1e4
                  and s["titles"] == before["titles"])  # nodes come in a file of their own, after the first view
    assert [after["scale"], *after["centre"]] == pytest.approx([before["scale"], *before["centre"]], rel=1e-3, abs=1e-3)
    page.get_by_test_id("lpc-cloud-clear").click()


def test_a_sample_opens_beside_another_and_they_point_together(lab, open_page):
    page = start(lab, open_page)
    page.get_by_role("button", name="Collapsed").first.click()
    state = cloud(page, lambda s: s["crosses"])
    assert state["kind"] == "pca"
    its_link_opens_the_same_moment(page, lab)
    page.get_by_role("button", name="Compare with").click()
    page.get_by_role("button", name="Merely neural").last.click()
    both = "() => [...document.querySelectorAll('[data-testid=lpc-cloud]')].map((one) => one.lpcCloud.state())"
    ask_until(page, lambda: page.evaluate(both), lambda found: len(found) == 2 and all(s and s["draws"] for s in found))
    page.get_by_test_id("lpc-differences").get_by_text("NC1", exact=True).wait_for()
    page.get_by_test_id("lpc-cloud-ambiguous").first.click()
    first, second = ask_until(page, lambda: page.evaluate(both), lambda found: all(s["chosen"] for s in found))
    assert first["chosen"] == second["chosen"] > 0


def give_folder(page, folder):
    """Hand in a folder, again if the browser never says that it has taken it: seen once in many hundred times."""

    def taken():
        if chip.count() == 0:
            with contextlib.suppress(TimeoutError):
                page.locator("input[type=file][webkitdirectory]").set_input_files(folder, timeout=10_000)
                chip.first.wait_for(timeout=10_000)
        return chip.count()

    chip = page.get_by_test_id("stFileChip")
    ask_until(page, taken, bool)


def pick(page, label, option):
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def test_a_checkpoint_runs_on_a_folder_of_pictures(lab, open_page, tmp_path):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3), torch.nn.Linear(3, 10))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    for place in range(40):
        folder = tmp_path / "pets" / ("cat" if place % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((9, 9), 6 * place, np.uint8)).save(folder / f"{place}.png")
    (tmp_path / "pets" / "notes.txt").write_text("not a picture")
    page = start(lab, open_page)
    give(page, tmp_path / "net.pt")
    page.get_by_text("MLP 64-16-3-10").first.wait_for()
    pick(page, "Run it on", "a folder of my own pictures")
    give_folder(page, tmp_path / "pets")
    side = page.get_by_role("spinbutton", name="Cut pictures to")
    side.fill("8")
    side.press("Enter")
    pick(page, "Normalisation of its inputs", "divided by 255")
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "inspect-folder.png")
    page.get_by_role("button", name="Run it").click()
    state = cloud(page)
    assert (state["n"], state["d"]) == (40, 3)


LATE = """async (files) => {
  const bytes = (name) => Uint8Array.from(atob(files[name]), (letter) => letter.charCodeAt(0)).buffer;
  let [send, ask] = [];
  const samples = new Promise((resolve) => (send = resolve));
  const asked = new Promise((resolve) => (ask = resolve));
  window.fetch = async (url, { headers = {} } = {}) => {
    const name = new URL(url).pathname.slice(1);
    if (name === "cloud") await (ask(), samples);
    const [from, to] = (headers.Range ?? "").match(/\\d+/g) ?? [];
    return new Response(bytes(name).slice(from ?? 0, to ? Number(to) + 1 : undefined), { status: to ? 206 : 200 });
  };
  const { Cloud } = await import("/lab/static/cloud/cloud.js");
  document.body.style.width = "600px";
  window.cloud = new Cloud(document.body, { cloudUrl: "/cloud", nodesUrl: "/nodes" }, () => {});
  await asked;
  window.cloud.update({ theoryUrl: "/theory", pointsUrl: "/points" });
  send();
}"""


def test_what_is_foretold_while_the_samples_are_on_their_way_is_drawn(lab, open_page, tmp_path):
    inspection = made(n=50)
    sight = files.look(inspection)
    paths = files.write_samples(tmp_path, inspection, sight)[0]
    files.write_nodes(paths["nodes"], inspection, sight)
    paths |= files.write_theory(tmp_path, predict_for(inspection, sight.means), sight)
    page = open_page(f"{lab.url}/lab/health")
    page.evaluate(LATE, {kind: base64.b64encode(path.read_bytes()).decode() for kind, path in paths.items()})
    page.wait_for_function(f"() => ({STATE})()?.crosses?.length === 4")
    assert page.evaluate(STATE)["gamma"] == pytest.approx(0.5, rel=0.1)


def test_it_fits_small_screens_and_the_dark(lab, open_page, tmp_path):
    page = start(lab, open_page)
    give(page, saved(tmp_path / "texts.npz", n=300, d=6, texts=True))
    cloud(page, lambda s: s["crosses"])
    assert page.get_by_test_id("lpc-sample").first.inner_text().count("sample") == 1
    for _ in screens(page, "inspect", (1280, 844), (390, 844)):
        assert page.get_by_test_id("lpc-cloud-gamma").bounding_box()["width"] > 150
        if page.viewport_size["width"] < 560:  # for fingers
            assert page.get_by_test_id("lpc-cloud-clear").bounding_box()["height"] >= 40
