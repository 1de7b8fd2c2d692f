"""zip archives: zip64, data descriptors and deflate are read; what could be read in two ways is refused."""

import io
import struct
import zipfile
import zlib

import pytest

from lpc_core.checkpoint import FileRefused, Limits
from lpc_core.checkpoint.formats.archive import Archive
from tests.core.checkpoint._files import zipped

GOOD = zipped({"a.npy": b"first", "b.npy": b"second"})


def archive(raw, limits=Limits()):  # noqa: B008
    return Archive(memoryview(raw), limits)


class _Pipe(io.RawIOBase):
    """A stream without places: zipfile then writes sizes after the data."""

    def __init__(self):
        self.content = b""

    def writable(self):
        return True

    def write(self, piece):
        self.content += bytes(piece)
        return len(piece)


def test_members_are_read_as_zipfile_reads_them():
    raw = zipped({"folder/a": b"stored"}, zipfile.ZIP_STORED)
    assert bytes(archive(raw).read("folder/a")) == b"stored"
    content = bytes(range(256)) * 40
    assert bytes(archive(zipped({"a": content}, zipfile.ZIP_DEFLATED)).read("a")) == content


def test_sizes_after_the_data_and_zip64():
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", b"x" * 100)
    assert bytes(archive(pipe.content).read("a")) == b"x" * 100
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file, file.open("a", "w", force_zip64=True) as member:
        member.write(b"wide")
    assert bytes(archive(stream.getvalue()).read("a")) == b"wide"
    assert bytes(archive(zip64_of(b"wide")).read("a")) == b"wide"


def zip64_of(content):
    """An archive whose directory and end are zip64 records, as for more than 4 GB."""
    crc, size, ones = zlib.crc32(content), len(content), 0xFFFFFFFF
    extra = struct.pack("<HHQQQ", 1, 24, size, size, 0)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 45, 0, 0, 0, 0, crc, ones, ones, 1, 20) + b"a" + extra[:20]
    local = local[:31] + struct.pack("<HHQQ", 1, 16, size, size) + content
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 45, 45, 0, 0, 0, 0, crc, ones, ones, 1, 28, 0, 0, 0, 0, ones)
    entry += b"a" + extra
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(entry), len(local))
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(local) + len(entry), 1)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, ones, ones, 0)
    return local + entry + end64 + locator + end


def patched(raw, find, offset, new):
    """``raw`` with bytes exchanged, ``offset`` after the last place of ``find``."""
    place = raw.rindex(find) + offset
    return raw[:place] + new + raw[place + len(new):]


CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


@pytest.mark.parametrize(("raw", "message"), [
    (GOOD[:-5], "expected a whole zip archive, got one without its end"),
    (GOOD + b"more", "expected a zip archive and nothing after it, got 4 bytes more"),
    (b"before" + GOOD, "expected the zip directory to end at"),
    (GOOD.replace(b"first", b"other"), "expected members as their checksums say, got another content of 'a.npy'"),
    (patched(GOOD, CENTRAL, 46, b"c.npy"), "expected headers that agree with the zip directory, got another one"),
    (patched(GOOD, LOCAL, 8, b"\x08\x00"), "expected headers that agree with the zip directory, got another one"),
    (patched(GOOD, LOCAL, 18, b"\x01"), "expected headers that agree with the zip directory, got another size"),
    (patched(GOOD, CENTRAL, 42, b"\0\0\0\0"), "expected headers that agree with the zip directory, got another one"),
    (patched(GOOD, CENTRAL, 42, b"\xff\0\0\0"), "expected a header before each archive member, got none"),
    (patched(GOOD, CENTRAL, 24, b"\xff"), "expected sizes that agree in the zip directory, got 255 bytes from 6"),
    (patched(GOOD, CENTRAL, 20, b"\xff\0\0\0\xff"), "expected headers that agree with the zip directory, got another "),
    (patched(GOOD, CENTRAL, 8, b"\x01"), "expected an archive without a password, got 'b.npy' encrypted"),
    (patched(GOOD, LOCAL, 6, b"\x01"), "expected headers that agree with the zip directory, got another one"),
    (patched(GOOD, END, 8, b"\x01\0\x01"), "expected 1 entries in the zip directory, got bytes beside them"),
    (patched(GOOD, END, 8, b"\x03\0\x03"), "expected 3 entries in the zip directory, got 2"),
    (patched(GOOD, END, 4, b"\x01"), "expected a zip archive in one file, got a part of one"),
    (zipped({"a": b"x" * 100_000}, zipfile.ZIP_DEFLATED).replace(struct.pack("<I", 100_000), struct.pack("<I", 99_999)),
     "expected 99,999 bytes in 'a', got another number unpacked"),
    (zipped({"a": b"x" * 100_000}, zipfile.ZIP_DEFLATED).replace(struct.pack("<I", 100_000), struct.pack("<I", 2**31)),
     "expected sizes that agree in the zip directory, got 2,147,483,648 bytes from"),
])
def test_what_could_be_read_in_two_ways_is_refused(raw, message):
    with pytest.raises(FileRefused, match=message):
        archive(raw).read("a.npy" if b"a.npy" in raw else "a")


def two(first, second):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in (first, second):
            file.writestr(zipfile.ZipInfo(name), name)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "a\\b", "C:evil", "a\nb", "\x1b[3m", "x" * 501])
def test_names_that_leave_a_folder_are_refused(name):
    with pytest.raises(FileRefused, match=r"^expected names of archive members that stay in a folder, got") as refusal:
        archive(two(name, "good"))
    assert str(refusal.value).isprintable()


def test_names_given_twice_and_links_are_refused():
    with pytest.raises(FileRefused, match=r"^expected each member of the archive once, got 'bb' twice"):
        archive(two("aa", "bb").replace(b"aa", b"bb"))
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(FileRefused, match=r"^expected files in the archive, got the link 'link'; put the file itself "):
        archive(stream.getvalue())


def test_members_that_share_bytes_are_refused():
    """As in a bomb of overlapping members (Fifield 2019): two entries for one compressed block."""
    inner = zipped({"b": b"kernel" * 1000}, zipfile.ZIP_DEFLATED)
    data = inner[:inner.index(CENTRAL)]
    outer = struct.pack("<4s5H3I2H", LOCAL, 20, 0, 0, 0, 0, zlib.crc32(data), len(data), len(data), 1, 0) + b"a" + data
    entries = b"".join(
        struct.pack("<4s6H3I5H2I", CENTRAL, 20, 20, 0, method, 0, 0, crc, packed, size, 1, 0, 0, 0, 0, 0, start) + name
        for name, method, crc, packed, size, start in (
            (b"a", 0, zlib.crc32(data), len(data), len(data), 0),
            (b"b", 8, zlib.crc32(b"kernel" * 1000), len(data) - 31, 6000, 31)))
    end = struct.pack("<4s4H2IH", END, 0, 0, 2, 2, len(entries), len(outer), 0)
    with pytest.raises(FileRefused, match=r"^expected archive members that lie apart, got 'b' over another"):
        archive(outer + entries + end)


def test_totals_and_counts_are_checked_before_reading():
    bomb = zipped(dict.fromkeys("abc", b"\x00" * 1000000), zipfile.ZIP_DEFLATED)
    assert len(bomb) < 5_000
    with pytest.raises(FileRefused, match=r"^expected arrays of at most 2,000,000 bytes together, got a claim of 3,00"):
        archive(bomb, Limits(tensor_bytes=2_000_000))
    with pytest.raises(FileRefused, match=r"^expected at most 110 members in the archive, got 111; save fewer arrays"):
        archive(zipped({str(i): b"" for i in range(111)}), Limits(tensors=10))
