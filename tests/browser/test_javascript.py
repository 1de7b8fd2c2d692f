"""The stage's pure modules, each test of ``tests/js`` as one test here: run in Chromium, from files, without a lab."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from app.catalogue import catalogue
from app.lessons import Condition, Value
from app.live.frames import decode, encode_thumbs
from lpc_core.config import unflatten
from lpc_core.files.tensors import header
from lpc_core.film import film_bytes
from lpc_core.film.record import record
from lpc_core.snapshot import OLD_NAMES
from tests.browser.offline_runs import offline_data

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "js"
HOST = "http://127.0.0.1:9"  # nothing listens there: every answer comes from `_answer`
TYPES = ("f4", "f8", "i2", "u2", "i4", "u4", "u1", "i1", "i8")  # that a frame may hold
NAMED = [(path.name, name) for path in sorted(TESTS.glob("*.test.js"))
         for name in re.findall(r'^test\("([^"]+)"', path.read_text("utf-8"), re.MULTILINE)]


@pytest.fixture(scope="module")
def data():
    """What the tests fetch from ``/data/``: bytes as Python writes them, and what Python reads from them."""
    return {**_frames(), **_film(), **_checks(), **offline_data(), "catalogue.json": json.dumps(catalogue())}


def _checks():
    """Conditions, and which of them hold by Python at the end of two histories that have everything in them."""
    histories = [[{"norm_mean": 4.0, "ce": 1.0}, {"norm_mean": 8.0, "ce": math.nan}, {"norm_mean": 2.0, "ce": 0.5}],
                 [{"norm_mean": 1.0, "ce": 0.1}, {"norm_mean": 6.0}, {"norm_mean": math.nan}]]
    values = [Value(name, run, when) for name in ("norm_mean", "ce", "nc1_pinv") for run in (0, 1, 3)
              for when in ("now", "largest", "smallest")]
    conditions = [Condition(value, sign, bound, of) for value in values for sign in "<>" for bound in (0.5, 3.0)
                  for of in (None, *values[:9])]
    known = [[condition.plain(), condition.holds(histories)] for condition in conditions]
    rows = [[{name: value if math.isfinite(value) else None for name, value in row.items()} for row in rows]
            for rows in histories]
    return {"checks.json": json.dumps({"histories": rows, "known": known})}


def _frames():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 1)
    kind, info, arrays = decode(encode_thumbs(4, pixels))
    many = {f"t_{np.dtype(t).name}": np.array([[-2, 7]]).astype(t) for t in TYPES}
    return {
        "thumbs": encode_thumbs(4, pixels), "every_dtype": save(many, {"kind": "all"}),
        "half": save({"h": np.ones(2, np.float16)}),
        "thumbs.json": json.dumps({"kind": kind, "info": info, "shape": arrays["pixels"].shape,
                                   "pixels": arrays["pixels"].ravel().tolist()}),
        "every_dtype.json": json.dumps({name: array.ravel().tolist() for name, array in many.items()})}


def _film():
    config = unflatten({"samples": 300, "test_samples": 100, "steps": 30, "ramp_steps": 20, "batch_size": 32})
    film = record(config, [0.01, 1.0, 100.0], frames=4, points=41, device="cpu")
    moments = [(g, t) for g in range(3) for t in range(4)]
    known = {"positions": [film.positions(g, t).ravel().tolist() for g, t in moments],
             "predictions": [film.predictions(g, t).tolist() for g, t in moments],
             "norm_mean": [float(film.metric("norm_mean")[g, t]) for g, t in moments],
             "gammas": film.gammas.tolist(), "steps": film.steps.tolist()}
    older = {now: old for old, now in OLD_NAMES.items()}
    arrays = {older.get(name, name): array for name, array in load(film_bytes(film)).items()}
    return {"film": film_bytes(film), "older-film": save(arrays, header(film_bytes(film)).metadata),
            "film.json": json.dumps(known)}


@pytest.fixture(scope="module")
def modules(chromium, data):
    """``modules(file, name)`` runs the test ``name`` of ``file``; returns what it throws, "" for nothing."""
    context = chromium.new_context(viewport={"width": 800, "height": 600})
    page = context.new_page()
    page.route("**/*", lambda route: _answer(route, data))
    page.goto(HOST + "/")
    yield lambda file, name: page.evaluate(
        """async ([file, name]) => {
          try {
            await import(`/tests/js/${file}`);
            await (await import("/tests/js/kit.js")).run(name);
          } catch (error) { return error.stack; }
          return "";
        }""", [file, name])
    context.close()


def _answer(route, data):
    path = route.request.url.removeprefix(HOST)
    if path.endswith(".js"):
        return route.fulfill(body=(ROOT / path[1:]).read_bytes(), content_type="text/javascript")
    if path.startswith("/data/"):
        return route.fulfill(body=data[path.removeprefix("/data/")], content_type="application/octet-stream")
    return route.fulfill(body="<!doctype html><title>tests</title><body></body>", content_type="text/html")


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda part: part.removesuffix(".test.js"))
def test_javascript(modules, file, name):
    failure = modules(file, name)
    assert not failure, failure


def test_every_test_is_found():
    """A test is found by the line it begins; one that is indented or named by a template would be left out."""
    text = "".join(path.read_text("utf-8") for path in TESTS.glob("*.test.js"))
    assert len(NAMED) == len(re.findall(r"(?<!\.)\btest\(", text)) > 0
