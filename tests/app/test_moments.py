"""A link to a moment: what each page's may say, what it refuses, how short it is, and the address that others reach."""

import re
import socket
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import moments, reach
from app.desks.films import HeldFilm, Recording
from lpc_core.config import ConfigError, RunConfig, flatten, unflatten
from lpc_core.film import gammas_text, parse_gammas
from lpc_core.parsing import parse_run_leniently, to_short_texts
from lpc_core.presets import default_run, named_presets

SEEN = {"turn": "-0.6,0.45", "only": "0,3"}
LIVE = SEEN | {"at": "1200", "hand": "2.5", "view": "n0-3-1", "zoom": "0.02,0,-1e-3", "off": "shell,forces"}
CARDS = {"lines": "nc1.1", "axes": "nc1:x:0:100", "sort": "-value"}
WHOLE = {  # of each page: every word that it has
    "play": LIVE | {"against": "gamma", "bars": "0-3", "inputs": "open", "curves": "radius,losses"},
    "compare": LIVE | {"against": "gamma", "axes": "own", "curves": "norm_mean"},
    "learn": LIVE | {"against": "gamma", "axes": "own", "bars": "0-3", "inputs": "closed", "curves": "radius"},
    "film": SEEN | {"film": "digits", "gammas": "1e-3:1e5:17", "frames": "40", "points": "300", "length": "900",
                    "hand": "0.1", "at": "12000", "play": "1", "zoom": "fixed", "off": "none", "bars": "0",
                    "curves": "radius,losses"},
    "metrics": CARDS | {"at": "102", "class": "2", "lens": "12", "nodes": "0-3"},
    "inspect": CARDS | SEEN | {"file": "badly-trained", "hand": "2", "off": "none", "view": "tsne2",
                               "zoom": "3,0.5,-1", "chosen": "3-7,12"}}
USUAL = {  # of each page: a link that a workshop would send
    "play": {"dataset": "digits", "latent_dim": "3", "optimizer": "sgd", "lr": "0.05"} | LIVE,
    "compare": {"comparison": "optimizer", "at": "1200", "hand": "2.5", "axes": "own", "curves": "norm_mean"},
    "learn": {"lesson": "too_much", "step": "2", "at": "1200", "hand": "2.5", "off": "forces"},
    "film": {"film": "digits", "hand": "0.1", "at": "306", "curves": "losses,nc1,radius,accuracies", "play": "1"},
    "metrics": {"dataset": "hypercube", "seed": "3", "at": "102", "class": "2", "lens": "12", **CARDS},
    "inspect": {"file": "badly-trained", "view": "n0-3", "only": "1,4", "chosen": "wrong", "hand": "2"}}


@pytest.mark.parametrize("page", WHOLE)
def test_every_word_of_a_page_is_told_from_its_run_and_taken(page):
    assert set(WHOLE[page]) == set(moments.WORDS[page])
    asked, said = moments.split({"dataset": "digits", **WHOLE[page]})
    assert (asked, said) == ({"dataset": "digits"}, WHOLE[page])
    assert moments.check(said, page) == (WHOLE[page], [])


def test_no_word_of_a_moment_is_one_of_a_run_or_of_the_page_s_own():
    taken = {*flatten(RunConfig()), "preset", "comparison", "lesson", "step", "code", "lang", "hide", "job", "present"}
    assert not any(taken & set(moments.WORDS[page]) for page in WHOLE)


@pytest.mark.parametrize(("page", "name", "text"), [
    ("play", "at", "-1"), ("play", "at", "10001"), ("play", "at", "1.5"), ("play", "at", "١٢"), ("play", "hand", "1e9"),
    ("play", "hand", "nan"), ("play", "hand", "-1"), ("play", "hand", ""), ("play", "view", "pca4"),
    ("play", "view", "n1"), ("play", "view", "n0-1-2-3"), ("play", "turn", "1"), ("play", "turn", "inf,0"),
    ("play", "zoom", "<b>"), ("play", "zoom", "0,0,0"), ("play", "zoom", "0e5,0,0"), ("play", "zoom", "1,2"),
    ("play", "off", "points,points,points,points"), ("play", "off", "curves"), ("play", "hand", "1" * 60),
    ("play", "curves", "radius,radius,radius,radius,radius"), ("play", "curves", "__proto__"),
    ("play", "bars", "0-1-2-3-4-5-6-7-8"), ("play", "film", "digits"), ("play", "axes", "own"),
    ("compare", "curves", "radius"), ("compare", "bars", "0"), ("compare", "axes", "all"),
    ("film", "film", "../digits"), ("film", "film", "/etc/passwd"), ("film", "gammas", "1e-3:1e5:9999"),
    ("film", "frames", "0"), ("film", "points", "1000000"), ("film", "length", "5"), ("film", "play", "yes"),
    ("metrics", "lens", "1e3"), ("metrics", "nodes", "1"), ("metrics", "sort", "constructor"),
    ("metrics", "lines", "nc1"), ("metrics", "axes", "nc1:z:0:1"), ("metrics", "axes", "nc1:x:0:inf"),
    ("inspect", "file", "../../etc/passwd"), ("inspect", "file", "https://example.org/x.pt"),
    ("inspect", "chosen", "all"), ("inspect", "chosen", ",".join(["1"] * 65)), ("inspect", "view", "code"),
    ("inspect", "only", "1," * 200)])
def test_what_a_moment_may_not_be_is_named_and_left_out(page, name, text):
    moment, errors = moments.check({name: text}, page)
    assert name not in moment
    assert [error.field for error in errors] == [name]
    assert isinstance(errors[0], ConfigError)
    assert "\n" not in str(errors[0])
    assert len(str(errors[0])) < 300


def test_any_text_is_taken_or_named_and_never_more_than_that():
    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(sorted(WHOLE)), st.data(), st.text(max_size=60))
    def one(page, data, text):
        name = data.draw(st.sampled_from(sorted(moments.WORDS[page])))
        moment, errors = moments.check({name: text}, page)
        assert (moment == {name: text}) != bool(errors)

    one()


number = st.floats(1e-9, 1e6).map(lambda value: f"{value:.4g}")
whole = st.integers(0, 9_999).map(str)
several = st.lists(whole, min_size=1, max_size=8)
FORMS = {  # what a page's parts may write, as `static` writes it
    "play": {"at": whole, "hand": number, "zoom": st.tuples(number, number, number).map(",".join),
             "turn": st.tuples(number, number).map(lambda two: f"-{two[0]},{two[1]}"), "only": several.map(",".join),
             "bars": several.map("-".join), "view": st.tuples(whole, whole).map(lambda two: "n" + "-".join(two)),
             "curves": st.lists(st.sampled_from(["radius", "nc1", "losses"]), min_size=1, max_size=4).map(",".join)},
    "inspect": {"hand": number, "chosen": st.lists(st.tuples(whole, whole).map("-".join), min_size=1, max_size=9)
                .map(",".join), "zoom": st.tuples(number, number, number).map(",".join), "only": several.map(",".join)},
    "metrics": {"at": whole, "lens": st.integers(0, 999).map(str), "axes":
                st.tuples(number, number).map(lambda ends: f"nc1:x:-{ends[0]}:{ends[1]},nc1:y2:0:{ends[1]}")}}


def test_what_a_page_writes_comes_back_through_an_address():
    pages = st.sampled_from(sorted(FORMS))

    @settings(max_examples=100, deadline=None)
    @given(pages.flatmap(lambda page: st.tuples(st.just(page), st.fixed_dictionaries({}, optional=FORMS[page]))))
    def one(drawn):
        page, said = drawn
        come = dict(parse_qsl(urlencode({"seed": "3", **said}, safe=",:"), strict_parsing=True))
        asked, words = moments.split(come)
        assert (asked, moments.check(words, page)) == ({"seed": "3"}, (said, []))

    one()


@pytest.mark.parametrize("page", USUAL)
def test_a_usual_link_is_short_and_understood(page):
    asked, words = moments.split(USUAL[page])
    assert moments.check(words, page) == (words, [])
    assert len(words) + len(asked) == len(USUAL[page])
    assert len(f"https://lab.example.org/{page}?" + urlencode(USUAL[page], safe=",:")) <= 200


RUNS = {"figure 1": {"dataset": "hypercube", "seed": 4},
        "digits": {"dataset": "digits", "latent_dim": 3, "optimizer": "sgd", "lr": 0.05},
        "moons": {"dataset": "moons", "classes": 3, "hidden": (16, 16)}}


@pytest.mark.parametrize("name", RUNS)
def test_a_short_link_is_the_same_run_and_short(name):
    run = unflatten(RUNS[name], default_run(RUNS[name]["dataset"]))
    texts = to_short_texts(run)
    assert parse_run_leniently(texts) == (run, [])
    assert to_short_texts(run, run) == {}
    assert len("https://lab.example.org/play?" + urlencode(texts | LIVE, safe=",")) <= 200


@pytest.mark.parametrize("preset", named_presets("cpu"))
def test_every_preset_s_link_is_the_same_run(preset):
    run = named_presets("cpu")[preset].run
    assert parse_run_leniently(to_short_texts(run)) == (run, [])


def test_a_film_s_link_says_how_to_record_it():
    run = unflatten({"steps": 3_000, "seed": 2}, default_run("moons"))
    recorded = HeldFilm("token", 1, Recording(run, "0.1,1,30", 50, 1_000))
    texts = recorded.texts
    words = {"gammas": "0.1,1,30", "frames": "50", "length": "3000"}
    assert texts == to_short_texts(run) | words
    assert moments.check(words, "film") == (words, [])
    assert HeldFilm("token", 1, recorded.recording, "digits").texts == {"film": "digits"}


@pytest.mark.parametrize("text", ["1e-3:1e5:17", "0.001:1e+05:32", "0.1,1,30", "0.5,2"])
def test_values_of_gamma_are_written_as_they_are_read(text):
    values = parse_gammas(text)
    assert parse_gammas(gammas_text(values)).tolist() == values.tolist()
    assert len(gammas_text(values)) <= len(text) + 3


@pytest.mark.parametrize("values", [[1.0, 1.00001], [1.0, 1.0003, 1.0007, 1.001], [9.99, 9.991, 9.992, 10.05], [2.0]])
def test_values_of_gamma_that_lie_close_are_told_apart(values):
    assert [float(text) for text in gammas_text(values).split(",")] == values


@pytest.mark.parametrize(("text", "names"), [("gamma,nodes", ["gamma", "nodes"]), (None, []), ("menu", ["menu"])])
def test_controls_can_be_hidden(text, names):
    assert moments.hidden(text) == (names, [])


@pytest.mark.parametrize("text", ["", "gamma,x", "<script>", "lpc-root"])
def test_no_other_class_of_the_page_can_be_hidden(text):
    names, errors = moments.hidden(text)
    assert (names, [error.field for error in errors]) == ([], ["hide"])


def test_every_control_that_can_be_hidden_has_a_style_and_a_page():
    style = (Path(__file__).parents[2] / "app/static/kit/stage.css").read_text("utf-8")
    styled = set(re.findall(r"^\.lpc-without-(\w+) ", style, re.MULTILINE))
    assert styled == set(moments.CONTROLS) == {name for names in moments.HIDEABLE.values() for name in names}
    assert set(moments.HIDEABLE) == set(WHOLE)


def test_others_reach_the_machine_by_its_own_address_if_it_answers_there(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(reach, "own_address", lambda: "127.0.0.1")
        assert reach.reachable(f"http://localhost:{port}/play") == (f"http://127.0.0.1:{port}/play", "")
    reach.answers.cache_clear()
    assert reach.reachable("http://lab.example.org/x/play") == ("http://lab.example.org/x/play", "")
    monkeypatch.setattr(reach, "own_address", lambda: None)
    address, note = reach.reachable("http://127.0.0.1:8501/play")
    assert address == "http://127.0.0.1:8501/play"
    assert "--host 0.0.0.0" in note
    monkeypatch.setattr(reach, "own_address", lambda: "127.0.0.1")
    assert reach.reachable(f"http://[::1]:{port}/")[1] == note  # nobody answers there any more
