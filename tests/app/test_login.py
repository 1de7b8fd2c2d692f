"""Who may come in where a login is asked for: the cookie's word, the settings, and every way into a real server."""

import http.client
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit import auth_util
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from app import login
from app.settings import SettingsError, from_env
from tests.app.test_hosts import SOCKETS, UPGRADE
from tests.app.test_rooms import running
from tests.app.test_server import start

SECRET = "0123456789abcdef0123456789abcdef"
SECTION = {"redirect_uri": "http://localhost:1/oauth2callback", "cookie_secret": SECRET, "client_id": "lab",
           "client_secret": "s", "server_metadata_url": "http://localhost:2/.well-known/openid-configuration"}
ANNA = {"is_logged_in": True, "email": "Anna@Example.org", "sub": "1"}


def cookies(said, secret=SECRET, name="_streamlit_user"):
    return {"_streamlit_user": create_signed_value(secret, name, json.dumps(said)).decode()}


def secrets_in(home, section):
    folder = home / ".streamlit"
    folder.mkdir()
    lines = (f"{name} = {json.dumps(value)}" for name, value in section.items())
    (folder / "secrets.toml").write_text("\n".join(["[auth]", *lines]))


@pytest.fixture
def asked(monkeypatch):
    """``asked(section, allowed)``: secrets with a section ``[auth]``, and the setting."""
    def set_up(section=SECTION, allowed=""):
        auth = section and auth_util.AttrDict(section)
        found = SimpleNamespace(load_if_toml_exists=lambda: True, get={"auth": auth}.get)
        monkeypatch.setattr(auth_util, "secrets_singleton", found)
        monkeypatch.setattr(login, "secrets", found)
        monkeypatch.setattr(login, "get_cookie_secret", lambda: SECRET)
        monkeypatch.setenv("LPC_ALLOWED_USERS", allowed)
        _forget()

    yield set_up
    _forget()


def _forget():
    login.asked.cache_clear()
    login._allowed.cache_clear()


def test_only_a_cookie_that_the_server_signed_speaks(asked):
    asked()
    assert login.user(cookies(ANNA))["sub"] == "1"
    for wrong in ({}, {"_streamlit_user": "x"}, {"_streamlit_user": "ä\x00"}, cookies(ANNA, secret="other" * 8),
                  cookies(ANNA, name="_streamlit_user_tokens"), cookies({**ANNA, "is_logged_in": False}), cookies({})):
        assert login.user(wrong) is None
        assert not login.known(wrong)
    signed = cookies(ANNA)["_streamlit_user"]
    assert login.user({"_streamlit_user": signed[:-2] + ("AA" if signed[-2:] != "AA" else "BB")}) is None


@pytest.mark.parametrize(("allowed", "said", "inside"), [
    ("", {}, True), ("anna@example.org", {}, True), ("@example.org", {}, True), ("ANNA@EXAMPLE.ORG", {}, True),
    ("bert@example.org,@example.edu", {}, False), ("@example", {}, False), ("@le.org", {}, False),
    ("@example.org", {"email": "eve@evil.org"}, False), ("@example.org", {"email": "x@example.org@evil.org"}, False),
    ("@example.org", {"email": ""}, False), ("@example.org", {"email": None}, False),
    ("@example.org", {"email_verified": False}, False), ("@example.org", {"email_verified": "false"}, False),
    ("@example.org", {"email_verified": True}, True), ("@example.org", {"email_verified": "true"}, True)])
def test_whom_the_setting_names_may_come_in(asked, allowed, said, inside):
    asked(allowed=allowed)
    assert login.known(cookies(ANNA | said)) is inside


@pytest.mark.parametrize("text", ["anna", "a b@c", "@", "a@"])
def test_a_setting_that_names_nobody_is_refused(text):
    with pytest.raises(SettingsError, match="LPC_ALLOWED_USERS: expected addresses or domains"):
        from_env({"LPC_ALLOWED_USERS": text})


@pytest.mark.parametrize(("section", "message"), [
    ({**SECTION, "cookie_secret": "short"}, "cookie_secret .* expected 32 random characters"),
    ({name: SECTION[name] for name in SECTION if name != "client_id"}, r"missing the following keys: \['client_id'\]"),
    ({name: SECTION[name] for name in SECTION if name != "redirect_uri"}, "redirect_uri"),
    ({"x": ""}, "redirect_uri"), ({**SECTION, "a_b": {"client_id": "x"}}, "underscore")])
def test_a_login_that_cannot_work_is_refused_at_the_start(asked, section, message):
    asked(section)
    with pytest.raises(SettingsError, match=message):
        login.check()


def test_a_login_that_can_work_is_not(asked, monkeypatch):
    asked()
    login.check()
    assert login.providers() == ["default"]
    of = {name: SECTION[name] for name in ("client_id", "client_secret", "server_metadata_url")}
    asked({**{name: SECTION[name] for name in ("redirect_uri", "cookie_secret")}, "uni": of, "work": of})
    login.check()
    assert login.providers() == ["uni", "work"]
    monkeypatch.setattr(auth_util, "is_authlib_installed", lambda: False)
    with pytest.raises(SettingsError, match=r"pip install 'lpc-lab\[login\]'"):
        login.check()


def test_users_without_a_login_are_a_mistake(asked):
    asked(None, allowed="@example.org")
    with pytest.raises(SettingsError, match=r"expected a section \[auth\]"):
        login.check()


def test_the_door_shows_one_button_for_each_provider_and_nothing_of_the_page(asked):
    of = {name: SECTION[name] for name in ("client_id", "client_secret", "server_metadata_url")}
    asked({**SECTION, "uni": of, "work": of})
    page = AppTest.from_file(Path(login.__file__).with_name("main.py"), default_timeout=60).run()
    assert [button.label for button in page.button] == ["Log in with uni", "Log in with work"]
    assert [title.value for title in page.title] == ["LPC Lab"]
    assert not page.exception


@pytest.mark.parametrize(("link", "right"), [
    ("/play?seed=3&gamma=1", True), ("/?room=abc", True), ("/play", True), ("//evil.org", False),
    ("/\\evil.org", False),
    ("https://evil.org", False), ("/a/b", False), ("/oauth2callback?code=1", False), ("/x.js", False), ("", False),
    ("/play?a=b\r\nset-cookie:x", False), ("/play?" + "a" * 2_000, False), ("/\t/evil.org", False)])
def test_only_a_page_of_ours_is_led_on_to(link, right):
    assert login._is_page(link) is right


# ---- the server --------------------------------------------------------------------------------------------------

INSIDE = ["/lab/file?token=x", "/lab/film.html?token=x", "/lab/run.html?token=x", "/lab/qr.svg?text=x",
          "/lab/films/none", "/lab/none", "/media/x", "/_stcore/upload_file/a/b"]
OUTSIDE = ["/", "/play?seed=3", "/lab/static/live/stage.js", "/lab/words/de.js", "/_stcore/health"]
LIVE = ["/lab/ws", "/lab/room", "/lab/room/frames"]


@pytest.fixture(scope="module")
def port():
    with tempfile.TemporaryDirectory() as tmp, pytest.MonkeyPatch.context() as patch:
        secrets_in(Path(tmp), SECTION)
        patch.setenv("HOME", tmp)
        patch.setenv("LPC_ALLOWED_USERS", "@example.org")
        with running(Path(tmp)) as (_, at):
            yield int(at.rpartition(":")[2])


def answer(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers=(UPGRADE if path in (*LIVE, *SOCKETS) else {}) | headers)
        found = connection.getresponse()
        return found.status, dict(found.getheaders()), found.read() if found.status != 101 else b""
    finally:
        connection.close()


@pytest.mark.parametrize("path", INSIDE + LIVE)
def test_every_way_in_is_closed_to_who_is_not_known(port, path):
    eve = cookies({**ANNA, "email": "eve@evil.org"})["_streamlit_user"]
    forged = cookies(ANNA, secret="0" * 32)["_streamlit_user"]
    origin = {"Origin": f"http://127.0.0.1:{port}"}
    for value in ("", "x", eve, forged):
        assert answer(port, path, Cookie=f"_streamlit_user={value}", **origin)[0] in (401, 403), value
    status = answer(port, path, Cookie=f"_streamlit_user={cookies(ANNA)['_streamlit_user']}", **origin)[0]
    assert status == 101 if path in LIVE else status not in (401, 500)


def test_uploads_too(port):
    for method in ("POST", "PUT", "DELETE"):
        assert answer(port, "/_stcore/upload_file/a/b", method)[0] == 401


@pytest.mark.parametrize("path", OUTSIDE)
def test_what_a_page_is_made_of_is_open(port, path):
    assert answer(port, path)[0] == 200


def test_a_link_waits_for_the_login(port):
    page = {"Accept": "text/html"}
    status, headers, _body = answer(port, "/play?seed=3&hand=5", **page)
    assert status == 200
    kept = headers["set-cookie"].partition(";")[0]
    assert "HttpOnly" in headers["set-cookie"]
    who = f"_streamlit_user={cookies(ANNA)['_streamlit_user']}"
    status, headers, _body = answer(port, "/", Cookie=f"{kept}; {who}", **page)
    assert (status, headers["location"]) == (307, "/play?seed=3&hand=5")
    assert headers["set-cookie"].startswith('lpc_wanted=""')
    assert answer(port, "/", Cookie=f"lpc_wanted=%2F%2Fevil.org; {who}", **page)[0] == 200
    assert answer(port, "/", Cookie=kept, **page)[0] == 200  # not logged in: no way on


@pytest.mark.parametrize(("written", "said"), [
    ('[auth]\ncookie_secret = "short"', "redirect_uri"), ("[auth]", "redirect_uri"),
    ("[auth", "expected TOML that can be read"), ("\x00\xff", "expected TOML that can be read")])
def test_the_server_does_not_start_open_where_a_login_may_be_meant(tmp_path, monkeypatch, written, said):
    secrets_in(tmp_path, SECTION)
    (tmp_path / ".streamlit" / "secrets.toml").write_text(written)
    monkeypatch.setenv("HOME", str(tmp_path))
    with start(tmp_path) as process:
        assert process.wait(120) == 2
        found = process.stderr.read()
    assert said in found
    assert "Traceback" not in found
