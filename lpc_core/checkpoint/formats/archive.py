"""zip archives: the directory is checked as a whole before any member is read.

Refused are: archives with anything before, after or between what the directory lists that could be read in two ways,
overlapping members, links, names that leave a folder, names given twice, encryption, methods other than stored and
deflated, sizes that no deflate stream can have, and totals above the limits. Members inside members are never opened as
archives by this module. Stored members are handed out without a copy; deflated ones never grow past the size stated
(.ZIP File Format Specification 6.3.10, sections 4.3 and 4.5).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from lpc_core.checkpoint._base import FileRefused, Limits, refusal
from lpc_core.checkpoint._message import check_total
from lpc_core.files.impostors import HEAD, named
from lpc_core.files.words import amount, printable

LOCAL, CENTRAL, END, END64, LOCATOR64 = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
STORED, DEFLATED = 0, 8
MAX_GROWTH = 1_032  # a deflate stream can't unfold to more than this many times its size
MAX_NAME = 500
AGAIN = "save or copy the file again"


@dataclass(frozen=True)
class Member:
    """One entry of the directory."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int  # bytes in the archive
    size: int  # bytes unpacked
    start: int  # of its local header
    attributes: int


class Archive:
    """The members of a zip archive by name; reading one checks its local header, its size and its checksum."""

    def __init__(self, raw: memoryview, limits: Limits) -> None:
        if bytes(raw[:2]) != b"PK" and (impostor := named(bytes(raw[:HEAD]))):
            raise FileRefused(f"expected a zip archive, got {impostor}")
        self._raw = raw
        directory, end, count = _directory_place(raw)
        if count > limits.tensors + 100:
            raise refusal(f"at most {limits.tensors + 100:,} members in the archive", f"{count:,}", "save fewer arrays")
        self.members: dict[str, Member] = {}
        for member in _directory(raw, directory, end, count):
            _check(member)
            if member.name in self.members:
                raise refusal("each member of the archive once", f"{_named(member)} twice", AGAIN)
            self.members[member.name] = member
        check_total(sum(member.size for member in self.members.values()), limits)
        self._places = {member.name: _place(raw, member) for member in self.members.values()}
        _check_overlaps(sorted(self._places.items(), key=lambda item: item[1]), self.members, directory)
        self.damaged: list[str] = []  # members read without their checksum being right

    def read(self, name: str, *, strict: bool = True) -> memoryview:
        """The member's bytes; a wrong checksum is refused, or put down in `damaged` unless ``strict``."""
        member = self.members[name]
        data = self._raw[self._places[name][1] : self._places[name][1] + member.packed]
        if member.method == DEFLATED:
            data = memoryview(_inflated(data, member))
        if zlib.crc32(data) != member.crc:
            if strict:
                raise refusal("members as their checksums say", f"another content of {_named(member)}", AGAIN)
            self.damaged.append(name)
        return data


def _directory_place(raw: memoryview) -> tuple[int, int, int]:
    """Start and end of the directory and how many members it lists, from the record at the archive's end."""
    tail = bytes(raw[-65_557:])
    found = tail.rfind(END)
    place = len(raw) - len(tail) + found
    if found < 0 or len(tail) - found < 22:
        raise refusal("a whole zip archive", "one without its end (cut short?)", AGAIN)
    disk, first, here, count, size, start, comment = struct.unpack("<4H2IH", tail[found + 4 : found + 22])
    if place + 22 + comment != len(raw):
        raise refusal("a zip archive and nothing after it", f"{len(raw) - place - 22 - comment:,} bytes more", AGAIN)
    if bytes(raw[max(place - 20, 0) : max(place - 16, 0)]) == LOCATOR64:
        disk, first, here, count, size, start, place = _directory64(raw, place)
    if disk or first or here != count:
        raise refusal("a zip archive in one file", "a part of one", "join the parts")
    if start + size != place:
        raise refusal(f"the zip directory to end at {place:,}", f"a claim of {amount(start + size)}", AGAIN)
    return start, place, count


def _directory64(raw: memoryview, place: int) -> tuple[int, ...]:
    """The same fields from the zip64 records, and where those begin."""
    (start64,) = struct.unpack("<Q", raw[place - 12 : place - 4])
    if start64 + 56 != place - 20 or bytes(raw[start64 : start64 + 4]) != END64:
        raise refusal("zip64 records before the archive's end", "others", AGAIN)
    disk, first, here, count, size, start = struct.unpack("<2I4Q", raw[start64 + 16 : start64 + 56])
    return disk, first, here, count, size, start, start64


def _directory(raw: memoryview, position: int, end: int, count: int) -> list[Member]:
    """The entries between ``position`` and ``end``, which must be ``count``."""
    members: list[Member] = []
    for _ in range(count):
        if end - position < 46 or bytes(raw[position : position + 4]) != CENTRAL:
            raise refusal(f"{count:,} entries in the zip directory", f"{len(members):,}", AGAIN)
        (flags, method, crc, packed, size, name, extra, comment, disk, attributes, start) = struct.unpack(
            "<HH4x3I3HH2xII", raw[position + 8 : position + 46])
        after = position + 46
        text = _text(bytes(raw[after : after + name]))
        packed, size, start = _large(bytes(raw[after + name : after + name + extra]), (packed, size, start))
        members.append(Member(text, flags, method, crc, packed, size, start, attributes))
        position = after + name + extra + comment
        if disk not in (0, 0xFFFF):
            raise refusal("a zip archive in one file", "a part of one", "join the parts")
    if position != end:
        raise refusal(f"{count:,} entries in the zip directory", "bytes beside them", AGAIN)
    return members


def _text(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _large(extra: bytes, values: tuple[int, int, int]) -> tuple[int, int, int]:
    """Packed size, size and start, of which those that are all ones lie in the zip64 field, unpacked size first."""
    packed, size, start = values
    if 0xFFFFFFFF not in values:
        return values
    field = _extra_field(extra, 1)
    wide = [int.from_bytes(field[i : i + 8], "little") for i in range(0, len(field) - 7, 8)]
    try:
        size = wide.pop(0) if size == 0xFFFFFFFF else size
        packed = wide.pop(0) if packed == 0xFFFFFFFF else packed
        start = wide.pop(0) if start == 0xFFFFFFFF else start
    except IndexError:
        raise refusal("the zip64 sizes of large members", "none", AGAIN) from None
    return packed, size, start


def _extra_field(extra: bytes, wanted: int) -> bytes:
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == wanted:
            return extra[position + 4 : position + 4 + length]
        position += 4 + length
    return b""


def _check(member: Member) -> None:
    """Refuse a member by what the directory says of it."""
    parts = member.name.split("/")
    if (not member.name.isprintable() or not 0 < len(member.name) <= MAX_NAME or "\\" in member.name
            or ":" in member.name or ".." in parts or member.name.startswith("/")):
        raise refusal("names of archive members that stay in a folder", _named(member), "make the archive again")
    if member.attributes >> 28 == 0xA:  # the upper half holds Unix's mode
        raise refusal("files in the archive", f"the link {_named(member)}", "put the file itself in it")
    if member.flags & 0x2041:
        raise refusal("an archive without a password", f"{_named(member)} encrypted", "decrypt it first")
    if member.method not in (STORED, DEFLATED):
        raise refusal("archive members stored or deflated", f"method {member.method} for {_named(member)}",
                      "pack the archive with one of these")
    stored_wrong = member.method == STORED and member.size != member.packed
    if stored_wrong or member.size > MAX_GROWTH * member.packed + 100:
        raise refusal("sizes that agree in the zip directory", f"{amount(member.size)} from {member.packed:,} for "
                      f"{_named(member)}", AGAIN)


def _place(raw: memoryview, member: Member) -> tuple[int, int, int]:
    """Where the member's local header and its bytes begin and where they end; the header must repeat the directory."""
    head = bytes(raw[member.start : member.start + 30])
    if len(head) < 30 or head[:4] != LOCAL:
        raise refusal("a header before each archive member", f"none before {_named(member)}", AGAIN)
    flags, method, packed, size, name, extra = struct.unpack("<HH8xII2H", head[6:30])
    begin = member.start + 30 + name + extra
    if (_text(bytes(raw[member.start + 30 : member.start + 30 + name])), method, flags & 0x2041) != (
            member.name, member.method, 0):
        raise refusal("headers that agree with the zip directory", f"another one for {_named(member)}", AGAIN)
    known = (member.packed, member.size)
    if not flags & 8 and 0xFFFFFFFF not in (packed, size) and (packed, size) != known:
        raise refusal("headers that agree with the zip directory", f"another size for {_named(member)}", AGAIN)
    return member.start, begin, begin + member.packed


def _check_overlaps(places: list[tuple[str, tuple[int, int, int]]], members: dict[str, Member], directory: int) -> None:
    """Refuse members that share bytes with each other or with the directory, or anything before the first."""
    last = 0
    for name, (start, _, end) in places:
        if start < last or end > directory:
            raise refusal("archive members that lie apart", f"{_named(members[name])} over another", AGAIN)
        last = end
    if places and places[0][1][0] != 0:
        raise refusal("a zip archive and nothing before it", f"{places[0][1][0]:,} bytes", AGAIN)


def _inflated(data: memoryview, member: Member) -> bytes:
    """The member unpacked; never more than a byte past its stated size."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(data, member.size + 1)
    except zlib.error as error:
        raise refusal("a deflated archive member", f"bytes that are not ({printable(error)}) in {_named(member)}",
                      AGAIN) from None
    if len(content) != member.size or not stream.eof or stream.unused_data:
        raise refusal(f"{amount(member.size)} in {_named(member)}", "another number unpacked", AGAIN)
    return content


def _named(member: Member) -> str:
    return repr(member.name[:60])
