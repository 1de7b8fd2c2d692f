"""The inspection page without a browser: what it offers, asks for, shows and refuses; its desk starts nothing."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.desks import inspections, jobs
from app.desks.inspections import InspectDesk, Upload, Wish
from app.desks.jobs import JobRefused
from app.looks import inspect_report
from app.parts.samples import sample_items
from app.views._plain import plain
from lpc_core.files import tensors
from tests.app._inspections import made
from tests.app._opening import opened_with
from tests.patience import PATIENCE_S

PAGE = """
from app.views.inspect import VIEW
VIEW.render()
"""
EVIL = "<img src=x onerror=alert(1)> **bold** [x](javascript:alert(2)) $x$ :material/home:"


class StillDesk(InspectDesk):
    """Remembers what it was asked to do."""

    def _begin(self, task, *command):
        self.asked = [*getattr(self, "asked", []), (task, command)]

    def show(self, inspection, name="mine.npz"):
        """As if ``inspection`` had been read from a file of that name."""
        self.upload = Upload(name, self.folder / "upload-0.npz", 12_345)
        self.upload.path.write_bytes(b"x")
        self.held = self._holdings.foretell(self._holdings.make(self.upload, inspection))


@pytest.fixture
def page(monkeypatch):
    with opened_with(PAGE, monkeypatch, inspections, StillDesk) as test:
        yield test


def desk(page, slot=""):
    return page.session_state.lpc.desks[f"inspect{slot}"]


def again(page):
    page.run()
    assert not page.exception
    return page


def button(page, text):
    return next(one for one in page.button if text in one.label)


def described(known=True, **more):
    """What the command says of a checkpoint that was not run."""
    layout = {"name": "MLP 64-16-3-10", "layer": "2", "classes": 10, "latent_dim": 3, "parameters": 1_234,
              "modules": [], "activation": "relu", "missing": [], "unexpected": [], "obstacle": "", "config": None,
              "gamma": None,
              "assumptions": ["activation relu (assumed: tensors do not say it)"]} | more
    tensor = {"name": "3.weight", "shape": [10, 3], "dtype": "float32", "norm": 1.0, "histogram": [1, 2, 3],
              "minimum": -1.0, "maximum": 1.0, "zeros": 0.0, "nans": 0, "infinities": 0}
    head = {"weight": "3.weight", "bias": "3.bias", "classes": 10, "latent_dim": 3, "why": "its name"}
    return {"layout": layout if known else None, "heads": [head], "tensors": [tensor, tensor | {"name": EVIL}]}


def waiting(page, found):
    one = desk(page)
    one.upload, one.found = Upload("net.pt", one.folder / "upload-0.pt", 5), found
    return again(page)


def test_an_empty_page_offers_a_drop_zone_and_the_samples(page):
    assert "What do a network's latents look like?" in page.markdown[0].value
    assert "Nothing in the file is ever executed" in page.markdown[0].value.replace("\n", " ")
    sample = button(page, "Merely neural-collapsed")
    sample.click().run()
    assert not page.exception
    ((task, command),) = desk(page).asked
    assert task == "inspect"
    assert command[1].endswith("neural-collapse.safetensors")
    assert '"normalisation": "lab"' in command[-1]


def test_a_recognised_checkpoint_is_run_only_when_data_and_normalisation_were_chosen(page):
    waiting(page, described(missing=["4.bias"], unexpected=["ema.x", EVIL]))
    told = page.markdown[-1].value if "MLP" in page.markdown[-1].value else " ".join(m.value for m in page.markdown)
    assert "MLP 64\\-16\\-3\\-10" in told
    assert "Missing tensors" in told
    assert "4\\.bias" in told
    assert plain(EVIL) in told
    run = button(page, "Run it")
    assert run.disabled
    assert any(plain("To run it, choose data and a normalisation.") in one.value for one in page.caption)
    choices = {box.label: box for box in page.selectbox}
    assert choices["Normalisation of its inputs"].value is None
    assert choices["Run it on"].value is None
    choices["Run it on"].set_value("digits").run()
    assert button(page, "Run it").disabled
    {box.label: box for box in page.selectbox}["Normalisation of its inputs"].set_value("0..1").run()
    {box.label: box for box in page.selectbox}["Activation"].set_value("tanh").run()
    button(page, "Run it").click().run()
    assert not page.exception
    assert desk(page).wish == Wish(data="digits", split="train", normalisation="0..1", activation="tanh")


def chosen(page, label, value):
    {box.label: box for box in page.selectbox}[label].set_value(value).run()
    assert not page.exception


def test_a_folder_of_one_s_own_pictures(page):
    waiting(page, described(assumptions=[]))
    chosen(page, "Normalisation of its inputs", "0..1")
    chosen(page, "Run it on", "a folder of my own pictures")
    folder = page.file_uploader[-1]
    assert folder.accept_directory
    assert ".webp" in folder.allowed_type
    assert button(page, "Run it").disabled
    folder.set_value([("pets/1.png", b"x", "image/png")]).run()
    assert "expected a folder with one folder of pictures per class" in page.error[0].value
    assert button(page, "Run it").disabled
    page.file_uploader[-1].set_value([(f"pets/{kind}/1.png", b"x", "image/png") for kind in "ab"]).run()
    assert not page.exception
    assert not page.error
    {box.label: box for box in page.number_input}["Cut pictures to, pixels"].set_value(32).run()
    button(page, "Run it").click().run()
    assert not page.exception
    one = desk(page)
    assert one.wish == Wish(data=str(one.data.path), data_name="pets", split="train", normalisation="0..1", side=32)


def test_a_zip_of_one_s_own_pictures_and_an_npz(page):
    waiting(page, described(assumptions=[]))
    chosen(page, "Normalisation of its inputs", "0..1")
    chosen(page, "Run it on", "a file of my own (npz, zip)")
    page.file_uploader[-1].set_value(("mine.npz", b"PK", "")).run()
    assert "Cut pictures to, pixels" not in {box.label for box in page.number_input}
    page.file_uploader[-1].set_value(("pets.zip", b"PK", "")).run()
    assert "Cut pictures to, pixels" in {box.label for box in page.number_input}
    button(page, "Run it").click().run()
    one = desk(page)
    assert (one.wish.data, one.wish.data_name) == (str(one.data.path), "pets.zip")
    assert [path.suffix for path in one.folder.glob("data-*")] == [".zip"]


def test_a_run_of_this_lab_comes_with_its_own_data_and_scaling(page):
    waiting(page, described(config={"dataset": "digits"}, assumptions=[]))
    choices = {box.label: box.value for box in page.selectbox}
    assert choices["Run it on"] == "digits"
    assert choices["Normalisation of its inputs"] == "lab"
    assert "Activation" not in choices
    assert not button(page, "Run it").disabled


def test_what_a_file_leaves_open_is_chosen_on_the_page(page):
    orders = [["a", "b", "c"], ["b", "a", "c"]]
    waiting(page, described(orders=orders, class_names=["cat", "dog"])
            | {"source": {"weights": ["state_dict", "ema_state_dict"]}})
    assert any("several fit" in warning.value for warning in page.warning)
    chosen(page, "Run it on", "digits")
    chosen(page, "Normalisation of its inputs", "0..1")
    assert button(page, "Run it").disabled
    assert {box.label: box for box in page.selectbox}["Weights"].options == ["state_dict (raw)",
                                                                            "ema_state_dict (averaged)"]
    chosen(page, "Weights", "ema_state_dict")
    chosen(page, "Order of the layers", 1)
    chosen(page, "Classes of the data in the head", "rows")
    rows = {box.label: box for box in page.text_input}["One row of the head for each class of the data"]
    rows.set_value("1, 0").run()
    button(page, "Run it").click().run()
    assert not page.exception
    wish = desk(page).wish
    assert (wish.weights, wish.order, wish.classes) == ("ema_state_dict", ("b", "a", "c"), "1, 0")


@pytest.mark.parametrize(("names", "told"), [
    (["net-00001-of-00002.safetensors", "net-00002-of-00002.safetensors", "net.safetensors.index.json"], None),
    (["net.bin", "net.bin"], "expected each file once, got one name twice"),
])
def test_several_files_at_once_are_the_parts_of_one(page, names, told):
    page.file_uploader[0].set_value([(name, b"x" * 9, "") for name in names]).run()
    assert not page.exception
    one = desk(page)
    if told:
        assert told in page.error[0].value
        assert not list(one.folder.glob("upload-*"))
    else:
        (_, (what, folder, *_)) = one.asked[-1]
        assert what == "inspect"
        assert sorted(path.name for path in Path(folder).iterdir()) == sorted(names)
        assert (one.upload.parts, one.upload.size) == (tuple(names), 27)


def test_an_unknown_checkpoint_shows_its_tensors_and_lets_a_head_be_picked(page):
    waiting(page, described(known=False))
    assert "No layout known here" in page.info[0].value
    table = page.dataframe[0].value
    assert list(table["name"]) == ["3.weight", EVIL]
    page.text_input[0].set_value("3.w").run()
    assert list(page.dataframe[0].value["name"]) == ["3.weight"]
    button(page, "Show it").click().run()
    ((task, command),) = desk(page).asked
    assert (task, command[3:5]) == ("head", ("3.weight", "3.bias"))


def test_a_network_that_cannot_be_run_says_why(page):
    waiting(page, described(obstacle="5 tensors are missing; save embeddings of it"))
    assert "It cannot be run here" in page.warning[0].value
    assert not [one for one in page.button if one.label == "Run it"]


@pytest.mark.parametrize("end", ["", "."])
def test_a_refusal_is_one_line_that_names_the_file_and_executes_nothing(page, end):
    one = desk(page)
    one.show(made(n=60))
    one.upload = Upload("evil.pt", one.folder / "upload-1.pt", 5)
    one.error = f"expected tensors, got {EVIL}; convert{end}"
    again(page)
    (alert,) = page.error
    kept = "What was found in mine.npz stays below."
    assert alert.value == plain(f"evil.pt: expected tensors, got {EVIL}; convert. {kept}")
    assert "\n" not in alert.value
    assert button(page, "Compare with")


@pytest.mark.parametrize("more", [{}, {"d": 1, "classes": 2}, {"d": 9, "classes": 14}, {"head": False}, {"texts": True},
                                  {"images": True, "names": ("a", EVIL, "=1", "</script>")}])
def test_whatever_was_found_is_shown(page, more):
    desk(page).show(made(n=120, **more))
    again(page)
    told = " ".join(element.value for element in page.get("html"))
    assert "mine.npz" in told
    assert "<img src=x" not in told
    assert "120 samples" in told


def test_warnings_stand_above_the_results_as_plain_text(page):
    one = desk(page)
    found = made(n=60)
    warned = ("too few samples: 12", f"no class ({EVIL})")
    one.show(dataclasses.replace(found, embeddings=dataclasses.replace(found.embeddings, warnings=warned)))
    again(page)
    assert [one.value for one in page.warning] == [plain("Too few samples: 12."), plain(f"No class ({EVIL}).")]
    assert not [one for one in page.button if "without a class" in one.label]


@pytest.mark.parametrize(("before", "words", "after"), [
    ("leave out", "Count those without a class as one class more", "keep"), ("keep", "Leave them out", "leave out")])
def test_samples_without_a_class_can_be_kept_and_left_out(page, before, words, after):
    one = desk(page)
    found = made(n=60)
    one.show(dataclasses.replace(found, source=found.source | {"unlabelled": before},
                                 embeddings=dataclasses.replace(found.embeddings, warnings=("6 of 66",), unlabelled=6)))
    one.wish = Wish(picked={"labels": "y"})
    again(page)
    button(page, words).click().run()
    assert not page.exception
    assert one.wish == Wish(picked={"labels": "y"}, unlabelled=after)


def named_in_cloud(held):
    return tensors.header(jobs.find(held.tokens["cloud"]).read_bytes()).info("a cloud")["class_names"]


def test_classes_are_called_what_the_reader_types_everywhere(page):
    one = desk(page)
    one.show(made(n=60, projections=("tsne",)))
    one.held = one._holdings.project(one.held, "tsne", one.held.inspection.coordinates["tsne"])
    before, names = one.held, ["oak", EVIL, "=elm", "</script>"]
    again(page).text_area[0].set_value("\n".join(names)).run()
    assert not page.exception
    assert not page.error
    held = one.held
    assert named_in_cloud(held) == [*held.inspection.embeddings.class_names] == names
    assert {item["label"] for item in sample_items(held, np.arange(60))} == {*names}
    assert held.prediction is before.prediction
    assert jobs.find(held.projections["tsne"]).is_file()
    told = inspect_report.report_html(held.inspection)
    assert EVIL not in told
    assert "&lt;img src=x onerror=alert(1)&gt;" in told
    for shown in [*page.markdown, *page.caption, *page.get("html")]:
        assert "<img src=x" not in shown.value
    one.show(one._holdings.rename(held, ()).inspection)  # another look at the same file
    assert [*one.held.inspection.embeddings.class_names] != names
    assert [*desk(again(page)).held.inspection.embeddings.class_names] == names
    page.text_area[0].set_value(" ").run()
    assert [*one.held.inspection.embeddings.class_names] == [f"class {i}" for i in range(4)]
    assert (one.held.own_names, one.held.inspection.notes) == ((), before.inspection.notes)


def test_names_that_do_not_fit_are_refused_as_plain_text(page):
    one = desk(page)
    one.show(made(n=60))
    held = one.held
    again(page).text_area[0].set_value(f"a, b, {EVIL}").run()
    assert not page.exception
    (alert,) = page.error
    assert alert.value.startswith(plain("expected 4 names, got 3: a, b, <img"))
    assert "<img" not in alert.value.replace("\\<", "")
    assert one.held is held


def test_a_question_is_answered_on_the_page(page):
    one = desk(page)
    one.upload, one.error = Upload("two.parquet", one.folder / "upload-0.parquet", 5), "expected one column of vectors"
    one.said({"asks": {"role": "latents", "choices": ["clip", "dino"]}})
    again(page)
    (box,) = page.selectbox
    assert (box.label, box.options, box.value) == ("Which one holds the latents?", ["clip", "dino"], None)
    assert button(page, "Read it so").disabled
    box.set_value("dino").run()
    button(page, "Read it so").click().run()
    assert not page.exception
    assert one.wish == Wish(picked={"latents": "dino"})
    assert one.asks is None
    assert one.wish.options() == ["--pick=latents=dino"]


def test_two_files_stand_side_by_side_with_their_numbers(page):
    desk(page).show(made(n=60))
    again(page)
    button(page, "Compare with").click().run()
    assert not page.exception
    desk(page, "-b").show(made(n=60, seed=1), f"{EVIL}.npz")
    again(page)
    (table,) = [element.value for element in page.get("html") if "lpc-differences" in element.value]
    assert "NC1" in table
    assert "&lt;img src=x onerror=alert(1)&gt;" in table
    assert table.count("<tr>") > 15
    assert any("CKA" in caption.value for caption in page.caption)
    button(page, "Stop comparing").click().run()
    assert not [element for element in page.get("html") if "lpc-differences" in element.value]


def test_names_typed_for_one_file_are_offered_to_the_other(page):
    desk(page).show(made(n=60))
    again(page)
    button(page, "Compare with").click().run()
    desk(page, "-b").show(made(n=60, seed=1), f"{EVIL}.npz")
    names = ["oak", EVIL, "elm", "fir"]
    assert not [one for one in again(page).button if "Class names of" in one.label]
    page.text_area[0].set_value("\n".join(names)).run()
    assert [*desk(page, "-b").held.inspection.embeddings.class_names] == [f"class {i}" for i in range(4)]
    button(page, plain("Class names of mine.npz")).click().run()
    assert not page.exception
    held = desk(page, "-b").held
    assert named_in_cloud(held) == [*held.inspection.embeddings.class_names] == names
    assert not [one for one in page.button if "Class names of" in one.label]  # they are the same now
    page.text_area[1].set_value("a, b, c, d").run()  # and the second file's are its own
    assert [*desk(page, "-b").held.inspection.embeddings.class_names] == list("abcd")
    assert [*desk(page).held.inspection.embeddings.class_names] == names
    button(page, f"Class names of {plain(EVIL)}").click().run()
    assert not [*page.exception, *page.warning]
    assert [*desk(page).held.inspection.embeddings.class_names] == list("abcd")
    desk(page, "-b").show(made(n=60, classes=3), "three.npz")
    assert not [one for one in again(page).button if "Class names of" in one.label]


def test_a_busy_server_is_said(page, monkeypatch):
    def busy(self, *_):
        raise JobRefused("expected fewer than 2 files being inspected on this server, got 2; try again in a moment")

    monkeypatch.setattr(StillDesk, "_begin", busy)
    button(page, "Collapsed").click().run()
    assert not page.exception
    assert "try again in a moment" in page.error[0].value


@pytest.mark.parametrize("text", ["a*b_c`d", "# x", "<b>", "[a](b)", "$x$", ":smile:", "1. x", "a|b", "~~x~~", "\\"])
def test_signs_of_markdown_are_plain_text(text):
    safe = plain(text)
    assert re.sub(r"\\(.)", r"\1", safe) == text
    for sign in "*_`<[$:#|~":
        assert f"\\{sign}" in safe or sign not in text


def test_missing_data_are_not_blamed_on_the_checkpoint(page):
    waiting(page, described())
    desk(page).error = "CIFAR-10 is not here: expected to download it, got no connection"
    again(page)
    assert page.error[0].value.startswith("CIFAR\\-10 is not here")


def test_the_moment_of_a_film_is_asked_for_in_the_readers_language():
    page = AppTest.from_string("""
from types import SimpleNamespace as Thing
from app.desks.samples import FILMS, samples
from app.views._inspect_files import film_moment
from app.words import speaking

upload, inspection = Thing(path=samples(FILMS)[0].path), Thing(source={"kind": "film"})
with speaking("de"):
    film_moment(Thing(busy=False), Thing(upload=upload, inspection=inspection, once=lambda name, make: make()))
""", default_timeout=PATIENCE_S).run()
    assert not page.exception
    assert [slider.label for slider in page.select_slider] == ["γ des Laufs", "Trainingsschritt"]
