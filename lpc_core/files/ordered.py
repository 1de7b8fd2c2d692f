"""safetensors files that are equal where their contents are: the library writes metadata in a random order."""

from __future__ import annotations

import json

from lpc_core.files.plain_json import dumps

LENGTH = 8  # bytes in front of the header, which say how long it is


def ordered(raw: bytes) -> bytes:
    """The same file with its metadata in the order of their names. The header's length stays, and so all offsets."""
    end = LENGTH + int.from_bytes(raw[:LENGTH], "little")
    header = json.loads(raw[LENGTH:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = dumps(header, ensure_ascii=False, separators=(",", ":")).encode().ljust(end - LENGTH)
    if len(text) != end - LENGTH:
        raise ValueError(f"expected a header of {end - LENGTH:,} bytes as the library writes it, got {len(text):,}")
    return raw[:LENGTH] + text + raw[end:]
