"""Hostile pictures and archives of pictures: refused in one line or left out; nothing executes, nothing costs much."""

import io
import random
import re
import struct
import sys
import zipfile
import zlib

import numpy as np
import pytest

from lpc_core.checkpoint import FileRefused, Limits, pictures, sandbox
from lpc_core.inspection import gather
from tests.security._hostile import Hostile
from tests.security.test_corpus import GB, Watched
from tests.security.test_fuzz import damaged

Image = pytest.importorskip("PIL.Image")

LIMITS = Limits(file_bytes=2**28, tensor_bytes=2**28, memory_bytes=700 * 2**20, seconds=30)
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)


def encoded(kind, **options):
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, kind, **options)
    return out.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *more, data=b"\0"):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def nested():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("c/1.png", encoded("PNG"))
    return out.getvalue()


def long(kind, before):
    """A picture with 256 MB packed into a chunk of it."""
    return lambda: png(2, 2, chunk(kind, before + zlib.compress(bytes(2**28), 1)))


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/lpc-canary) (w) file closefile\n"
NO_PICTURE = r"data: expected a picture in 1\.\w+, got .*; remove or convert it"
HOSTILE = {  # name → (member, content or its maker, message)
    "100,000 × 100,000 pixels": ("c/1.png", png(100_000, 100_000), NO_PICTURE),
    "9,000 × 9,000 pixels": ("c/1.png", png(9_000, 9_000), "expected a picture in 1.png, got 9000 × 9000 pixels"),
    "a text of 256 MB": ("c/1.png", long(b"zTXt", b"a\0\0"), NO_PICTURE),
    "a colour profile of 256 MB": ("c/1.png", long(b"iCCP", b"a\0\0"), NO_PICTURE),
    "a chunk of 4 GB": ("c/1.png", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT", NO_PICTURE),
    "PostScript": ("c/1.png", POSTSCRIPT, NO_PICTURE),
    "PostScript by another name": ("c/1.tif", POSTSCRIPT, NO_PICTURE),
    "SVG with a script": ("c/1.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", NO_PICTURE),
    "an icon": ("c/1.png", encoded("ICO"), NO_PICTURE),
    "JPEG 2000": ("c/1.jpg", b"\x00\x00\x00\x0cjP  \r\n\x87\n", NO_PICTURE),
    "half a JPEG": ("c/1.jpg", encoded("JPEG")[:200], NO_PICTURE),
    "half a TIFF": ("c/1.tif", encoded("TIFF")[:100], NO_PICTURE),
    "a TIFF of itself": ("c/1.tif", b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0", NO_PICTURE),
    "a BMP of 4 GB": ("c/1.bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 0, 0, 0, 54, 40, 2**31 - 1, 1, 1, 24, 0, 0, 0,
                                                  0, 0, 0), NO_PICTURE),
    "a PPM of 10^18": ("c/1.ppm", b"P6 1000000000 1000000000 255\n", NO_PICTURE),
    "nothing": ("c/1.png", b"", NO_PICTURE),
    "an archive": ("c/1.png", nested(), NO_PICTURE),
    "a name that leaves the folder": ("../../c/1.png", encoded("PNG"), "expected names of archive members that stay"),
    "an absolute name": ("/tmp/c/1.png", encoded("PNG"), "expected names of archive members that stay"),
    "no pictures": ("c/1.exe", b"MZ", "data: expected pictures in one folder per class, got none; sort the pictures"),
    "a line end in its name": ("c/1\n2.png", encoded("PNG"), "expected names of archive members that stay"),
}


def packed(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in members:
            file.writestr(name, raw)
    return str(path)


def refused(path, message):
    with pytest.raises(FileRefused) as caught:
        gather(path, limits=LIMITS)
    line = str(caught.value)
    assert re.search(message, line), line
    assert line.isprintable()
    assert len(line) < 1_300


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_in_one_line(name, tmp_path, monkeypatch):
    hostile = Hostile(*HOSTILE[name])
    monkeypatch.setattr(sandbox.subprocess, "Popen", Watched)
    monkeypatch.setattr(Watched, "peak", 0)
    refused(packed(tmp_path / "a.zip", (hostile.file_name, hostile.content)), hostile.message)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    assert Watched.peak < GB
    assert Watched.peak > 0 or sys.platform != "linux"


def test_links_and_overlaps_and_bombs(tmp_path):
    link = zipfile.ZipInfo("c/1.png")
    link.external_attr = 0o120777 << 16
    refused(packed(tmp_path / "link.zip", (link, "/etc/passwd")), "expected files in the archive, got the link")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for place in range(3):
            file.writestr(f"c/{place}.png", bytes(2**27))
    refused(str(tmp_path / "bomb.zip"), "at most 268,435,456 bytes")


def test_a_folder_s_own_links_are_read_as_its_owner_reads_them(tmp_path):
    """A link to something that is no picture gives nothing away: what it holds is never shown."""
    (tmp_path / "c").mkdir()
    (tmp_path / "secret").write_text("the key is 1234")
    (tmp_path / "c" / "1.png").symlink_to(tmp_path / "secret")
    with pytest.raises(FileRefused) as caught:
        gather(str(tmp_path), limits=LIMITS)
    assert "1234" not in str(caught.value)


def test_damaged_pictures_are_refused_cleanly_or_decoded():
    """What `test_fuzz` does for other formats: 1,000 of them, here in this process."""
    rng = random.Random(7)
    good = [encoded(kind) for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")]
    outcomes = [decoded_or_why(damaged(rng.choice(good), rng)) for _ in range(1_000)]
    refusals = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert 0 < len(refusals) < len(outcomes)
    for line in refusals:
        assert line.isprintable()
        assert "0x" not in line
    assert all(outcome.shape[:2] == (8, 8) for outcome in outcomes if not isinstance(outcome, str))


def decoded_or_why(raw):
    try:
        return pictures._pixels(memoryview(raw), 8)
    except FileRefused as error:
        return str(error)
