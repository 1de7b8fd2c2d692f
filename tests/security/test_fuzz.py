"""Good files of every format, damaged ten thousand times: refused in one clean line, or read as something whole."""

import random
import re
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from lpc_core.checkpoint import Checkpoint, Embeddings, FileRefused, Limits, pictures
from lpc_core.film import Film, film_bytes
from tests.core.checkpoint._files import exported, good_files, npy, read_here, zipped

LIMITS = Limits(tensor_bytes=2**24, tensors=1_000)
TOTAL = 10_000
NUMBERS = [0, 1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1]


def damaged(raw, rng):
    """``raw`` after one to four changes: bytes, numbers, cuts, copies."""
    content = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        if len(content) < 16:
            break
        place, length = rng.randrange(len(content)), rng.choice((1, 2, 4, 8, 30))
        change = rng.randrange(8)
        if change == 0:
            content[place] ^= 1 << rng.randrange(8)
        elif change == 1:
            content[place] = rng.choice(b"\x00\xff\x7f\x80().,[]{}:\"'0123456789-cRbQtu")
        elif change == 2:
            width = rng.choice((2, 4, 8))
            number = rng.choice(NUMBERS) % 256**width
            content[place : place + width] = number.to_bytes(width, rng.choice(("little", "big")))
        elif change == 3:
            del content[place : place + length]
        elif change == 4:
            content[place:place] = content[place : place + length]
        elif change == 5:
            other = rng.randrange(len(content))
            content[place : place + length] = content[other : other + length]
        elif change == 6:
            content[place:place] = rng.randbytes(length)
        elif rng.random() < 0.2:
            del content[place:]
    return bytes(content)


def within(raw, rng):
    """A zip archive with one member damaged and the directory right: the damage gets past the checksums."""
    with zipfile.ZipFile(BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice([name for name, content in members.items() if len(content) > 15])
    return zipped(members | {name: damaged(members[name], rng)})


def small_film():
    from lpc_core.config import unflatten
    from lpc_core.film.record import record
    from lpc_core.presets import default_run

    config = unflatten({"steps": 10, "hidden": (4,), "samples": 60}, default_run("hypercube"))
    return film_bytes(record(config, np.array([0.1, 1.0]), 2, 10))


@pytest.fixture(scope="module")
def seeds():
    """{name: (good bytes, how to damage them)}."""
    files = {name: raw for name, raw in good_files().items() if name != "table.parquet"}
    files |= {"run.film.safetensors": small_film(), "model.pt2": exported()}
    rows = np.zeros(5, [("latents", "f4", 2), ("labels", "i8")])
    files["small.npy"] = npy(rows)
    ways = {name: (raw, damaged) for name, raw in files.items()}
    ways |= {f"within {name}": (raw, within) for name, raw in files.items() if raw[:2] == b"PK"}
    return ways


def check(found):
    """What was read is whole: sizes agree, nothing is NaN that must not be, texts are printable, memory is bounded."""
    if isinstance(found, Embeddings):
        n, d = found.latents.shape
        assert np.isfinite(found.latents).all()
        assert found.labels.shape == (n,)
        assert 0 <= found.labels.min() <= found.labels.max() < len(found.class_names)
        assert found.weight is None or found.weight.shape == (len(found.class_names), d)
        assert all(name.isprintable() for name in found.class_names)
        return
    if isinstance(found, Film):
        assert found.positions(0, 0).shape[0] == len(found.labels)
        return
    assert isinstance(found, Checkpoint)
    assert found.tensors
    assert sum(tensor.numel() * tensor.itemsize for tensor in found.tensors.values()) <= LIMITS.tensor_bytes
    for name, tensor in found.tensors.items():
        assert name.isprintable()
        assert tensor.clone().shape == tensor.shape  # touches every value


def opened(raw, name):
    """Whether the file was read; what was is whole, and a refusal is one clean line."""
    try:
        found = read_here(raw, name, LIMITS)
    except FileRefused as error:
        line = str(error)
    else:
        check(found)
        return True
    assert line.isprintable()
    assert len(line) <= 1_300
    assert re.match("expected .*, got .*; .*", line), line
    return False


def test_ten_thousand_damaged_files(seeds):
    rng = random.Random(2310)
    read = dict.fromkeys(seeds, 0)
    for number in range(TOTAL):
        kind = list(seeds)[number % len(seeds)]
        raw, way = seeds[kind]
        name = kind.removeprefix("within ")
        content = way(raw, rng)
        try:
            read[kind] += opened(content, name)
        except Exception as error:
            raise AssertionError(f"damage number {number} of {kind} gave {error!r}") from error
    assert sum(read.values()) > TOTAL / 100  # damage in the values is not seen: the rest of the file is whole


def test_damaged_archives_of_pictures():
    """The picture reader: what it reads is whole, what it leaves out is named, and a refusal is one clean line."""
    image = pytest.importorskip("PIL.Image")
    image.init()
    good, rng = archive_of_pictures(image), random.Random(1917)
    outcomes = [pictures_read(way(good, rng)) for _ in range(1_000) for way in (damaged, within)]
    assert {"refused", "left out", "whole"} == set(outcomes)


def archive_of_pictures(image):
    pixels, members = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8), {"c/": b"", ".DS_Store": b"x"}
    for place, kind in enumerate(("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF") * 2):
        raw = BytesIO()
        image.fromarray(pixels).save(raw, kind)
        members[f"{'ab'[place % 2]}/{place}.{kind.lower()}"] = raw.getvalue()
    return zipped(members)


def pictures_read(raw):
    try:
        message = pictures.read(memoryview(raw), {"side": 8}, LIMITS)
    except FileRefused as error:
        line = str(error)
        assert line.isprintable()
        assert len(line) <= 1_300
        assert re.match("expected .*, got .*; .*", line), line
        assert "0x" not in line
        return "refused"
    arrays, told = message.arrays(), [*message.facts["notes"], *message.facts["warnings"]]
    assert arrays["inputs"].shape[:3] == (len(arrays["labels"]), 8, 8)
    assert arrays["labels"].max() < len(message.facts["class_names"])
    assert all(text.isprintable() and "0x" not in text for text in told)
    return "left out" if message.facts["warnings"] else "whole"


PARQUET = """
import random, sys
sys.path.insert(0, sys.argv[1])
from tests.security.test_fuzz import damaged, good_files, opened
raw = good_files()["table.parquet"]
for number in range(int(sys.argv[2]), 300):
    print(number, flush=True)
    opened(damaged(raw, random.Random(number)), "table.parquet")
"""


def test_damaged_parquet_in_a_process_of_its_own():
    """pyarrow is not ours and may crash, which `sandbox` turns into a refusal; but nothing else may come out of it."""
    start = 0
    while start < 300:
        command = [sys.executable, "-c", PARQUET, Path(__file__).parents[2], str(start)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode <= 0, done.stderr[-2_000:]
        start = int(done.stdout.split()[-1]) + 1
    assert start == 300
