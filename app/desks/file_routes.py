"""Routes to files: what desks publish, a film's offline page, and a run's page that trains without a server.

Our own pages alone get them; what lies on a desk, by its token.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
import secrets
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import segno
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from app.desks import jobs
from app.desks.samples import FILMS, samples
from app.live import rooms
from app.live.hub import current
from app.live.socket import origin_allowed
from app.offline.reach import asked, needs_server
from app.words import chosen, speaking
from lpc_core.config import ConfigError

LIGHTER = "ask for fewer samples or smaller layers"
WAITING = 8  # pages that are made, or wait to be: one at a time
MOST_OF_A_CODE = 1_500  # letters; a telephone reads no denser one from a projector
SMALLER = "record fewer γ, frames or points"
_HEADERS = {"cache-control": "no-store", "cross-origin-resource-policy": "same-origin"}
FILM_FORMS = {"html": ("film_export", "text/html"), "gif": ("movie", "image/gif"), "mp4": ("movie", "video/mp4")}
_waiting = threading.BoundedSemaphore(WAITING)
_maker = ThreadPoolExecutor(1, "pages")  # its own: those who wait for a page keep no thread from other requests


def same_origin(call: Request) -> bool:
    """Whether one of our own pages asks. Browsers name the origin, or how far it is from us, or (old ones) nothing."""
    origin, site = call.headers.get("origin"), call.headers.get("sec-fetch-site")
    if origin is not None:
        return origin_allowed(origin, call.headers.get("host"), current().settings)
    return site in (None, "same-origin", "none")


async def desk_file(call: Request) -> Response:
    """The file of ``?token=``; with ``&save`` as one to keep."""
    if not same_origin(call):
        return PlainTextResponse("Files are for this server's own pages.", 403)
    path = await asyncio.to_thread(jobs.find, call.query_params.get("token", ""))
    if path is None or not path.is_file():
        return _refused("No such file; make it again.", 404)
    name = f"lpc-lab.{path.name}" if "save" in call.query_params else None
    return FileResponse(path, media_type="application/octet-stream", filename=name, headers=_HEADERS)


async def shipped_film(call: Request) -> Response:
    """A film that comes with the lab, by its file's name: everybody's."""
    film = next((film for film in samples(FILMS) if film.path.name == call.path_params["name"]), None)
    if film is None:
        return PlainTextResponse("No such film comes with the lab.", 404)
    return FileResponse(film.path, media_type="application/octet-stream", headers={"cache-control": "no-cache"})


async def qr_code(call: Request) -> Response:
    """The text of ``?text=`` as a QR code."""
    text = call.query_params.get("text", "")
    if not same_origin(call) or not 0 < len(text) <= MOST_OF_A_CODE:
        return PlainTextResponse(f"A code holds 1 to {MOST_OF_A_CODE} letters, for this server's own pages.", 400)
    picture = segno.make_qr(text, error="l").svg_inline(scale=4, border=3, light="white")
    return Response(picture.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1), media_type="image/svg+xml")


async def film_form(call: Request) -> Response:
    """The film of ``?token=`` as one page that plays without a network, or its run ``?run=`` as a moving picture."""
    if not same_origin(call):
        return PlainTextResponse("Films are for this server's own pages.", 403)
    path = await asyncio.to_thread(jobs.find, call.query_params.get("token", ""))
    if path is None:
        return _refused("No such film; record it again.", 404)
    ending = call.scope["path"].rpartition(".")[2]
    module, media = FILM_FORMS[ending]
    run = call.query_params.get("run", "")  # a number that no film has is refused later
    which = [run] if module == "movie" and re.fullmatch("[0-9]{1,5}", run) else []
    made = path.with_name(f"page-{secrets.token_hex(8)}.{ending}")
    refused = await _make(call, f"app.looks.{module}", [str(path), str(made), *which], made.parent,
                          cannot="This film cannot be exported", advice=SMALLER)
    return refused or FileResponse(made, media_type=media, filename=f"lpc-lab-film.{ending}", headers=_HEADERS,
                                   background=BackgroundTask(made.unlink, missing_ok=True))


async def run_page(call: Request) -> Response:
    """The run that the query names, as a link does, or a lesson's, in one page that trains without a server."""
    if not same_origin(call):
        return PlainTextResponse("Runs are for this server's own pages.", 403)
    texts = {name: text for name, text in call.query_params.items() if name != "lang"}
    try:
        group, _ = asked(texts)
    except ConfigError as error:
        return _refused(f"No such run: {error}.", 400)
    if reason := needs_server(group):
        return _refused(f"No page can train it: {reason}.", 400)
    folder = rooms.folder("desk")
    path, settings = folder / "run.html", [f"{name}={text}" for name, text in texts.items()]
    answer = await _make(call, "app.offline.page", [str(path), *settings], folder, cannot="This page cannot be made",
                         advice=LIGHTER) or FileResponse(path, media_type="text/html", headers=_HEADERS,
                                                         filename=f"lpc-lab-{group.data.dataset}.html")
    answer.background = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return answer


async def _make(call: Request, module: str, arguments: Sequence[str], folder: Path, *, cannot: str,
                advice: str) -> Response | None:
    """Have ``module`` make a file in ``folder`` in the language of whoever asks; the refusal where it could not."""
    if not _waiting.acquire(blocking=False):
        return _refused("Many pages are being made; try again in a minute.", 503)
    try:
        with speaking(chosen(call.query_params.get("lang"), call.headers.get("accept-language"))):
            speaks = contextvars.copy_context()
        error = await asyncio.get_running_loop().run_in_executor(_maker, speaks.run, jobs.do, module, arguments, folder,
                                                                 advice)
    finally:
        _waiting.release()
    return _refused(f"{cannot}: {error.removeprefix(module.rpartition('.')[2] + ': ')}", 410) if error else None


def _refused(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, headers=_HEADERS)
