"""Routes to files: what desks publish, a film's offline page, and a run's page that trains without a server.

Our own pages alone get them; what lies on a desk, by its token.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import threading

import segno
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from app.desks import jobs
from app.desks.jobs import find
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
_waiting = threading.BoundedSemaphore(WAITING)


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
    path = await asyncio.to_thread(find, call.query_params.get("token", ""))
    if path is None or not path.is_file():
        return PlainTextResponse("No such file; make it again.", 404, headers=_HEADERS)
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


async def film_page(call: Request) -> Response:
    """The film of ``?token=`` as one page that plays without a network."""
    return await _converted(call, "film_export", ".html", "text/html")


async def film_gif(call: Request) -> Response:
    """Run number ``?run=`` of the film of ``?token=`` as a moving picture."""
    return await _converted(call, "movie", ".gif", "image/gif", *_run_of(call))


async def film_mp4(call: Request) -> Response:
    """The same as a video, where what writes one is installed."""
    return await _converted(call, "movie", ".mp4", "video/mp4", *_run_of(call))


def _run_of(call: Request) -> list[str]:
    """The run's number, where the query has one that could be; a number that no film has is refused later."""
    given = call.query_params.get("run", "")
    return [given] if given.isascii() and given.isdigit() and len(given) < 6 else []


async def _converted(call: Request, module: str, suffix: str, media: str, *more: str) -> Response:
    """The film of ``?token=`` as ``app.looks.module`` makes another file of it."""
    if not same_origin(call):
        return PlainTextResponse("Films are for this server's own pages.", 403)
    path = find(call.query_params.get("token", ""))
    if path is None:
        return PlainTextResponse("No such film; record it again.", 404, headers=_HEADERS)
    made = path.with_name(f"page-{secrets.token_hex(8)}{suffix}")
    arguments = [str(path), str(made), *more]
    with speaking(_language_of(call)):
        error = await asyncio.to_thread(jobs.do, f"app.looks.{module}", arguments, made.parent, SMALLER)
    if error:
        return PlainTextResponse(f"This film cannot be exported: {error.removeprefix(f'{module}: ')}", 410,
                                 headers=_HEADERS)
    return FileResponse(made, media_type=media, filename=f"lpc-lab-film{suffix}", headers=_HEADERS,
                        background=BackgroundTask(made.unlink, missing_ok=True))


def _language_of(call: Request) -> str:
    return chosen(call.query_params.get("lang"), call.headers.get("accept-language"))


async def run_page(call: Request) -> Response:
    """The run that the query names, as a link does, or a lesson's, in one page that trains without a server."""
    if not same_origin(call):
        return PlainTextResponse("Runs are for this server's own pages.", 403)
    texts = {name: text for name, text in call.query_params.items() if name != "lang"}
    try:
        group, _ = asked(texts)
    except ConfigError as error:
        return PlainTextResponse(f"No such run: {error}.", 400, headers=_HEADERS)
    if reason := needs_server(group):
        return PlainTextResponse(f"No page can train it: {reason}.", 400, headers=_HEADERS)
    if not _waiting.acquire(blocking=False):
        return PlainTextResponse("Many pages are being made; try again in a minute.", 503, headers=_HEADERS)
    try:
        with speaking(_language_of(call)):
            return await asyncio.to_thread(_made, group.data.dataset, texts)
    finally:
        _waiting.release()


def _made(dataset: str, texts: dict[str, str]) -> Response:
    folder = rooms.folder("desk")
    settings = [f"{name}={text}" for name, text in texts.items()]
    error = jobs.do("app.offline.page", [str(folder / "run.html"), *settings], folder, LIGHTER)
    remove = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    if error:
        return PlainTextResponse(f"This page cannot be made: {error.removeprefix('page: ')}", 410, headers=_HEADERS,
                                 background=remove)
    return FileResponse(folder / "run.html", media_type="text/html", filename=f"lpc-lab-{dataset}.html",
                        headers=_HEADERS, background=remove)
