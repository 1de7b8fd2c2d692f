"""What a job may take: memory of all its processes, time, files, what a file unpacks to; and what a page then says."""

import io
import re
import subprocess
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.desks import file_routes, inspections, jobs, watch
from app.desks.films import FilmDesk, Recording
from app.desks.inspections import InspectDesk
from app.desks.studies import StudyDesk, SweepDesk
from app.desks.watch import _resident_by_ps, resident
from lpc_core.config import unflatten
from lpc_core.files.tensors import head, pack
from lpc_core.film import film_bytes
from lpc_core.film.record import record
from tests.forks import starting
from tests.patience import PATIENCE_S, Hurried, until

SMALL = unflatten({"samples": 300, "test_samples": 100, "steps": 30, "ramp_steps": 20, "batch_size": 32})
ASK = r", or ask whoever runs the server to raise "
HOG = '''
import subprocess, sys, time
what = sys.argv[1]
if what == "child":
    sys.exit(subprocess.call([sys.executable, __file__, "memory"]))
if what == "memory":
    kept = []
    while True:
        kept.append(b"x" * 2**23)
        time.sleep(0.01)
if what == "files":
    with open(sys.argv[2], "wb") as file:
        while True:
            file.write(bytes(2**20))
            file.flush()
            time.sleep(0.01)
if what == "time":
    time.sleep(1_000)
if what == "flaw":
    raise RuntimeError("at 0x7f00 in /home/somebody/secret.py")
if what == "room":
    raise MemoryError("Unable to allocate 9 TiB")
if what == "killed":
    import os
    os.kill(os.getpid(), 9)
if what == "crash":
    import os
    os.abort()
'''


@pytest.fixture
def hog(tmp_path, monkeypatch):
    (tmp_path / "lpc_hog.py").write_text(HOG)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "lpc_hog"


@pytest.fixture
def closing():
    desks = []
    yield lambda desk: desks.append(desk) or desk
    for desk in desks:
        desk.close()


def ended(desk):
    """The desk once nothing of it runs any more and its error stands."""
    until(lambda: desk.error and not desk.running and not getattr(desk, "_busy", 0), told=lambda: desk.what)
    return desk


@pytest.mark.parametrize(("what", "setting", "most", "words"), [
    ("memory", "LPC_JOB_MEMORY_MB", "100", "takes at most 100 MB of memory, got one that takes more"),
    ("child", "LPC_JOB_MEMORY_MB", "100", "takes at most 100 MB of memory, got one that takes more"),
    ("time", "LPC_JOB_S", "1", "takes at most 1 s, got one that takes longer"),
    ("files", "LPC_JOB_FILES_MB", "5", "takes at most 5 MB of files, got one that takes more"),
])
def test_a_job_is_ended_at_each_limit_which_is_named(hog, closing, monkeypatch, what, setting, most, words):  # noqa: PLR0917
    monkeypatch.setenv(setting, most)
    desk = closing(jobs.Desk())
    desk.start([what, str(desk.folder / "much")], hog)
    process = desk._process
    assert ended(desk).error == (f"expected a job that {words}; ask for less, or ask whoever runs the server to raise "
                                 f"{setting}")
    assert process.poll() is not None
    assert resident(process.pid) == 0
    desk.start(["flaw"], hog)  # the desk is free again, and says what went wrong then
    assert "unexpected" in ended(desk).error


@pytest.mark.parametrize(("what", "words"), [
    ("flaw", "Something unexpected ended the job; the server's log says what."),
    ("crash", "Something unexpected ended the job; the server's log says what."),
    ("room", "The machine's memory did not suffice for the job; ask for less."),
    ("killed", "The system ended the job, most likely because the machine's memory ran out; ask for less."),
])
def test_what_went_wrong_is_a_plain_sentence(hog, closing, caplog, what, words):
    desk = closing(jobs.Desk())
    desk.start([what], hog)
    assert ended(desk).error == words
    assert ("secret.py" in caplog.text) == (what == "flaw")


def _film(desk):
    desk.record(Recording(SMALL, "0.1,1,10", 4, 30))


def _study(desk):
    desk.want(SMALL)


def _file(desk):
    desk.take("z.npz", packed(200))


@pytest.mark.parametrize(("make", "begin", "advice", "time_setting"), [
    (FilmDesk, _film, "choose fewer γ, frames, points or steps", "LPC_JOB_S"),
    (StudyDesk, _study, "choose a smaller network, fewer samples or fewer steps", "LPC_JOB_S"),
    (SweepDesk, _study, "choose a smaller network, fewer samples or fewer steps", "LPC_JOB_S"),
    (InspectDesk, _file, "save fewer samples or smaller arrays", "LPC_INSPECT_S"),
])
def test_every_kind_of_job_has_the_limits(closing, monkeypatch, make, begin, advice, time_setting):  # noqa: PLR0917
    monkeypatch.setattr(watch, "LOOK_S", 0.01)
    monkeypatch.setattr(watch, "time", Hurried)
    for setting, most in (("LPC_JOB_MEMORY_MB", "64"), (time_setting, "1")):  # every job takes more
        monkeypatch.setenv("LPC_JOB_MEMORY_MB", "100000")
        monkeypatch.setenv(setting, most)
        desk = closing(make())
        begin(desk)
        assert re.search(f"got one that takes (more|longer); {re.escape(advice)}{ASK}{setting}$", ended(desk).error)


def packed(n, d=10, **more):
    raw = io.BytesIO()
    np.savez_compressed(raw, latents=np.zeros((n, d), np.float32), labels=np.arange(n) % 3, **more)
    return io.BytesIO(raw.getvalue())


def parquet(n):
    raw = io.BytesIO()
    pq.write_table(pa.table({"z0": np.zeros(n, np.float32), "label": np.arange(n) // (n // 2)}), raw)
    return io.BytesIO(raw.getvalue())


def csv(n):
    return io.BytesIO(b"z0,label\n" + b"0,1\n" * n)


def fortran(n):
    raw = io.BytesIO()
    np.save(raw, np.zeros(n, [("latents", np.float32, (2,)), ("labels", np.int64)]))
    return io.BytesIO(raw.getvalue())


def zeros(n):
    return io.BytesIO(pack({"latents": np.zeros((n, 10), np.float32), "labels": np.arange(n) % 3}))


def members(count):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.npy", b"")
    return io.BytesIO(raw.getvalue())


def tensors(count):
    return io.BytesIO(head((str(number), "uint8", (1,)) for number in range(count))[0] + bytes(count))


def claim(rows):
    return io.BytesIO(head([("latents", "float32", (rows, 10))])[0] + bytes(40))


@pytest.mark.parametrize(("name", "make", "count", "words"), [
    ("claim.safetensors", claim, 2**40,
     "expected tensors that follow each other within the file, got bytes 0 to 43,980,465,111,040"),
    ("many.safetensors", tensors, 20_001, "expected at most 20,000 tensors, got 20,001; save fewer of them"),
    ("header.safetensors", tensors, 300_000, "expected a safetensors header of at most 16,777,216 bytes, got "),
    ("many.npz", members, 20_101, "expected at most 20,100 members in the archive, got 20,101; save fewer arrays"),
    ("many.pt", members, 70_000, "expected at most 20,100 members in the archive, got 70,000; save fewer arrays"),
    ("many.zip", members, 20_101, "expected at most 20,100 members in the archive, got 20,101; save fewer arrays"),
])
def test_a_file_that_claims_or_lists_too_much_is_refused_by_what_it_goes_beyond(closing, name, make, count, words):
    desk = closing(InspectDesk())
    desk.take(name, make(count))
    assert ended(desk).error.startswith(words)
    assert desk.held is None


@pytest.mark.parametrize(("name", "make", "count", "setting", "most", "words"), [
    ("zeros.safetensors", zeros, 1_000_000, "LPC_UNPACKED_MB", "8",
     "expected arrays of at most 8,388,608 bytes together, got a claim of 48,000,000 bytes"),
    ("rows.safetensors", zeros, 5_000, "LPC_INSPECT_SAMPLES", "1000", "expected at most 1,000 samples, got 5,000"),
    ("zeros.npz", packed, 1_000_000, "LPC_UNPACKED_MB", "8",
     "expected arrays of at most 8,388,608 bytes together, got a claim of"),
    ("zeros.parquet", parquet, 2_000_000, "LPC_UNPACKED_MB", "8",
     "expected arrays of at most 8,388,608 bytes together, got a claim of"),
    ("rows.parquet", parquet, 300_000, "LPC_INSPECT_SAMPLES", "1000", "expected at most 1,000 samples, got 300,000"),
    ("rows.npz", packed, 5_000, "LPC_INSPECT_SAMPLES", "1000", "expected at most 1,000 samples, got 5,000"),
    ("rows.csv", csv, 5_000, "LPC_INSPECT_SAMPLES", "1000", "expected at most 1,000 samples, got 1,024"),
    ("rows.npy", fortran, 5_000, "LPC_INSPECT_SAMPLES", "1000", "expected at most 1,000 samples, got 5,000"),
    ("zeros.npz", packed, 1_000_000, "LPC_JOB_MEMORY_MB", "64", "at most 64 MB of memory"),
])
def test_a_small_file_that_unpacks_to_much_is_refused_by_the_name_of_the_limit(closing, monkeypatch, name, make,  # noqa: PLR0917
                                                                               count, setting, most, words):
    monkeypatch.setenv(setting, most)
    desk = closing(InspectDesk())
    desk.take(name, make(count))
    error = ended(desk).error
    assert words in error
    assert error.endswith(f"ask whoever runs the server to raise {setting}")
    assert desk.held is None


def test_a_file_above_the_upload_limit_is_not_kept(closing, monkeypatch):
    monkeypatch.setenv("LPC_UPLOAD_MB", "1")
    desk = closing(InspectDesk())
    with pytest.raises(jobs.JobRefused, match=f"a file of at most 1 MB, got 3 MB; save less in it{ASK}LPC_UPLOAD_MB"):
        desk.take("large.npz", io.BytesIO(bytes(3 * 2**20)))
    assert [path.name for path in desk.folder.iterdir()] == []


def test_the_tensor_tree_of_a_page_is_read_within_the_servers_limits(closing, monkeypatch):
    desk = closing(InspectDesk())
    path = desk.folder / "upload-1.npz"
    path.write_bytes(packed(1_000_000).getvalue())
    desk.upload = inspections.Upload("zeros.npz", path, path.stat().st_size)
    monkeypatch.setenv("LPC_UNPACKED_MB", "8")
    assert re.search("ask whoever runs the server to raise LPC_UNPACKED_MB$", str(desk.tree()))


def test_a_films_page_is_made_within_the_limits(closing, monkeypatch):
    desk = closing(FilmDesk())
    desk.adopt(film_bytes(record(SMALL, [0.1, 10.0], frames=3, points=30, device="cpu")))
    target = desk.folder / "page.html"
    with monkeypatch.context() as tight, starting():
        tight.setenv("LPC_JOB_MEMORY_MB", "64")  # less than its imports take
        error = jobs.do("app.looks.film_export", [str(desk.path), str(target)], desk.folder, file_routes.SMALLER)
    assert error.endswith("record fewer γ, frames or points, or ask whoever runs the server to raise LPC_JOB_MEMORY_MB")
    assert jobs.do("app.looks.film_export", [str(desk.path), str(target)], desk.folder, file_routes.SMALLER) == ""
    assert target.read_bytes().startswith(b"<!doctype html>")


def test_memory_counts_a_process_and_what_it_started():
    code = "import subprocess, sys; x = b'x' * 50_000_000; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    inner = "import sys; x = b'x' * 50_000_000; print('there', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, inner], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          start_new_session=True) as process:
        assert process.stdout.readline() == b"there\n"
        assert 110e6 < resident(process.pid) < 300e6
        assert 110e6 < _resident_by_ps(process.pid) < 300e6
        process.stdin.close()
        process.wait(PATIENCE_S)


@pytest.mark.parametrize("words", ["lpc_core.data._base.DataError: expected to download it, got no connection",
                                   "  File \"x.py\", line 3\nValueError: expected a number", "KeyError: 'a'"])
def test_no_name_of_an_exception_reaches_a_page(words):
    assert jobs.complaint(1, words, "try less") == "Something unexpected ended the job; the server's log says what."
    assert jobs.complaint(2, "lpc: gammas: expected a number", "try less") == "gammas: expected a number"
