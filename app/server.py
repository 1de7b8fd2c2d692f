"""Server: the ASGI app: Streamlit's pages, the live WebSocket, our static files, and headers on every response.

Run it with ``python -m app`` (or ``streamlit run app/server.py``, or any ASGI server with one process). Below a path it
is served by ``LPC_PREFIX`` (`app.proxies`): Streamlit's ``server.baseUrlPath`` is not supported.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import gc
import gzip
import hashlib
import importlib.metadata
import itertools
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # `streamlit run app/server.py` puts only this file's own folder there
    sys.path.insert(0, str(HERE.parent))
# Streamlit puts the script's folder first before each run and takes it away afterwards; whatever another thread imports
# or looks up in that moment, going through the list, misses an entry. Where it stands already, Streamlit leaves it.
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))

import streamlit as st  # noqa: E402
from starlette.datastructures import MutableHeaders  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse, PlainTextResponse, Response  # noqa: E402
from starlette.routing import Mount, Route, WebSocketRoute  # noqa: E402
from starlette.types import ASGIApp, Message, Receive, Scope, Send  # noqa: E402
from streamlit import config  # noqa: E402

from app import login, words  # noqa: E402
from app.desks import jobs  # noqa: E402
from app.desks.file_routes import FILM_FORMS, desk_file, film_form, qr_code, run_page, shipped_film  # noqa: E402
from app.hosts import KnownHosts  # noqa: E402
from app.live import hub as hubs  # noqa: E402
from app.live import rooms  # noqa: E402
from app.live.socket import live  # noqa: E402
from app.looks.bundling import modules, plotly_gzipped  # noqa: E402
from app.proxies import Proxied  # noqa: E402
from app.room import register as registers  # noqa: E402
from app.room.socket import frames as room_frames  # noqa: E402
from app.room.socket import words as room_words  # noqa: E402
from app.settings import from_env  # noqa: E402
from app.static_files import FOREVER, REVALIDATE, STATIC, OwnFiles, address, look  # noqa: E402


def _inline_scripts() -> str:
    """The hashes that allow the scripts written into Streamlit's own page, and no others."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
    found = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in found)


# What a page may load: its own server's files. Streamlit sets styles from script, runs a component's code as a blob:
# module, asks whether it may compile WebAssembly and draws icons from data: URLs. No `unsafe-eval`: only Plotly's WebGL
# scatter (`scattergl`) would need it.
CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'self'", f"script-src 'self' blob: 'wasm-unsafe-eval' {_inline_scripts()}",
    "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:", "font-src 'self' data:",
    "media-src 'self' data: blob:", "connect-src 'self'", "worker-src 'self' blob:", "frame-src 'self'",
    "object-src 'none'", "base-uri 'self'", "form-action 'self'",
))


def headers_for(frames: tuple[str, ...]) -> dict[str, str]:
    """The headers of every response where pages of the origins ``frames`` may show the lab in a frame."""
    allowed = " ".join("'self'" if frame == "self" else frame for frame in frames) or "'none'"
    return {
        "content-security-policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors {allowed}",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
    } | ({} if frames else {"x-frame-options": "DENY"})  # which knows no list


SETTINGS = from_env()
HEADERS = headers_for(SETTINGS.frame_ancestors)
SWEEP_S = 60


class OwnHeaders:
    """Adds `HEADERS` to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class OwnPage:
    """Changes what Streamlit sends to a page: its HTML gets our first script and style sheet, and its settings say to
    show no error dialogs: the pages say themselves when the server is away, and go on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        change = None
        if scope["type"] == "http" and scope["method"] == "GET":
            name = scope["path"].removeprefix("/")
            change = _no_dialogs if name == "_stcore/host-config" else _first_files(scope) if "/" not in name else None
        if change is not None:
            asked = [(key, value) for key, value in scope["headers"] if key not in _OF_A_COPY]
            scope, send = {**scope, "headers": asked}, _changed(send, change)
        await self._app(scope, receive, send)


_OF_A_COPY = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")  # what is changed is sent whole


def _changed(send: Send, change: Callable[[bytes], bytes]) -> Send:
    """A ``send`` that gathers a response's body and sends it changed."""
    start: Message = {}
    body = bytearray()

    async def send_changed(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message  # its length is not known yet
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        new = change(bytes(body))
        others = [(key, value) for key, value in start["headers"]
                  if key.lower() not in (b"content-length", b"etag", b"last-modified")]
        others.append((b"vary", b"accept-language"))
        await send({**start, "headers": [*others, (b"content-length", str(len(new)).encode())]})
        await send({"type": "http.response.body", "body": new})

    return send_changed


def _no_dialogs(body: bytes) -> bytes:
    return body.replace(b'"blockErrorDialogs":false', b'"blockErrorDialogs":true')


def _first_files(scope: Scope) -> Callable[[bytes], bytes]:
    """In Streamlit's HTML (anything else stays): relative as all that a page asks for, which may lie below any path;
    and the page's words in the language of whoever asks, for whom the page is marked.
    """
    asked = Request(scope)
    spoken = words.chosen(asked.query_params.get("lang"), asked.headers.get("accept-language"))
    table = f'<script src="lab/words/{spoken}.js?v={words.version(spoken)}"></script>' if spoken != words.OWN else ""
    mark, now = b'<script type="module"', look()
    ours = (f'<link rel="stylesheet" href="{address("kit/stage.css", now)}">'
            f'{table}<script src="{address("kit/page.js", now)}"></script>'
            f'<script type="module" src="{address("kit/terms.js", now)}"></script>{early_files(now)}').encode()

    def change(body: bytes) -> bytes:
        if b"<title>Streamlit</title>" not in body:
            return body
        return body.replace(b'<html lang="en"', f'<html lang="{spoken}"'.encode(), 1).replace(mark, ours + mark, 1)

    return change


async def page_words(call: Request) -> Response:
    """A language's table for the page; for good, as the address that pages use names its version."""
    language = call.path_params["language"]
    if language not in words.LANGUAGES:
        return PlainTextResponse(f"expected one of {', '.join(words.LANGUAGES)}, got another language", 404)
    lasting = call.query_params.get("v") == words.version(language)
    return Response(f"globalThis.lpcWords = {words.page_words(language)};\n", media_type="text/javascript",
                    headers={"cache-control": FOREVER if lasting else REVALIDATE})


@functools.lru_cache(maxsize=1)
def early_files(at: str) -> str:
    """The stage's files as links of a page: the browser fetches them while Streamlit's starts (Plotly can wait).

    Not as a header: a proxy may have room for 4 KB of those. ``at`` is the files' version.
    """
    return "".join(f'<link rel="modulepreload" href="{address(name, at)}">'
                   for name in modules("live/stage.js", STATIC))


async def plotly_js(call: Request) -> Response:
    """The bundle; for good where the URL names the version (``?v=6.1.0``), else revalidated."""
    packed, size = await asyncio.to_thread(plotly_gzipped)
    version = importlib.metadata.version("plotly")
    etag, versioned = f'"plotly-{version}-{size}"', call.query_params.get("v") == version
    headers = {"etag": etag, "cache-control": FOREVER if versioned else REVALIDATE, "vary": "accept-encoding"}
    if call.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in call.headers.get("accept-encoding", ""):
        return Response(packed, media_type="text/javascript", headers=headers | {"content-encoding": "gzip"})
    raw = await asyncio.to_thread(gzip.decompress, packed)
    return Response(raw, media_type="text/javascript", headers=headers)


async def health(request: Request) -> Response:
    """Whether runs can be trained (`Hub.health`): 200 with a ready worker, else 503."""
    body = hubs.current().health()
    return JSONResponse(body, 200 if body["workers"] else 503, headers={"cache-control": "no-store"})


async def failed(request: Request, error: Exception) -> Response:
    """The page for what nobody expected; the log has the rest."""
    return PlainTextResponse("Something went wrong on the server; its log says what.", 500, headers=HEADERS)


def script_failed(error: Exception) -> bool:
    """The same for a page's script: Streamlit has logged the error, and shows nothing more of it."""
    st.error("Something went wrong on the server; its log says what. What you did last may not have been done: try it "
             "again, or reload the page.", icon=":material/error:")
    return True


async def _tidy(register: registers.Register, keep_s: float) -> None:
    """Rooms whose leaders stay away end; what dead servers left goes when its time has come."""
    for second in itertools.count(1):
        await asyncio.sleep(1.0)
        register.tidy()
        if second % SWEEP_S == 0:
            await asyncio.to_thread(rooms.sweep, keep_s)


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    """Workers start with the server and end with it."""
    login.check()
    gc.collect()
    gc.freeze()  # what was imported: Streamlit looks through all the rest after each run of a page's script
    config.set_option("server.maxUploadSize", SETTINGS.upload_mb)  # here: our config.toml has been read by now
    hub = hubs.Hub(from_env())
    keep_s = hub.settings.keep_s
    await asyncio.to_thread(rooms.sweep, keep_s)
    await asyncio.to_thread(hub.start)
    hubs.install(hub)
    registers.install(registers.Register(hub))
    tidy = asyncio.create_task(_tidy(registers.current(), keep_s))
    warm = asyncio.create_task(asyncio.to_thread(plotly_gzipped))
    try:
        yield {"hub": hub}
    finally:
        await asyncio.gather(warm, return_exceptions=True)
        tidy.cancel()
        registers.install(None)
        hubs.install(None)
        await asyncio.to_thread(jobs.close_all)
        await asyncio.to_thread(hub.stop, keep=keep_s > 0)


os.environ.setdefault("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false")
app = st.App(
    HERE / "main.py",
    lifespan=lifespan,
    routes=[
        WebSocketRoute("/lab/ws", live),
        WebSocketRoute("/lab/room", room_words),
        WebSocketRoute("/lab/room/frames", room_frames),
        Route("/lab/health", health),
        Route("/lab/plotly.min.js", plotly_js),
        Route("/lab/words/{language}.js", page_words),
        Route("/lab/file", desk_file),
        *(Route(f"/lab/film.{ending}", film_form) for ending in FILM_FORMS),
        Route("/lab/films/{name}", shipped_film),
        Route("/lab/qr.svg", qr_code),
        Route("/lab/run.html", run_page),
        Mount("/lab/static", OwnFiles()),
    ],
    middleware=[Middleware(OwnHeaders), Middleware(Proxied, SETTINGS), Middleware(KnownHosts, SETTINGS),
                Middleware(login.OnlyKnown), Middleware(OwnPage)],
    on_script_error=script_failed,
    exception_handlers={Exception: failed},
)
