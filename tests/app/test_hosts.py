"""By which names the server may be called, on every route: tables, and the server as a reader starts it."""

import base64
import http.client
import socket
import tempfile
from pathlib import Path

import pytest

from app.hosts import allowed, name_of, split_origin
from app.live.socket import origin_allowed
from app.settings import Settings, SettingsError, from_env
from tests.app.test_rooms import running

NETWORK = "192.168.1.5"  # where a connection from the network comes to


@pytest.mark.parametrize(("host", "name"), [
    ("localhost", "localhost"), ("LocalHost:8501", "localhost"), ("localhost.:80", "localhost"), ("[::1]", "[::1]"),
    ("[::1]:8501", "[::1]"), ("a.example.org:1", "a.example.org"), ("a_b", "a_b"), ("127.0.0.1", "127.0.0.1"),
    (None, None), ("", None), ("[::1", None), ("::1", None), ("[zz]", None), ("[::::]", None), ("a b", None),
    ("a:b", None), ("a:1:2", None), ("http://a", None), ("a/b", None), ("a@b", None), ("a:", None), ("ä", None),
    ("a,b", None), ("a\tb", None), ("a:999999", None), ("?", None), ("<script>", None)])
def test_a_host_header_is_a_name_and_perhaps_a_port(host, name):
    assert name_of(host) == name


@pytest.mark.parametrize("origin", ["http://[::1", "http://::1]", "http://[", "http://]", "http://[::::]", "//a", "a", "",  # noqa: E501
                                    "http://", "http://a b", "http://a/b", "http://a:b", "http://a@b", "x" * 9_999,
                                    "http://[zz]", "http://a\\b", "Null"])
def test_a_malformed_origin_is_foreign(origin):
    assert split_origin(origin) is None
    assert origin_allowed(origin, "[::1", Settings()) is False
    assert origin_allowed(origin, "a", Settings()) is False


@pytest.mark.parametrize(("name", "loopback", "network"), [
    ("localhost", True, True), ("127.0.0.1", True, True), ("127.8.9.1", True, True), ("[::1]", True, True),
    ("[::ffff:127.0.0.1]", True, True), ("192.168.1.5", False, True), ("[2001:db8::1]", False, True),
    ("0.0.0.0", False, True), (socket.gethostname().lower(), False, True), ("evil.example", False, False),
    ("localhost.evil.example", False, False), ("127.0.0.1.evil.example", False, False), ("2130706433", False, False),
    ("0x7f.1", False, False)])
def test_names_that_may_be_called_from_here_and_from_the_network(name, loopback, network):
    assert allowed(name, "127.0.0.1", Settings()) is allowed(name, "::1", Settings()) is loopback
    assert allowed(name, "", Settings()) is loopback  # a socket without an address
    assert allowed(name, NETWORK, Settings()) is network


def test_other_names_by_setting():
    lab = Settings(allowed_hosts=("lab.example.org",))
    for local in ("127.0.0.1", NETWORK):
        assert allowed("lab.example.org", local, lab)
        assert not allowed("evil.lab.example.org", local, lab)
        assert allowed("any.example", local, Settings(allowed_hosts=("*",)))
    assert from_env({"LPC_ALLOWED_HOSTS": "a.org, b.org"}).allowed_hosts == ("a.org", "b.org")


@pytest.mark.parametrize("text", ["https://a.org", "a.org:80", "A.org", "a b", "[zz]"])
def test_a_bad_setting_is_refused(text):
    with pytest.raises(SettingsError, match=r"LPC_ALLOWED_HOSTS: expected names like lab\.example\.org"):
        Settings(allowed_hosts=(text,))


@pytest.mark.parametrize("origin", ["http://[::1", "a", "ftp://a"])
def test_a_malformed_origin_in_the_settings_is_refused_in_words(origin):
    with pytest.raises(SettingsError, match="LPC_ALLOWED_ORIGINS: expected origins like"):
        Settings(allowed_origins=(origin,))


# ---- the server --------------------------------------------------------------------------------------------------

PAGES = ["/", "/inspect", "/lab/health", "/lab/static/frames.js", "/lab/plotly.min.js", "/lab/file?token=x",
         "/lab/film.html?token=x", "/_stcore/health", "/_stcore/host-config", "/none"]
SOCKETS = ["/lab/ws", "/_stcore/stream"]
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode()}


@pytest.fixture(scope="module")
def port():
    with tempfile.TemporaryDirectory() as tmp, running(Path(tmp)) as (_, at):
        yield int(at.rpartition(":")[2])


def status(port, path, *hosts, method="GET", **headers):
    """What the server answers to a request with these Host headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True)
        for host in hosts:
            connection.putheader("Host", host)
        for name, value in ((UPGRADE if path in SOCKETS else {}) | headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        assert b"Traceback" not in (answer.read(2_000) if answer.status >= 400 else b"")
        return answer.status
    finally:
        connection.close()


@pytest.mark.parametrize("path", PAGES + SOCKETS)
def test_only_loopback_names_are_answered_on_every_route(port, path):
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "192.168.1.5", "0.0.0.0"):
        assert status(port, path, host) == 403, host
        assert status(port, path, host, Origin=f"http://{host}") == 403, host
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost"):
        assert status(port, path, host, Origin=f"http://{host}") in (101, 200, 404, 503), host


@pytest.mark.parametrize("path", PAGES + SOCKETS)
def test_malformed_headers_are_refused_and_nothing_breaks(port, path):
    for host in ("[::1", "a b", "http://a", ":", "a:b"):
        assert status(port, path, host) == 400, host
    for origin in ("http://[::1", "http://]", "//", "http://a b"):
        assert status(port, path, f"127.0.0.1:{port}", Origin=origin) == 403, origin
    assert status(port, path, f"127.0.0.1:{port}", "evil.example") == 400


def test_other_methods_too(port):
    for method in ("POST", "PUT", "OPTIONS", "HEAD", "DELETE"):
        assert status(port, "/_stcore/upload_file/a/b", "evil.example", method=method) == 403


def test_a_host_that_the_setting_names_is_answered(tmp_path, monkeypatch):
    monkeypatch.setenv("LPC_ALLOWED_HOSTS", "lab.example.org")
    with running(tmp_path, "--host", "127.0.0.2") as (_, at):
        port = int(at.rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.2", port, timeout=60)
        for host, code in (("lab.example.org", 200), ("evil.example", 403)):
            connection.request("GET", "/_stcore/health", headers={"Host": host})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == code
        connection.close()
