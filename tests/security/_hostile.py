"""One hostile or odd file: its name, its bytes, and what the refusal says."""

from collections.abc import Callable
from typing import NamedTuple

SCRIPT = "<script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(100)


class Hostile(NamedTuple):
    file_name: str
    made: bytes | Callable[[], bytes]  # a maker, where making it takes long
    message: str | None  # a pattern of the refusal; None: read, as harmless

    @property
    def content(self):
        return self.made() if callable(self.made) else self.made
