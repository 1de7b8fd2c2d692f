"""Runs as pages that train without a server: which can, why others cannot, and how a reader gets one."""

import errno
import html
import re
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.commands.page import COMMAND
from app.desks import file_routes, jobs
from app.lessons import lessons
from app.live import rooms
from app.offline import page
from app.offline.lesson import for_the_coach, formula, in_html, sections
from app.offline.pack import NeedsServer, packed
from app.offline.reach import LARGEST, asked, needs_server
from app.settings import Settings
from app.views._take_along import command
from app.words import LANGUAGES, page_words, speaking
from lpc_core.config import ConfigError, RunConfig, unflatten
from lpc_core.files import tensors
from lpc_core.parsing import parse_run, short_texts
from lpc_core.presets import default_run, named_presets
from lpc_core.run_group import alone, compare
from tests.app._client import Client

PLANE = ("hypercube", "moons", "circles", "spirals", "xor", "digits")
SMALL = {"samples": 60, "test_samples": 20, "hidden": (5,), "batch_size": 16}


@pytest.mark.parametrize("name", PLANE)
def test_a_page_trains_every_plane_data_set_and_digits(name):
    assert needs_server(alone(default_run(name, "cpu"))) == ""
    assert needs_server(alone(named_presets("cpu")[f"fast-{name}"].run)) == ""


@pytest.mark.parametrize(("settings", "why"), [
    ({"dataset": "cifar10"}, "a page trains MLPs only, and its network is a convnet; set model=mlp"),
    ({"loss": "arcface"}, "a page knows cross-entropy only, and its loss is arcface; set loss=cross-entropy"),
    ({"dropout": 0.1}, "a page drops no features at random; set dropout=0"),
    ({"dataset": "digits", "augment": "flip-crop"}, "a page does not change its pictures at random; set augment=none"),
    ({"samples": 40_000}, "its samples and weights take 3.4 MB, and a page holds 2.0; set fewer samples or smaller "
                          "layers"),
    ({"hidden": (600, 600)}, "a step or a look at it would take about 0.7 s in a page; set smaller layers or a "
                             "smaller batch_size"),
    ({"hidden": (300, 300), "optimizer": "muon"}, "a step or a look at it would take about 0.5 s in a page; set "
                                                  "smaller layers or a smaller batch_size"),
])
def test_other_runs_are_refused_by_name(settings, why):
    run = alone(unflatten(settings))
    assert needs_server(run) == f"this run needs the server because {why}"
    with pytest.raises(NeedsServer, match=re.escape(why)):
        packed(run)


def test_the_largest_run_that_is_allowed_still_fits():
    run = alone(unflatten({"samples": 22_000}))
    assert 0.9 * LARGEST < len(packed(run)) < LARGEST + 200_000
    assert len(page.offline_page(run).encode()) <= 8_000_000


def test_a_pack_holds_what_its_file_says():
    raw = packed(alone(unflatten({"dataset": "digits", **SMALL})))
    info, arrays = tensors.header(raw).info("a pack"), tensors.arrays(raw)
    [own] = info["runs"]
    assert own["parameters"] == ["backbone.1.weight", "backbone.1.bias", "penultimate.weight", "penultimate.bias",
                                  "head.weight", "head.bias"]
    assert {name: array.shape for name, array in arrays.items() if not name.startswith("0.")} == {
        "train_inputs": (60, 8, 8, 1), "train_labels": (60,), "probe": (60,), "test_inputs": (20, 8, 8, 1),
        "test_labels": (20,)}
    assert (own["theory"], len(info["mean"]), own["config"]["latent_dim"]) == (True, 1, 2)
    assert "history" not in own["opening"]


def test_runs_side_by_side_share_their_samples_and_count_together():
    base = unflatten({"dataset": "digits", **SMALL})
    pair = compare(base, ({"optimizer": "sgd"}, {"latent_dim": 3}), ("a", "b"))
    info, arrays = tensors.header(raw := packed(pair)).info("a pack"), tensors.arrays(raw)
    assert (info["titles"], info["follows"]) == (["a", "b"], [True, True])
    assert [run["config"]["optimizer"] for run in info["runs"]] == ["sgd", "adamw"]
    assert [arrays[f"{i}.penultimate.weight"].shape for i in (0, 1)] == [(2, 5), (3, 5)]
    assert sum("train_inputs" in name for name in arrays) == 1
    large = unflatten({"hidden": (300, 300)})
    assert needs_server(alone(large)) == ""
    assert "a step or a look at it would take about" in needs_server(compare(large, ({}, {"lr": 0.1}), ("a", "b")))
    assert "its optimiser is" not in needs_server(compare(base, ({}, {"optimizer": "muon"}), ("a", "b")))
    assert "set dropout=0" in needs_server(compare(base, ({}, {"dropout": 0.5}), ("a", "b")))


def test_words_stand_above_the_run_as_text():
    made = page.offline_page(alone(unflatten(SMALL)), ("<i>One</i>", "two & three"))
    assert "<title>&lt;i&gt;One&lt;/i&gt;</title>" in made
    assert "<h1>&lt;i&gt;One&lt;/i&gt;</h1>\n<p>two &amp; three</p>" in made
    assert made.count("<script") == made.count("</script>") == 6
    assert "connect-src" not in made
    assert "default-src 'none'" in made


def test_a_page_speaks_the_language_of_whoever_saves_it():
    with speaking("de"):
        made = page.offline_page(alone(unflatten(SMALL)), lesson="shell")
    assert '<html lang="de">' in made
    assert "<h1>Die schrumpfende Schale</h1>" in made
    assert page_words("de")[:200] in made  # what the stage says
    steps = lessons()["shell"].steps
    assert not [text for text in (page.ABOUT, *(step.title for step in steps)) if f">{html.escape(text)}</" in made]
    assert "globalThis.lpcWords = {};" in page.offline_page(alone(unflatten(SMALL)))


# ---- how a reader gets one -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"dataset": "moons"}, {"seed": 5, "hidden": (), "lr": 0.1 + 0.2},
                                      {"dataset": "digits", "gamma_end": 7.0}])
def test_a_short_text_is_the_very_run(settings):
    run = unflatten(settings)
    assert parse_run(short_texts(run), "cpu") == run
    assert command(run) == " ".join(["lpc train", *(f"{name}={text}" for name, text in short_texts(run).items())])


def test_the_starting_run_needs_no_words_but_its_data_set():
    assert short_texts(RunConfig()) == {"dataset": "hypercube"}
    assert short_texts(default_run("moons", "cpu")) == {"dataset": "moons"}


@pytest.fixture
def client(monkeypatch):
    class Hub:
        settings = Settings()

    monkeypatch.setattr(file_routes, "current", Hub)
    return Client(Starlette(routes=[Route("/lab/run.html", file_routes.run_page)]))


def test_a_lesson_brings_its_run():
    assert asked({"lesson": "shell", "seed": "7"}) == (lessons()["shell"].work(7), "shell")
    with pytest.raises(ConfigError, match=r"lesson: expected one of .*shell.*, got 'none'"):
        asked({"lesson": "none"})


@pytest.mark.parametrize("name", lessons())
def test_every_lesson_can_be_taken_along(name):
    """In every language, with every formula and what the coach judges by."""
    assert needs_server(asked({"lesson": name})[0]) == ""
    for language in LANGUAGES:
        with speaking(language):
            made, told = sections(name), for_the_coach(name)["steps"]
        assert made.count("<section") == made.count("</section>") == len(told) == len(lessons()[name].steps)
        assert not re.search(r"[\\$\ue000\ue001]|\*\*", made)
        said = {"The paper says", "We measured"} if language == "en" else {"Der Artikel sagt", "Wir haben gemessen"}
        assert all(re.findall(r"<li><p><strong>([^<]*):</strong>", made)[i] in said
                   for i in range(sum(len(step.claims) for step in lessons()[name].steps)))
        assert [step["next"] != "" for step in told] == [True] * (len(told) - 1) + [False]
        assert all(step["check"] and step["goal"] for step in told)


@pytest.mark.parametrize(("tex", "made"), [
    (r"W_H\,h(x) + b_k", "W<sub>H</sub> h(x) + b<sub>k</sub>"),
    (r"\frac{\partial L}{\partial z} = -W_y", "(∂ L) / (∂ z) = −W<sub>y</sub>"),
    (r"\tfrac1K\,\text{tr}\big(\Sigma_B^{+}\big)", "(1 / K) <span class=\"lpc-upright\">tr</span>(Σ<sub>B</sub>"
                                                     "<sup>+</sup>)"),
    (r"e^{-\text{C<E}}", 'e<sup>−<span class="lpc-upright">C&lt;E</span></sup>'),
    (r"\gamma\,\lVert z\rVert^2", "γ ‖ z‖<sup>2</sup>")])
def test_formulas_need_no_tex(tex, made):
    assert formula(tex) == f'<span class="lpc-formula">{made}</span>'
    with pytest.raises(ValueError, match=r"expected a formula with .*, got \\int; write it with those"):
        formula(r"\int x")


def test_words_of_a_lesson_stay_words():
    assert in_html("<script>x</script> **b** [a](javascript:x) $a<b$") == (
        '<p>&lt;script&gt;x&lt;/script&gt; <strong>b</strong> [a](javascript:x) '
        '<span class="lpc-formula">a&lt;b</span></p>\n')


def test_a_page_is_made_for_whoever_asks_from_our_own_pages(client):
    query = {"dataset": "xor", "samples": 50, "test_samples": 20, "seed": 3}
    answer = client.get(f"/lab/run.html?{urlencode(query)}")
    assert 'attachment; filename="lpc-lab-xor.html"' in answer.headers["content-disposition"]
    held = re.search(r'id="run">([^<]*)<', answer.content.decode())[1]
    info = tensors.header(page.base64.b64decode(held)).info("a pack")
    assert [(run["config"]["seed"], run["config"]["dataset"]) for run in info["runs"]] == [(3, "xor")]
    assert '<html lang="en">' in answer.content.decode()
    for asks in ({"query": "&lang=de"}, {"headers": {"accept-language": "de-AT"}}):
        german = client.get(f"/lab/run.html?{urlencode(query)}{asks.get('query', '')}", headers=asks.get("headers", {}))
        assert '<html lang="de">' in german.content.decode()


@pytest.mark.parametrize(("query", "headers", "status", "said"), [
    ("", {"origin": "http://evil.example"}, 403, "own pages"),
    ("?dataset=nowhere", {}, 400, "No such run: dataset: expected one of"),
    ("?flavour=3", {}, 400, "expected a known setting"),
    ("?samples=1e99", {}, 400, "samples: expected a whole number"),
    ("?dataset=hypercube&loss=supcon", {}, 400, "this run needs the server because a page knows cross-entropy only"),
])
def test_what_cannot_be_made_is_refused_without_work(client, monkeypatch, query, headers, status, said):  # noqa: PLR0917
    monkeypatch.setattr(jobs, "do", lambda *_: pytest.fail("a process was started"))
    answer = client.get(f"/lab/run.html{query}", headers=headers)
    assert answer.status_code == status
    assert said in answer.content.decode()


def test_where_no_process_can_be_started_that_is_said_and_nothing_is_left(client, monkeypatch):
    def none(*_, **__):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    folder, made = rooms.folder, []
    monkeypatch.setattr(rooms, "folder", lambda kind: made.append(folder(kind)) or made[-1])
    monkeypatch.setattr(jobs.spares, "spawn", none)
    answer = client.get("/lab/run.html?dataset=xor")
    assert answer.status_code == 410
    assert "cannot be made: expected a process for the job, got none (Resource temp" in answer.content.decode()
    assert not made[0].exists()


def test_no_more_wait_than_the_server_can_hold(client, monkeypatch):
    taken = [file_routes._waiting.acquire(blocking=False) for _ in range(file_routes.WAITING)]
    try:
        assert client.get("/lab/run.html?dataset=xor").status_code == 503
    finally:
        for _ in filter(None, taken):
            file_routes._waiting.release()


def test_the_command_writes_the_page_or_says_why_not(tmp_path, capsys):
    with pytest.raises(NeedsServer, match="this run needs the server because"):
        COMMAND(["dropout=0.5"], tmp_path / "a.html", "", None)
    with pytest.raises(ValueError, match="out: expected a file in an existing folder"):
        COMMAND([], tmp_path / "none" / "a.html", "", None)
    assert not list(tmp_path.iterdir())
    COMMAND(["dataset=xor", "samples=50"], tmp_path / "a.html", "Fields", ["Drag γ."])
    assert "a.html: " in capsys.readouterr().out
    assert "<h1>Fields</h1>\n<p>Drag γ.</p>" in (tmp_path / "a.html").read_text("utf-8")
