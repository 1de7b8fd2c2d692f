"""A film as a GIF or an MP4: every moment of one run, in colours and places that are the film's."""

import sys
import types

import numpy as np
import pytest
from PIL import Image

from app.commands.movie import COMMAND
from app.looks import movie
from app.looks.movie import SIZE, export, frames, typical_run
from lpc_core.config import unflatten
from lpc_core.film import FilmError, save_film
from lpc_core.film.record import record
from lpc_core.inspection.films import nearest_run

WIDE = {"samples": 120, "test_samples": 40, "steps": 20, "ramp_steps": 10, "batch_size": 32}


@pytest.fixture(scope="module")
def film():
    return record(unflatten(WIDE), [0.01, 1.0, 100.0], frames=4, points=60, device="cpu")


@pytest.fixture(scope="module")
def path(film, tmp_path_factory):
    path = tmp_path_factory.mktemp("movie") / "a.film.safetensors"
    save_film(film, path)
    return path


def test_a_gif_has_every_moment_and_goes_round(film, path, tmp_path):
    export(path, tmp_path / "a.gif", 2)
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.size, picture.info["loop"]) == (len(film.steps), (SIZE, SIZE), 0)
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize("run", [0, 2])
def test_samples_are_drawn_where_the_film_has_them(film, run):
    """Each class's mean pixel lies where its mean sample does, in the frame's own scale."""
    last = np.asarray(list(frames(film, run))[-1]).astype(int)
    half = movie._zoom(film, run)[-1]
    places, right = film.positions(run, len(film.steps) - 1), film.predictions(run, len(film.steps) - 1) == film.labels
    for c, colour in enumerate(movie.COLOURS[:4]):
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        mine = right & (film.labels == c)
        x, y = (SIZE / 2 + SIZE / 2 / half * places[mine, :2] * (1, -1)).astype(int).T
        inside = (y > 70) & (y < SIZE - 1)
        if inside.any():
            assert np.abs(last[y[inside], x[inside]] - wanted).sum(axis=1).min() < 60


def test_the_caption_of_a_run_that_diverged_says_so(film):
    assert "training accuracy " in movie._numbers(film, 1, -1)
    broken = record(unflatten({**WIDE, "lr": 10.0, "optimizer": "sgd"}), [0.01, 1e4], frames=2, points=30, device="cpu")
    run = broken.info["diverged"][0][0]
    assert movie._numbers(broken, run, -1).endswith("diverged")
    assert len(list(frames(broken, run))) == 2


def test_one_node_and_many_are_drawn_too():
    for d in (1, 3, 6):
        few = record(unflatten({**WIDE, "latent_dim": d}), [0.1, 1.0], frames=2, points=30, device="cpu")
        assert len(list(frames(few, 0))) == 2


def test_the_run_is_chosen_by_number_by_gamma_or_by_what_collapses(film, path, tmp_path, capsys):
    assert [nearest_run(film, gamma) for gamma in (1e-9, 0.2, 31.0, 1e9)] == [0, 1, 2, 2]
    assert 0 <= typical_run(film) < 3
    COMMAND(path, tmp_path / "b.gif", 100.0)
    assert "b.gif: " in capsys.readouterr().out
    for gamma in (-1.0, 0.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="gamma: expected a number above 0, got "):
            COMMAND(path, tmp_path / "c.gif", gamma)


def test_an_mp4_gets_the_same_pictures(film, path, tmp_path, monkeypatch):
    """The package is an extra: what it is asked is looked at."""
    asked = []

    def write_frames(target, size, **more):
        asked.append((size, more["fps"]))
        given = yield
        while True:
            asked.append(len(given))
            with open(target, "ab") as file:
                file.write(given[:10])
            given = yield

    module = types.ModuleType("imageio_ffmpeg")
    module.__spec__ = types.SimpleNamespace(name="imageio_ffmpeg")
    module.write_frames = write_frames
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", module)
    export(path, tmp_path / "a.mp4", 1)
    assert asked == [((SIZE, SIZE), 1_000 / movie.FRAME_MS), *[3 * SIZE * SIZE] * len(film.steps)]
    assert (tmp_path / "a.mp4").stat().st_size == 10 * len(film.steps)


def test_what_is_missing_or_wrong_is_said(path, tmp_path, monkeypatch):
    monkeypatch.setattr(movie.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="an MP4 needs the package imageio-ffmpeg, which is not installed: pip"):
        export(path, tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="a GIF needs the package Pillow, which is not installed"):
        export(path, tmp_path / "a.gif")
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"expected a name that ends in \.gif or \.mp4, got a\.avi"):
        export(path, tmp_path / "a.avi")
    with pytest.raises(FilmError, match="expected a run from 0 to 2, got 3"):
        export(path, tmp_path / "a.gif", 3)
    (tmp_path / "bad").write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FilmError):
        export(tmp_path / "bad", tmp_path / "a.gif")
    assert [file.name for file in tmp_path.iterdir()] == ["bad"]
