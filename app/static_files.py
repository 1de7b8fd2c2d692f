"""Our own files for the browser, at addresses that name their version: kept for good, and never out of date."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"  # keep it, but ask each time whether it is still right (ETag)


class _Seen:
    version = ""  # at the last look


def look() -> str:
    """Name all files of ``app/static`` together anew: modules import each other by plain names below it."""
    found = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        about = path.stat()
        found.update(f"{path.relative_to(STATIC).as_posix()} {about.st_size} {about.st_mtime_ns}\n".encode())
    _Seen.version = found.hexdigest()[:16]
    return _Seen.version


def version() -> str:
    """Their name at the last look, which every page that is opened takes: who changes a file sees it by reloading."""
    return _Seen.version or look()


def address(name: str, at: str = "") -> str:
    """Where pages find ``app/static``'s file ``name`` (of the version ``at``), relative to the lab."""
    return f"lab/static/{at or version()}/{name}"


class OwnFiles(StaticFiles):
    """`app/static`: for good at its version's address; revalidated at each use at any other."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As the base class, with the cache header."""
        first, _, rest = Path(path).as_posix().partition("/")
        named = re.fullmatch("[0-9a-f]{16}", first) and rest  # of an older server, too: its pages are still open
        response = await super().get_response(str(Path(rest)) if named else path, scope)
        response.headers["cache-control"] = FOREVER if first == version() else REVALIDATE
        return response
