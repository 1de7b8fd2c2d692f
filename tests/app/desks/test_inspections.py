"""The inspection desk with its real processes: what is kept, shown, refused and deleted; who gets the files."""

import errno
import io
import stat
import threading
import time
from concurrent.futures import Future

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import lpc_core.inspection
from app.desks import inspecting, inspections, jobs, uploads
from app.desks.inspections import InspectDesk, Upload, Wish
from app.desks.jobs import JobRefused
from app.desks.samples import samples
from app.parts.cloud import chosen_rows
from app.parts.samples import sample_items, telling_first
from lpc_core.checkpoint._base import Ask, refusal
from lpc_core.data import DataError
from tests.app._inspections import made
from tests.patience import until


@pytest.fixture
def desk():
    made_desk = InspectDesk()
    yield made_desk
    made_desk.close()


def wait(desk):
    until(lambda: not desk.busy, told=lambda: f"{desk.task}: {desk.what}")
    return desk


def npz(**more):
    found = made(**more).embeddings
    raw = io.BytesIO()
    np.savez(raw, latents=found.latents, labels=found.labels, predictions=found.predictions, weight=found.weight,
             bias=found.bias)
    return raw.getvalue()


def give(desk, name, raw):
    desk.take(name, io.BytesIO(raw))
    return wait(desk)


def checkpoint():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3), nn.Linear(3, 10))
    raw = io.BytesIO()
    torch.save({"state_dict": net.state_dict()}, raw)
    return raw.getvalue()


def test_embeddings_are_measured_kept_private_and_gone_with_the_desk(desk):
    give(desk, "../../etc/My Latents (1).npz", npz(n=200, d=5, classes=4))
    assert not desk.error
    held = desk.held
    assert held.upload.name == "My Latents (1).npz"
    assert held.inspection.source["file"] == "My Latents (1).npz"
    assert held.inspection.source["command"] == "lpc inspect 'My Latents (1).npz'"
    assert held.upload.path.parent == desk.folder
    assert held.upload.path.suffix == ".npz"
    assert stat.S_IMODE(held.upload.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o700
    assert held.prediction is not None
    assert {kind: jobs.find(token).is_file() for kind, token in held.tokens.items()} == dict.fromkeys(
        ("cloud", "nodes", "theory", "points"), True)
    a_refusal_leaves_what_was_there(desk, held)
    further_views_are_added(desk)
    tokens = list(desk.held.tokens.values())
    desk.close()
    assert not desk.folder.exists()
    assert all(jobs.find(token) is None for token in tokens)


def test_a_file_that_is_being_made_is_waited_for(desk, monkeypatch):
    path, begun, made = desk.folder / "slow.bin", threading.Event(), Future()
    token = desk.publish(path, made)
    found = []

    def look():
        begun.set()
        found.append(jobs.find(token))

    thread = threading.Thread(target=look)
    thread.start()
    begun.wait()
    time.sleep(0.05)
    assert not found
    path.write_bytes(b"x")
    made.set_result(None)
    thread.join()
    assert found == [path]
    monkeypatch.setattr(jobs, "MAKING_S", 0.01)
    assert jobs.find(desk.publish(path, Future())) is None
    cancelled = Future()
    cancelled.cancel()
    assert jobs.find(desk.publish(path, cancelled)) is None


def test_half_a_file_is_not_handed_out(desk, caplog):
    path, failed = desk.folder / "half.bin", Future()
    path.write_bytes(b"x")
    failed.set_exception(OSError("No space left on device"))
    assert jobs.find(desk.publish(path, failed)) is None
    assert "No space left on device" in caplog.text


def a_refusal_leaves_what_was_there(desk, held):
    give(desk, "broken.npz", b"PK\x03\x04 and no more")
    assert "expected" in desk.error
    assert "\n" not in desk.error
    assert desk.held is held
    assert desk.upload.name == "broken.npz"


def further_views_are_added(desk):
    desk.project("tsne")
    assert desk.task == "tsne"
    wait(desk)
    assert not desk.error
    assert set(desk.held.projections) == {"tsne"}
    assert desk.held.inspection.coordinates["tsne"].shape == (200, 2)
    assert jobs.find(desk.held.projections["tsne"]).is_file()
    with pytest.raises(JobRefused, match="expected one of tsne, umap, got 'pca'; choose one of them"):
        desk.project("pca")


def test_a_checkpoint_waits_for_choices_then_runs_or_shows_its_head(desk):
    give(desk, "net.pth.tar", checkpoint())
    assert desk.held is None
    assert desk.upload.path.name.endswith(".pth.tar")
    assert desk.found["layout"]["name"] == "MLP 64-16-3-10"
    assert {tensor["name"] for tensor in desk.found["tensors"]} == {f"{i}.{part}" for i in (0, 2, 3)
                                                                    for part in ("weight", "bias")}
    desk.pick_head("3.weight", "3.bias")
    wait(desk)
    assert not desk.error
    assert desk.head.inspection.embeddings.weight.shape == (10, 3)
    assert np.isfinite(desk.head.prediction.collapse_points).all()
    desk.inspect(Wish(data="digits", split="test", normalisation="lab", activation="relu", samples=100))
    wait(desk)
    assert not desk.error
    assert desk.held.inspection.embeddings.latents.shape == (100, 3)
    assert desk.held.inspection.source["command"] == (
        "lpc inspect net.pth.tar --data=digits --split=test --normalisation=lab --activation=relu --samples=100")
    assert desk.head is not None
    desk.pick_head("0.weight; rm -rf /", None)
    assert "expected a tensor of the file" in wait(desk).error


def picture(shade=0):
    raw = io.BytesIO()
    Image.fromarray(np.full((8, 8), shade, np.uint8)).save(raw, "PNG")
    return raw.getvalue()


def pets(count=20):
    """What a browser hands in of a folder: names with folders in them, and the files."""
    return [(f"pets/{kind}/{place}.png", io.BytesIO(picture(10 * place + len(kind))))
            for kind in ("cat", "mouse") for place in range(count)]


def test_a_checkpoint_runs_on_a_folder_of_pictures(desk):
    give(desk, "net.pth", checkpoint())
    noise = [("pets/top.png", io.BytesIO(picture())), ("pets/cat/notes.txt", io.BytesIO(b"x")),
             ("../../pets/../cat/.hidden.png", io.BytesIO(b"x"))]
    desk.take_pictures([*pets(), *noise], 10**6)
    assert desk.data.name == "pets"
    assert desk.data.path.parent == desk.folder
    desk.inspect(Wish(data=str(desk.data.path), data_name=desk.data.name, normalisation="0..1", activation="relu"))
    wait(desk)
    assert not desk.error
    found = desk.held.inspection
    assert found.embeddings.class_names[:2] == ("cat", "mouse")
    assert np.bincount(found.embeddings.labels).tolist() == [20, 20]
    assert found.source["data"]["name"] == "pets, 40 pictures"
    assert found.source["command"] == "lpc inspect net.pth --data=pets --normalisation=0..1 --activation=relu"
    desk.take_pictures(pets(2), 10**6)
    assert [path.name for path in desk.folder.glob("data-*")] == [desk.data.path.name]


@pytest.mark.parametrize(("files", "most", "message"), [
    ([("pets/cat.png", io.BytesIO(b"x"))], 10, "expected a folder with one folder of pictures per class, got one with"),
    ([("pets/cat/1.exe", io.BytesIO(b"x"))], 10, "expected a folder with one folder of pictures per class, got one wi"),
    ([("pets/cat/1.png", io.BytesIO(b"x" * 11))], 10, "expected a folder of at most 10 bytes, got 11; choose fewer"),
    ([("p/a:/1.png", io.BytesIO(b"x")), ("p/a_/1.png", io.BytesIO(b"x"))], 10, "expected folders with different names"),
])
def test_a_folder_that_is_refused_leaves_nothing(desk, files, most, message):
    desk.take_pictures(pets(1), 10**6)
    before = desk.data
    with pytest.raises(JobRefused, match=message):
        desk.take_pictures(files, most)
    assert desk.data is before
    assert [path.name for path in desk.folder.iterdir()] == [before.path.name]


@pytest.mark.parametrize("take", [
    lambda desk: desk.take("a.npz", io.BytesIO(npz(n=100))),
    lambda desk: desk.take_data("a.npz", io.BytesIO(npz(n=100))),
    lambda desk: desk.take_parts([("a-1.bin", io.BytesIO(b"x")), ("a-2.bin", io.BytesIO(b"x"))]),
    lambda desk: desk.take_pictures(pets(1), 10**6)])
def test_a_full_disk_is_told_and_leaves_nothing(desk, monkeypatch, take):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(uploads.shutil, "copyfileobj", full)
    monkeypatch.setattr("lpc_core.checkpoint.pictures.pack", full)
    with pytest.raises(JobRefused, match=r"expected to write the file .*, got: No space left on device; try"):
        take(desk)
    assert not list(desk.folder.iterdir())
    assert (desk.upload, desk.data) == (None, None)


def test_a_machine_without_processes_is_told(desk, monkeypatch):
    def none(*_, **__):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(jobs.spares, "spawn", none)
    with pytest.raises(JobRefused, match=r"expected a process for the job, got none \(Resource .*\); try"):
        desk.take("a.npz", io.BytesIO(npz(n=100)))
    assert (desk.running, desk.task) == (False, "")


def test_a_job_can_be_ended_and_a_newer_file_ends_an_older(desk):
    desk.take("a.npz", io.BytesIO(npz(n=100)))
    assert desk.running
    desk.cancel()
    assert not desk.running
    desk.take("b.npz", io.BytesIO(npz(n=100)))
    give(desk, "c.npz", npz(n=120))
    assert desk.held.upload.name == "c.npz"
    assert len(desk.held.inspection.embeddings.labels) == 120
    assert [path.name for path in desk.folder.glob("upload-*")] == [desk.held.upload.path.name]
    give(desk, "d.npz", npz(n=60))
    assert [path.name for path in desk.folder.glob("upload-*")] == [desk.held.upload.path.name]
    assert desk.held.upload.name == "d.npz"


def test_a_file_that_comes_while_the_result_of_another_is_read_is_not_taken_for_it(desk, monkeypatch):
    load, make, names = lpc_core.inspection.load, desk._holdings.make, []

    def interrupted(path):
        found = load(path)
        if desk.upload.name == "a.npz":
            desk.take("b.npz", io.BytesIO(npz(n=60)))
        return found

    monkeypatch.setattr(lpc_core.inspection, "load", interrupted)
    monkeypatch.setattr(desk._holdings, "make", lambda upload, found: names.append(upload.name) or make(upload, found))
    give(desk, "a.npz", npz(n=100))
    until(lambda: desk.held is not None)
    wait(desk)
    assert sorted(names) == ["a.npz", "b.npz"]
    assert desk.error == ""
    assert (desk.held.upload.name, len(desk.held.inspection.embeddings.labels)) == ("b.npz", 60)
    assert [path.name for path in desk.folder.glob("view-*")] == [f"view-{desk.held.serial}"]


def test_a_cancel_while_the_result_is_read_is_no_error_and_leaves_what_was_there(desk, monkeypatch):
    give(desk, "a.npz", npz(n=100))
    before, make = desk.held, desk._holdings.make

    def interrupted(upload, found):
        made = make(upload, found)
        desk.cancel()  # pressed on a page that still shows the button
        return made

    monkeypatch.setattr(desk._holdings, "make", interrupted)
    give(desk, "b.npz", npz(n=60))
    assert desk.error == ""
    assert desk.held is before
    assert [path.name for path in desk.folder.glob("view-*")] == [f"view-{before.serial}"]


def test_a_busy_server_says_so_and_keeps_nothing(desk, monkeypatch):
    monkeypatch.setattr(InspectDesk, "at_once", 0)
    with pytest.raises(JobRefused, match="expected fewer than 0 files being inspected on this server, got 0; try"):
        desk.take("a.npz", io.BytesIO(b"x"))
    assert not desk.busy


@pytest.mark.parametrize(("given", "shown", "ending"), [
    ("model.pth.tar", "model.pth.tar", ".pth.tar"), ("C:\\x\\a.NPZ", "a.NPZ", ".npz"), ("no ending", "no ending", ""),
    ("a.npz/../../b.<script>", "b._script_", ""), ("x.\u202etxt\n.pt", "x._txt_.pt", ".pt"), ("." * 300, "." * 120, ""),
    ("", "file", "")])
def test_names_are_cut_to_what_can_be_shown_and_only_an_ending_is_kept(desk, monkeypatch, given, shown, ending):
    monkeypatch.setattr(desk, "inspect", lambda wish: None)
    desk.take(given, io.BytesIO(b"x"))
    assert desk.upload.name == shown
    assert desk.upload.path.name == f"upload-1{ending}"
    assert desk.upload.path.read_bytes() == b"x"


@pytest.mark.parametrize(("wish", "plain", "command"), [
    (Wish(), {}, []),
    (Wish(data="/tmp/desk/data-1.npz", data_name="mine.npz", normalisation="0..1"),
     {"data": "/tmp/desk/data-1.npz", "normalisation": "0..1"}, ["--data=mine.npz", "--normalisation=0..1"]),
    (Wish(data="/tmp/desk/data-1.zip", data_name="pets", side=32), {"data": "/tmp/desk/data-1.zip", "side": 32},
     ["--data=pets", "--side=32"]),
    (Wish(gamma=2.5, frame=3), {"gammas": [2.5], "frame": 3}, ["--gamma=2.5", "--frame=3"])])
def test_wishes_for_the_library_and_for_a_shell(wish, plain, command):
    from lpc_core.inspection.from_file import Wishes

    assert wish.wishes() == plain
    assert wish.options() == command
    Wishes(**plain)


# ---- what a page reads off it --------------------------------------------------------------------------------------


@pytest.fixture
def held(desk):
    desk.upload = Upload("made.npz", desk.folder / "upload-1.npz", 1)
    inspection = made(n=90, d=2, texts=True, wrong=0.2)
    from app.looks import cloud

    return desk._holdings.make(desk.upload, inspection, cloud.look(inspection, 60))


def test_views_made_at_once_have_a_folder_each(desk, held, monkeypatch):
    from app.looks import cloud

    write, others = cloud.write_samples, []

    def meanwhile(*view):
        monkeypatch.setattr(cloud, "write_samples", write)
        others.append(desk._holdings.make(desk.upload, held.inspection))
        return write(*view)

    monkeypatch.setattr(cloud, "write_samples", meanwhile)
    made = desk._holdings.make(desk.upload, held.inspection)
    assert (held.serial, made.serial, others[0].serial) == (1, 2, 3)
    desk._holdings.drop(made)
    assert sorted(path.name for path in desk.folder.glob("view-*")) == ["view-1", "view-3"]
    assert all(jobs.find(token).is_file() for token in others[0].tokens.values())


def answer(held, flags, of=None):
    import base64

    bits = np.packbits(flags, bitorder="little").tobytes()
    return {"count": int(flags.sum()), "bits": base64.b64encode(bits).decode(), "of": of or held.tokens["cloud"]}


def test_a_choice_becomes_rows_of_the_file(held):
    flags = np.zeros(60, bool)
    flags[[0, 9, 59]] = True
    assert chosen_rows(held, answer(held, flags)).tolist() == held.sight.rows[[0, 9, 59]].tolist()
    assert not len(chosen_rows(held, answer(held, flags, of="lab/file?token=another")))
    for broken in (None, "x", {"of": held.tokens["cloud"], "bits": "%%"}, {"of": held.tokens["cloud"], "bits": "€"},
                   {"of": held.tokens["cloud"]}):
        assert not len(chosen_rows(held, broken))
    everything = {"of": held.tokens["cloud"], "bits": "/" * 400}
    assert np.array_equal(chosen_rows(held, everything), held.sight.rows)


def test_a_list_says_class_prediction_distance_and_place(held):
    found = held.inspection.embeddings
    rows = np.arange(90)
    items = sample_items(held, rows)
    for row, item in zip(rows, items, strict=True):
        own = found.latents[found.labels == found.labels[row]].astype(np.float64).mean(axis=0)
        assert item["distance"] == pytest.approx(np.linalg.norm(found.latents[row] - own), rel=1e-5)
        assert item["wrong"] == (found.predictions[row] != found.labels[row])
        assert item["label"] == f"class {found.labels[row]}"
        assert item["caption"] == f"sample {row}"
        assert (item["place"] >= 0) == (row in held.sight.rows)
    assert held.sight.rows[items[held.sight.rows[7]]["place"]] == held.sight.rows[7]


def test_the_list_begins_with_mistakes_then_outliers(held):
    rows = telling_first(held, np.arange(90))
    items = sample_items(held, rows)
    assert sorted(rows) == list(range(90))
    assert [item["wrong"] for item in items] == sorted((item["wrong"] for item in items), reverse=True)
    for wrong in (True, False):
        distances = [item["distance"] for item in items if item["wrong"] == wrong]
        assert len(distances) > 5
        assert distances == sorted(distances, reverse=True)


def test_samples_that_come_with_the_lab_are_there_and_say_how_to_run_them():
    known = samples()
    assert len(known) >= 4
    for sample in known:
        assert sample.path.stat().st_size < 5_000_000
        assert len(sample.sentence) > 40
        Wish(**sample.how)
    assert samples(inspections.Path("/nowhere")) == []


def test_a_refusal_that_a_choice_lifts_tells_no_program_what_to_do():
    error = refusal("a column for the labels", "the columns 'a; b', 'kind'",
                    "name a column 'label', or say which it is, --pick labels=NAME, in Python "
                    "picked={'labels': 'NAME'}",
                    Ask("labels", ("a; b", "kind")))
    told = "expected a column for the labels, got the columns 'a; b', 'kind'; choose it below"
    assert inspecting.refused(error) == told
    assert inspecting.refused(ValueError("expected x,\n got y; do z")) == "expected x, got y; do z"


def test_missing_data_are_named_and_no_exception_is(monkeypatch, tmp_path):
    def absent(*_, **__):
        raise DataError("expected to download it, got no connection; put it there")

    monkeypatch.setattr("lpc_core.inspection.from_file.inspect_file", absent)
    with pytest.raises(ValueError, match=r"^CIFAR-10 is not here: expected to download it, .* At hand are"):
        inspecting.inspect(str(tmp_path / "net.pt"), str(tmp_path / "out"), '{"data": "cifar10"}')
