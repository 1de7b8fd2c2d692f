"""What lies on a disk instead of the file that was meant: a pointer, a web page, a server's error, nothing at all.

Downloads and clones leave these under the right name, and a reader that only looks for its own format blames the
format. Nothing is parsed here beyond the bytes it is given.
"""

from __future__ import annotations

import re
import zlib

HEAD = 4096  # bytes; how much of a file's beginning is enough for `named`
GZIP = b"\x1f\x8b"

_AGAIN = "fetch the file itself: its address, opened in a browser, shows what the server says"
_LEADING = re.compile(rb"(?:\s|<!--.*?-->)*", re.DOTALL)
_KINDS = (  # (what the text begins with, what it is, what to do); the first match counts
    (rb"version https://(?:git-lfs|hawser)\.github\.com/spec/",
     "a Git-LFS pointer in place of the file", "run `git lfs pull` in its repository, or download the file itself"),
    (rb"(?:\.\./)*(?:\.git|/)?/?annex/objects/",
     "a git-annex pointer in place of the file", "run `git annex get` in its repository, or download the file itself"),
    (rb"# xet version ", "a Xet pointer in place of the file", "download the file itself"),
    (rb"outs:\s*\n\s*-\s+(?:md5|hash|path|etag|size):",
     "a DVC pointer in place of the file", "run `dvc pull` in its repository, or download the file itself"),
    (rb"\[InternetShortcut\]", "a link to a web page", "download the file that it links to"),
    (rb"HTTP/\d(?:\.\d)? \d{3}", "a server's answer with its headers", _AGAIN),
    (rb"(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|body|title|script|meta|div|center|h1|p)\b[^a-z-]",
     "a web page", _AGAIN),
    (rb"(?:<\?xml[^>]*>\s*)?<(?:\w+:)?(?:error|errors|errorresponse|fault|exception|response|envelope)\b",
     "a server's error message (XML)", _AGAIN),
    (rb"\[?\s*\{\s*\"(?:error|errors|error_code|error_description|message|detail|details|fault|status|statuscode"
     rb"|status_code|success|documentation_url)\"\s*:", "a server's error message (JSON)", _AGAIN),
    (rb"(?:(?:error:?\s+)?[45]\d\d[:\s-]+)?(?:(?:entry|repository|file|page|object) )?(?:not found|forbidden"
     rb"|unauthori[sz]ed|access denied|bad request|bad gateway|gateway time-?out|service unavailable"
     rb"|internal server error|too many requests|request timed? ?out|rate limit exceeded"
     rb"|invalid (?:username or password|credentials|token)"
     rb"|access to (?:model|dataset|this resource) )[^\n]{0,200}\s*\Z", "a server's error message", _AGAIN),
)
_APPLE_DOUBLE = b"\x00\x05\x16\x07"


def named(head: bytes) -> str | None:
    """What lies in place of the file that was meant, and what to do; None where the bytes are none of these.

    ``head`` is the file's first `HEAD` bytes, or all of a shorter file. The answer completes "expected …, got": for
    instance "a web page; fetch the file itself: …". What is gzipped is looked into.
    """
    if not head:
        return "an empty file; copy or download it again, to the end"
    if head.startswith(_APPLE_DOUBLE):
        return "the notes that macOS keeps about a file (its name begins with ._); choose the file without ._"
    zipped = head.startswith(GZIP)
    text = _text(_unpacked(head) if zipped else head)
    for start, what, do in _KINDS:
        if re.match(start, text, re.IGNORECASE):
            return f"{what}{', gzipped' if zipped else ''}; {do}"
    return None


def _unpacked(head: bytes) -> bytes:
    """The beginning of what is gzipped; empty where that cannot be unpacked."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD)
    except zlib.error:
        return b""


def _text(head: bytes) -> bytes:
    """``head`` without what may stand before a text: a byte-order mark, spaces, comments; UTF-16 as ASCII."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode("ascii", "replace")
    return _LEADING.sub(b"", head.removeprefix(b"\xef\xbb\xbf"), count=1)
