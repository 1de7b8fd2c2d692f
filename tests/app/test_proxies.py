"""What a trusted proxy says is believed, what anybody else says is not; and the lab below a path."""

import asyncio

import pytest
from starlette.datastructures import Headers

from app.live.socket import origin_allowed
from app.proxies import Proxied, Told, told, trusted
from app.server import headers_for
from app.settings import Settings, SettingsError, from_env

PROXY, FAR = "10.0.0.1", "203.0.113.7"
BEHIND = Settings(trusted_proxies=("10.0.0.0/8",))


@pytest.mark.parametrize(("address", "believed"), [
    ("10.0.0.1", True), ("10.255.0.1", True), ("::ffff:10.0.0.1", True), ("11.0.0.1", False), ("127.0.0.1", False),
    ("::1", False), ("", False), ("unix:", False), ("10.0.0.1.evil.example", False)])
def test_only_named_addresses_are_believed(address, believed):
    assert trusted(address, BEHIND) is believed
    assert trusted(address, Settings()) is False
    assert trusted(address, Settings(trusted_proxies=("*",))) is True


@pytest.mark.parametrize(("headers", "said"), [
    ({}, Told()),
    ({"x-forwarded-for": FAR, "x-forwarded-proto": "https", "x-forwarded-host": "lab.example.org"},
     Told(FAR, "https", "lab.example.org")),
    ({"x-forwarded-proto": "HTTPS", "x-forwarded-host": "lab.example.org", "x-forwarded-port": "8443"},
     Told("", "https", "lab.example.org:8443")),
    ({"x-forwarded-proto": "https", "x-forwarded-host": "lab.example.org:9", "x-forwarded-port": "443"},
     Told("", "https", "lab.example.org:9")),
    ({"x-forwarded-proto": "http", "x-forwarded-host": "[::1]", "x-forwarded-port": "80"}, Told("", "http", "[::1]")),
    # what a client makes up stands left of what the proxies add
    ({"x-forwarded-for": f"1.1.1.1, {FAR}", "x-forwarded-host": "evil.example, lab.example.org",
      "x-forwarded-proto": "http, https"}, Told(FAR, "https", "lab.example.org")),
    # two proxies of ours: the outer one knows
    ({"x-forwarded-for": f"1.1.1.1, {FAR}, 10.0.0.2", "x-forwarded-proto": "http, https, http",
      "x-forwarded-host": "evil.example, lab.example.org, inner"}, Told(FAR, "https", "lab.example.org")),
    ({"x-forwarded-for": f"{FAR}, 10.0.0.2", "x-forwarded-proto": "https"}, Told(FAR, "https", "")),
    ({"x-forwarded-proto": "javascript", "x-forwarded-prefix": "/a/b/"}, Told(prefix="/a/b")),
    ({"x-forwarded-prefix": "//evil.example"}, Told()), ({"x-forwarded-prefix": "/a\\b"}, Told()),
    ({"forwarded": f"for={FAR};proto=https;host=lab.example.org"}, Told(FAR, "https", "lab.example.org")),
    ({"forwarded": 'For="[2001:db8::7]:99"; Proto=https; Host="lab.example.org:8443"'},
     Told("2001:db8::7", "https", "lab.example.org:8443")),
    ({"forwarded": f'for=1.1.1.1;host="a,b;c", for={FAR};host=lab.example.org, for=10.0.0.2;host=inner',
      "x-forwarded-host": "evil.example"}, Told(FAR, "", "lab.example.org")),
    ({"forwarded": ";;,=,\"", "x-forwarded-host": "lab.example.org"}, Told("", "", "lab.example.org")),
])
def test_what_the_proxies_say(headers, said):
    assert told(Headers(headers), BEHIND) == said


def asked(settings, path="/", client=PROXY, kind="http", answer=(), **headers):
    """The scope that the app behind `Proxied` sees, and the headers of the answer as they leave."""
    seen, left = [], []

    async def app(scope, receive, send):
        seen.append(scope)
        await send({"type": "http.response.start", "status": 307, "headers": list(answer)})

    async def send(message):
        left.append(message)

    given = [(b"host", b"127.0.0.1:8501"), *((n.replace("_", "-").encode(), v.encode()) for n, v in headers.items())]
    scope = {"type": kind, "path": path, "raw_path": path.encode(), "query_string": b"a=1", "headers": given,
             "scheme": "http" if kind == "http" else "ws", "client": (client, 5)}
    asyncio.run(Proxied(app, settings)(scope, None, send))
    return (seen or [None])[0], dict(left[0]["headers"])


SAID = {"x_forwarded_for": FAR, "x_forwarded_proto": "https", "x_forwarded_host": "lab.example.org"}


def test_a_trusted_proxys_words_take_the_place_of_the_requests():
    scope, _ = asked(BEHIND, **SAID)
    assert (scope["scheme"], scope["client"], Headers(scope=scope)["host"]) == ("https", (FAR, 0), "lab.example.org")
    assert asked(BEHIND, kind="websocket", **SAID)[0]["scheme"] == "wss"
    assert origin_allowed("https://lab.example.org", Headers(scope=scope)["host"], BEHIND)
    assert not origin_allowed("https://evil.example", Headers(scope=scope)["host"], BEHIND)


@pytest.mark.parametrize(("settings", "client"), [(Settings(), PROXY), (BEHIND, FAR), (Settings(), "127.0.0.1")])
def test_anybody_elses_words_are_not_heard(settings, client):
    scope, _ = asked(settings, client=client, **SAID, x_forwarded_prefix="/a")
    assert (scope["scheme"], scope["client"][0], Headers(scope=scope)["host"]) == ("http", client, "127.0.0.1:8501")
    assert asked(settings, client=client, answer=[(b"location", b"/film")],
                 x_forwarded_prefix="/a")[1][b"location"] == b"/film"


LAB = Settings(prefix="/lab")  # the worst case: our own files lie below /lab too


@pytest.mark.parametrize(("path", "inside"), [
    ("/lab/", "/"), ("/lab/film", "/film"), ("/lab/lab/ws", "/lab/ws"), ("/labs/film", "/labs/film"),
    ("/other", "/other")])
def test_the_prefix_is_taken_off_once(path, inside):
    scope, _ = asked(LAB, path)
    assert (scope["path"], scope["raw_path"]) == (inside, inside.encode())


def test_the_prefix_itself_leads_to_the_page_below_it():
    scope, headers = asked(LAB, "/lab")
    assert scope is None
    assert headers[b"location"] == b"/lab/?a=1"


@pytest.mark.parametrize(("location", "outside"), [
    ("/film?a=1", "/lab/film?a=1"), ("http://127.0.0.1:8501/film", "http://127.0.0.1:8501/lab/film"),
    ("../film", "../film"), ("https://arxiv.org/abs/1", "https://arxiv.org/abs/1"),
    ("//evil.example/a", "//evil.example/a")])
def test_redirects_stay_below_the_prefix(location, outside):
    answer = [(b"location", location.encode())]
    assert asked(LAB, "/lab/x", answer=answer)[1][b"location"].decode() == outside
    assert asked(BEHIND, "/x", answer=answer, x_forwarded_prefix="/lab")[1][b"location"].decode() == outside


def test_frames_are_closed_unless_opened():
    closed, opened = headers_for(()), headers_for(("https://moodle.example.org", "self"))
    assert closed["content-security-policy"].endswith("; frame-ancestors 'none'")
    assert closed["x-frame-options"] == "DENY"
    assert opened["content-security-policy"].endswith("; frame-ancestors https://moodle.example.org 'self'")
    assert "x-frame-options" not in opened


@pytest.mark.parametrize(("name", "good", "bad", "expected"), [
    ("LPC_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8, ::1, *", "proxy.example.org", "addresses or networks like"),
    ("LPC_TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.0/99", "addresses or networks like"),
    ("LPC_PREFIX", "/user/ada@uni.org/lab/", "courses", "a path like /courses/lab"),
    ("LPC_PREFIX", "/a", "/a//b", "a path like /courses/lab"), ("LPC_PREFIX", "/a", "/a?b", "a path like"),
    ("LPC_FRAME_ANCESTORS", "https://*.example.org, self", "moodle.example.org", "origins like"),
    ("LPC_FRAME_ANCESTORS", "http://a:81", "https://a; script-src *", "origins like")])
def test_settings_are_checked(name, good, bad, expected):
    from_env({name: good})
    with pytest.raises(SettingsError, match=f"{name}: expected {expected}"):
        from_env({name: bad})
