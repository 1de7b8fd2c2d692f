"""What comes from outside is shown as text on every page; a full server and a flaw are plain sentences."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import server
from app.desks import jobs
from app.live import hub
from app.live.hub import HubError
from app.views import views
from app.views._plain import plain
from lpc_core.config import fields
from tests.app._opening import opened
from tests.app.views.test_session import StillHub

ROOT = Path(__file__).parents[2]
MAIN = str(ROOT / "app" / "main.py")
PAGES = [name for name, _ in views()]
HOSTILE = ["[Sign in again](https://evil.example)", "![x](https://evil.example/x.png)", "<b onclick=x>bold</b>",
           "$\\frac{1}{2}$", ":red[red]", ":material/lock:", "https://evil.example", "www.evil.example",
           "a@evil.example"]


@pytest.fixture
def still(monkeypatch):
    made = StillHub()
    monkeypatch.setattr(hub, "current", lambda: made)
    yield made
    jobs.close_all()


def page_of(name, **link):
    """The page ``name``, alone, with ``link`` as its query parameters, and all that can be folded open."""
    return opened(f"from app.views.{name} import VIEW\nVIEW.render()", **link)


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_leaves_nothing_that_markdown_reads(text):
    shown = plain(f"a {text} z")
    for sign in "[]()<>$:!":
        assert shown.count(sign) == shown.count(f"\\{sign}")
    for sign in ("http\\:/", "https\\:/", "www\\.", "@e"):
        assert sign not in shown
    assert shown.replace("\\", "").replace("\u2060", "") == f"a {text} z".replace("\\", "")


@pytest.mark.parametrize("text", ["fr", HOSTILE[0]])
def test_a_language_that_we_do_not_have_is_named(text):
    test = AppTest.from_string("from app.views import opening\nopening()", default_timeout=60)
    test.query_params["lang"] = text
    assert [said.value for said in test.run().warning] == [
        plain(f"lang: expected en or de, got {text!r}. It is ignored.")]
    test.query_params["lang"] = "de"
    assert not test.run().warning


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("home", "inspect")])
@pytest.mark.parametrize("text", HOSTILE[:1] + HOSTILE[4:6])
def test_links_cannot_write_on_a_page(still, monkeypatch, name, text):
    monkeypatch.setattr(jobs.Desk, "start", lambda *_, **__: None)
    test = page_of(name, **dict.fromkeys([*fields(), "comparison", text], text))
    assert len(test.warning) >= 3
    for said in [*test.warning, *test.error, *test.info, *test.caption, *test.markdown]:
        assert text not in said.value


@pytest.mark.parametrize("name", ["play", "compare"])
def test_a_server_that_cannot_says_so_and_lets_one_try_again(still, monkeypatch, name):
    def down(run, ticket):
        raise HubError("No training process can be started on this server.")

    free = still.open
    monkeypatch.setattr(still, "open", down)
    test = page_of(name)
    assert [said.value for said in test.warning] == [plain("No training process can be started on this server.")]
    again = next(button for button in test.button if button.label == "Try again")
    monkeypatch.setattr(still, "open", free)
    again.click().run()
    assert not test.warning
    assert len(still.runs) == 1


def test_at_a_full_server_one_waits_in_line_with_a_film(still, monkeypatch):
    tickets = []

    def full(run, ticket):
        tickets.append(ticket)
        raise hub.Full(3, 2)

    free = still.open
    monkeypatch.setattr(still, "open", full)
    test = page_of("play")
    assert [said.value for said in test.warning] == [plain(
        "All 3 places of this server are taken. You are number 2 in line; this page begins by itself when it is your "
        "turn.")]
    assert any("Meanwhile, a film" in said.value for said in test.markdown)
    assert len(set(tickets)) == 1
    assert tickets[0]
    monkeypatch.setattr(still, "open", free)
    test.run()
    assert not test.warning
    assert len(still.runs) == 1


def test_no_flaw_is_shown_but_as_a_plain_sentence():
    assert 'showErrorDetails = "none"' in (ROOT / "app" / ".streamlit" / "config.toml").read_text()
    assert server.app._on_script_error is server.script_failed
    test = AppTest.from_string("from app.server import script_failed\nscript_failed(RuntimeError('/secret.py'))").run()
    assert [said.value[:38] for said in test.error] == ["Something went wrong on the server; it"]
    assert "secret" not in test.error[0].value


WIDGETS = {"st", "left", "right", "middle", "column"}
SAID = {"warning", "error", "info", "caption", "success", "toast", "progress"}


@pytest.mark.parametrize("path", sorted((ROOT / "app" / "views").glob("*.py")), ids=lambda path: path.name)
def test_no_page_says_a_text_that_is_not_its_own_unless_it_is_made_plain(path):
    for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr in SAID and \
                ast.unparse(call.func.value) in WIDGETS:
            text = call.args[-1]
            made = isinstance(text, ast.Call) and getattr(text.func, "id", "") == "plain"
            assert made or _own(text), f"{path.name}:{call.lineno}"


def _own(text):
    """A text of ours: written there, a constant of the module, or one that `_` says with nothing but numbers put in."""
    match text:
        case ast.Constant() | ast.Name(id="ABOUT" | "BESIDE_OURS" | "NO_RUNS"):
            return True
        case ast.IfExp(body=one, orelse=other):
            return _own(one) and _own(other)
        case ast.Call(func=ast.Name(id="_"), args=[said], keywords=put):
            return _own(said) and all(map(_counted, (keyword.value for keyword in put)))
    return ast.unparse(text) in {"about", "done", "sample.sentence"}


def _counted(value):
    """A number, as it is or formatted as only numbers can be."""
    if isinstance(value, ast.JoinedStr):
        return all(part.format_spec for part in value.values if isinstance(part, ast.FormattedValue))
    return ast.unparse(value) in {"missing", "have", "SAMPLES", "len(shown)", "duration(own.seconds)",
                                  "study.planned if study else _('all')"}
