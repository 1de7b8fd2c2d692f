"""Login: where the server's secrets name an OpenID Connect provider, only whom that vouches for gets in.

It is Streamlit's own (``st.login``): a section ``[auth]`` in ``.streamlit/secrets.toml`` turns it on, and a signed
cookie says who is there. Streamlit asks in its pages only; `OnlyKnown` asks on every other way in as well.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import auth_util, config
from streamlit.errors import StreamlitAuthError
from streamlit.runtime.secrets import secrets_singleton as secrets
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from app.hosts import refuse
from app.settings import SettingsError, from_env
from app.words import _

OPEN = ("/lab/static/", "/lab/words/", "/lab/plotly.min.js", "/lab/health")  # what a page is made of tells nothing
CLOSED = ("/lab/", "/_stcore/upload_file/", "/media/")
SECRET = 32  # characters of ``cookie_secret``, at least: who guesses it is anybody
WANTED, WANTED_S, WANTED_LENGTH = "lpc_wanted", 900, 2_000


@functools.cache
def asked() -> bool:
    """Whether this server wants a login."""
    return secrets.load_if_toml_exists() and secrets.get("auth") is not None


def check() -> None:
    """Raise `SettingsError` for a login that cannot work, or that may be asked for where nobody can read."""
    written = [path for path in config.get_option("secrets.files") if Path(path).exists()]
    if written and not secrets.load_if_toml_exists():
        raise SettingsError(f"{written[-1]}: expected TOML that can be read, got something else; whether it asks for a "
                            "login cannot be told")
    if not asked():
        if from_env().allowed_users:
            raise SettingsError("LPC_ALLOWED_USERS: expected a section [auth] in .streamlit/secrets.toml, got none; "
                                "without a login the server knows nobody's address")
        return
    if not auth_util.is_authlib_installed():
        raise SettingsError("A login is asked for by [auth] in .streamlit/secrets.toml; expected the packages Authlib "
                            "and httpx, got none; pip install 'lpc-lab[login]'")
    try:
        for provider in providers():
            auth_util.validate_auth_credentials(provider)
    except StreamlitAuthError as error:
        raise SettingsError(" ".join(str(error).split())) from None
    if len(auth_util.get_signing_secret()) < SECRET:
        raise SettingsError(f"cookie_secret in .streamlit/secrets.toml: expected {SECRET} random characters or more, "
                            "got fewer")


def providers() -> list[str]:
    """The names under which the secrets have providers; ``default`` is the one without a name."""
    section = auth_util.get_secrets_auth_section()
    return [name for name, of in section.items() if isinstance(of, Mapping) and "client_id" in of] or ["default"]


def user(cookies: Mapping[str, str]) -> dict[str, Any] | None:
    """What the provider said of whoever has ``cookies``; None for who has not logged in."""
    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))

    found = auth_util.get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    said = json.loads(found) if found else {}
    return said if said.get("is_logged_in") else None


def known(cookies: Mapping[str, str]) -> bool:
    """Whether whoever has ``cookies`` may come in: logged in, and one of ``LPC_ALLOWED_USERS`` where that is set."""
    said = user(cookies)
    if said is None or not _allowed():
        return said is not None
    address = str(said.get("email", "")).lower() if said.get("email_verified", True) in (True, "true") else ""
    return bool(address) and not _allowed().isdisjoint((address, f"@{address.rpartition('@')[2]}"))


@functools.cache
def _allowed() -> frozenset[str]:
    return frozenset(each.lower() for each in from_env().allowed_users)


def inside() -> bool:
    """Whether the page's reader may see more of it than `door`."""
    return not asked() or known(st.context.cookies)


def door() -> None:
    """What a page shows to whom it does not know: the way in."""
    st.title("LPC Lab")
    said = user(st.context.cookies)
    if said is None:
        st.write(_("This server is for people whom it knows. Log in, and the page that you wanted opens."))
        for name in providers():
            words = _("Log in") if name == "default" else _("Log in with {name}", name=name)
            st.button(words, key=f"lpc-login-{name}", type="primary", on_click=st.login, args=(name,))
    else:
        st.warning(_("You have logged in, but this server does not know you under this address:"))
        st.text(str(said.get("email") or said.get("sub")))
        st.html("".join(ways_out()))


def ways_out() -> list[str]:
    """The link that logs out, as HTML; none where nobody logs in."""
    words = _("Log out")
    return [f'<a href="auth/logout" target="_self">{escape(words)}</a>'] if asked() else []


class OnlyKnown:
    """Refuses whoever is not `known` all that is more than a page's own files, and remembers the link they wanted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        if scope["type"] not in ("http", "websocket") or not asked():
            await self._app(scope, receive, send)
            return
        call = HTTPConnection(scope)
        if scope["path"].startswith(CLOSED) and not scope["path"].startswith(OPEN) and not known(call.cookies):
            await refuse(PlainTextResponse("Log in first, on any page of this server.", 401), scope, receive, send)
        elif scope["type"] == "http" and "text/html" in call.headers.get("accept", ""):
            await self._page(call, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _page(self, call: HTTPConnection, receive: Receive, send: Send) -> None:
        """A page: who came by a link and had to log in first is led on to it from the start, where providers lead."""
        path, query, wanted = call.scope["path"], call.url.query, unquote(call.cookies.get(WANTED, ""))
        logged_in = user(call.cookies) is not None
        if logged_in and wanted:
            led: Response | None = RedirectResponse(wanted) if path == "/" and not query and _is_page(wanted) else None
            forget = Response()
            forget.delete_cookie(WANTED)
            await (led or self._app)(call.scope, receive, _with_cookies(send, forget))
            return
        here = f"{path}?{query}" if query else path
        if not logged_in and here != "/" and _is_page(here):
            keep = Response()
            keep.set_cookie(WANTED, quote(here, safe=""), max_age=WANTED_S, httponly=True, samesite="lax")
            send = _with_cookies(send, keep)
        await self._app(call.scope, receive, send)


def _is_page(link: str) -> bool:
    """Whether ``link`` is a path of one of our pages with its query, and leads nowhere else."""
    name = link.partition("?")[0][1:]
    return (link.startswith("/") and len(link) <= WANTED_LENGTH and link.isascii() and link.isprintable()
            and not set(name) & set("/\\.") and name != "oauth2callback")


def _with_cookies(send: Send, of: Response) -> Send:
    """A ``send`` that sets the cookies of another response, too."""
    more = [(name, value) for name, value in of.raw_headers if name == b"set-cookie"]

    async def with_cookies(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return with_cookies
