"""The film page without a browser: its controls, what it starts, and what it refuses."""

from pathlib import Path

import pytest

from app.desks import films
from app.desks.samples import FILMS, samples
from lpc_core.config import unflatten
from lpc_core.film import film_bytes, open_film
from lpc_core.presets import default_run
from tests.app._opening import opened_with

PAGE = """
from app.views.film import VIEW
VIEW.render()
"""


class StillDesk(films.FilmDesk):
    recordings: list[films.Recording]

    def record(self, recording):
        recording.check()
        self.recordings = [*getattr(self, "recordings", []), recording]


@pytest.fixture
def page(monkeypatch):
    with opened_with(PAGE, monkeypatch, films, StillDesk) as test:
        yield test


def test_one_press_records_the_tabs_run_shortened(page):
    page.button(key="film_record_first").click().run()
    assert not page.exception
    (recording,) = page.session_state.lpc.desks["film"].recordings
    assert recording.gammas == "1e-3:1e5:32"
    assert (recording.frames, recording.points, recording.run.steps) == (60, 1_000, 1_200)
    assert recording.run.data == default_run("hypercube").data


def test_a_bad_list_of_gammas_is_said_and_starts_nothing(page):
    page.text_input(key="film_gammas").set_value("1,1")
    page.button(key="film_record").click().run()
    assert not page.exception
    assert "expected each value once, got 1 twice" in page.error[0].value
    assert not hasattr(page.session_state.lpc.desks["film"], "recordings")


def test_a_ramp_that_the_length_would_stretch_too_far_is_said_and_starts_nothing(page):
    tab = page.session_state.lpc
    tab.replace(unflatten({"steps": 10, "ramp_steps": 10_000_000}, tab.run))
    page.number_input(key="film_steps").set_value(1_000)
    page.button(key="film_record").click().run()
    assert not page.exception
    assert "expected a whole number from 1 to 10000000, got 1000000000" in page.error[0].value
    assert not hasattr(tab.desks["film"], "recordings")


def test_the_film_page_comes_after_home_play_and_the_lessons():
    from app.views import views

    names = [name for name, _ in views()]
    assert names[:4] == ["home", "play", "learn", "film"]
    assert (Path(__file__).parents[3] / "app/static/film/player.js").exists()


@pytest.mark.parametrize("which", [0, 1])
def test_the_films_that_come_with_the_lab_open_at_once(page, which):
    assert len(samples(FILMS)) == 2
    film = samples(FILMS)[which]
    page.button(key=f"film_sample_{film.name}").click().run()
    assert not page.exception
    assert not page.error
    desk = page.session_state.lpc.desks["film"]
    assert desk.held.size == len(film_bytes(open_film(film.path)))  # in this version's format
    assert not [button for button in page.button if button.label == film.title]  # it is played now


def test_how_long_recording_takes_is_said_before(page):
    said = next(caption.value for caption in page.caption if caption.value.startswith("Takes about"))
    page.number_input(key="film_steps").set_value(200_000).run()
    assert next(c.value for c in page.caption if c.value.startswith("Takes about")) != said
    assert "minutes" in next(c.value for c in page.caption if c.value.startswith("Takes about"))
    page.text_input(key="film_gammas").set_value("nonsense").run()
    assert not page.exception
    assert any("nonsense" in caption.value for caption in page.caption)
