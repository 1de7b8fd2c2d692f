"""A link to a moment: what it may say, what it refuses, how short it is, and the address that others reach."""

import socket
from urllib.parse import urlencode

import pytest

from app import moments, reach
from lpc_core.config import ConfigError, unflatten
from lpc_core.parsing import parse_run_leniently, to_short_texts
from lpc_core.presets import default_run, named_presets

WHOLE = {"at": "1200", "hand": "2.5", "view": "n0-3-1", "turn": "-0.6,0.45", "zoom": "fixed", "off": "shell,forces"}


def test_a_moment_is_told_from_the_run_and_read():
    run, moment, errors = moments.split({"dataset": "digits", **WHOLE})
    assert (run, moment, errors) == ({"dataset": "digits"}, WHOLE, [])
    assert moments.plain(moment) == {
        "at": 1200, "hand": 2.5, "turn": [-0.6, 0.45], "zoom": "fixed", "off": ["shell", "forces"],
        "view": {"projection": "nodes", "dims": 3, "nodes": [0, 3, 1]}}
    assert moments.plain({"view": "pca3"})["view"] == {"projection": "pca", "dims": 3, "nodes": []}
    assert moments.plain({}) == {"at": None, "hand": None, "turn": None, "zoom": None, "off": []}


@pytest.mark.parametrize(("name", "text"), [
    ("at", "-1"), ("at", "10001"), ("at", "1.5"), ("at", "١٢"), ("hand", "1e9"), ("hand", "nan"), ("hand", "-1"),
    ("hand", ""), ("view", "pca4"), ("view", "n1"), ("view", "n0-1-2-3"), ("turn", "1"), ("turn", "inf,0"),
    ("zoom", "<b>"),
    ("off", "points,points,points,points"), ("off", "curves"), ("hand", "1" * 60)])
def test_what_a_moment_may_not_be_is_named_and_left_out(name, text):
    run, moment, errors = moments.split({name: text, "seed": "3"})
    assert (run, moment) == ({"seed": "3"}, {})
    assert [error.field for error in errors] == [name]
    assert isinstance(errors[0], ConfigError)


RUNS = {"figure 1": {"dataset": "hypercube", "seed": 4},
        "digits": {"dataset": "digits", "latent_dim": 3, "optimizer": "sgd", "lr": 0.05},
        "moons": {"dataset": "moons", "classes": 3, "hidden": (16, 16)}}


@pytest.mark.parametrize("name", RUNS)
def test_a_short_link_is_the_same_run_and_short(name):
    run = unflatten(RUNS[name], default_run(RUNS[name]["dataset"]))
    texts = to_short_texts(run)
    assert parse_run_leniently(texts) == (run, [])
    assert len("https://lab.example.org/play?" + urlencode(texts | WHOLE, safe=",")) <= 200


@pytest.mark.parametrize("preset", named_presets("cpu"))
def test_every_preset_s_link_is_the_same_run(preset):
    run = named_presets("cpu")[preset].run
    assert parse_run_leniently(to_short_texts(run)) == (run, [])


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
