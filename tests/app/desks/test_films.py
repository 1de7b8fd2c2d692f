"""The lab's film desk, its routes, its page and the offline export, without a browser."""

import asyncio
import errno
import os
import re
import stat
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.desks import file_routes, films, jobs
from app.desks.films import FilmDesk, Recording
from app.looks import film_export
from app.looks.bundling import bundle, modules
from app.looks.film_export import page
from app.settings import Settings
from lpc_core.config import unflatten
from lpc_core.film import FilmError, film_bytes, open_film
from lpc_core.film.record import record
from tests.app._client import Client
from tests.patience import PATIENCE_S, until

SMALL = unflatten({"samples": 300, "test_samples": 100, "steps": 30, "ramp_steps": 20, "batch_size": 32})


@pytest.fixture(scope="module")
def raw():
    return film_bytes(record(SMALL, [0.1, 10.0], frames=3, points=30, device="cpu"))


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setenv("LPC_DEVICE", "cpu")
    made = FilmDesk()
    yield made
    made.close()


def wait(desk):
    until(lambda: not desk.running)
    until(lambda: desk.held is not None or desk.error)


# ---- the desk ------------------------------------------------------------------------------------------------------


def test_a_film_is_recorded_in_a_process_of_its_own_and_kept_privately(desk):
    desk.record(Recording(SMALL, "0.1,1,10", 4, 30))
    assert desk.running
    wait(desk)
    assert desk.error == ""
    assert desk.share == 1
    film = open_film(desk.path)
    assert film.config == SMALL
    assert desk.held.size == desk.path.stat().st_size
    assert stat.S_IMODE(desk.path.parent.stat().st_mode) == 0o700
    folder = desk.path.parent
    desk.close()
    assert not folder.exists()
    assert jobs.find(film and "x") is None


def test_what_cannot_be_recorded_is_said_at_once_or_by_the_process(desk):
    with pytest.raises(FilmError, match="expected each value once"):
        desk.record(Recording(SMALL, "1,1", 4, 30))
    with pytest.raises(FilmError, match="frames: expected at most 31"):
        desk.record(Recording(SMALL, "1,2", 40, 30))
    desk.record(Recording(unflatten({"dim": 1, "classes": 4}, SMALL), "1,2", 4, 30))
    wait(desk)
    assert desk.error.startswith("classes: expected at most 2")
    assert desk.held is None


def test_cancelling_leaves_nothing_and_keeps_the_film_before(desk, raw):
    desk.adopt(raw)
    before = desk.held
    desk.record(Recording(unflatten({"steps": 100_000}, SMALL), "1,2", 4, 30))
    process = desk._process
    desk.cancel()
    assert process.wait(PATIENCE_S) != 0
    assert not desk.running
    assert desk.held == before
    assert {path.name for path in desk.path.parent.iterdir()} <= {"film.safetensors", "errors.txt"}
    time.sleep(0.2)  # nothing may come of it
    assert desk.error == ""


def test_only_so_many_recordings_at_once(desk, monkeypatch):
    monkeypatch.setattr(FilmDesk, "at_once", 0)
    with pytest.raises(FilmError, match="expected fewer than 0 films being recorded on this server, got 0; try again"):
        desk.record(Recording(SMALL, "1,2", 4, 30))


def test_a_film_that_finds_no_room_is_refused_in_words(desk, raw, monkeypatch):
    def full(path, raw):
        raise OSError(errno.ENOSPC, "No space left on device")

    desk.adopt(raw)
    before = desk.held
    monkeypatch.setattr(films, "write_whole", full)
    with pytest.raises(FilmError, match="The film could not be kept: No space left on device"):
        desk.adopt(raw)
    assert desk.held == before


def test_a_bad_upload_changes_nothing(desk, raw):
    desk.adopt(raw)
    before = desk.held
    with pytest.raises(FilmError, match="expected"):
        desk.adopt(raw[:-1])
    assert desk.held == before
    assert desk.path.read_bytes() == raw


def test_a_page_that_comes_back_in_time_finds_its_film(desk, raw, monkeypatch):
    desk.adopt(raw)
    jobs.leave(desk.id)
    leaving = desk._leaving
    desk.keep()
    leaving.join(PATIENCE_S)
    assert not leaving.is_alive()  # called off, long before its time
    assert jobs.find(desk.held.token) == desk.path
    monkeypatch.setattr(jobs, "GRACE_S", 0.2)
    jobs.leave(desk.id)
    until(lambda: desk.closed and not desk.path.parent.exists())
    jobs.leave("nobody")


# ---- the routes ----------------------------------------------------------------------------------------------------


@pytest.fixture
def client(monkeypatch):
    class Hub:
        settings = Settings()

    monkeypatch.setattr(file_routes, "current", Hub)
    routes = [Route("/lab/file", file_routes.desk_file),
              *(Route(f"/lab/film.{ending}", file_routes.film_form) for ending in file_routes.FILM_FORMS)]
    return Client(Starlette(routes=routes))


def test_a_film_is_served_to_its_token_only(client, desk, raw):
    desk.adopt(raw)
    token = desk.held.token
    answer = client.get(f"/lab/file?token={token}", headers={"sec-fetch-site": "same-origin"})
    assert answer.content == raw
    assert answer.headers["cache-control"] == "no-store"
    assert client.get(f"/lab/file?token={token}&save").headers["content-disposition"].startswith("attachment")
    for wrong in ("", "?token=", "?token=x", f"?token={token[:-1]}", "?token=%ff%00é"):
        assert client.get(f"/lab/file{wrong}").status_code == 404
        assert client.get(f"/lab/film.html{wrong}").status_code == 404
    exported = client.get(f"/lab/film.html?token={token}")
    assert "attachment" in exported.headers["content-disposition"]
    assert exported.content.startswith(b"<!doctype html>")
    assert client.get(f"/lab/film.gif?token={token}&run=0").content.startswith(b"GIF89a")
    desk.adopt(raw)
    assert client.get(f"/lab/file?token={token}").status_code == 404  # another film, another token


def test_who_asks_for_a_page_of_a_file_that_is_still_being_made_holds_up_nobody(client, desk):
    made = Future()
    token = desk.publish(desk.folder / "slow", made)

    async def both():
        waits = asyncio.create_task(client.ask(f"/lab/film.html?token={token}"))
        other = await client.ask("/lab/file?token=x")
        still = not waits.done()
        made.cancel()
        return other.status_code, still, (await waits).status_code

    assert asyncio.run(both()) == (404, True, 404)


def test_pages_that_are_made_keep_no_thread_from_other_requests_and_wait_in_a_line_that_ends(client, desk, raw,
                                                                                             monkeypatch):
    desk.adopt(raw)
    begun, free = threading.Event(), threading.Event()

    def slow(*_):
        begun.set()
        free.wait(PATIENCE_S)
        return "made too late"

    async def many():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        url = f"/lab/film.gif?token={desk.held.token}"
        tasks = [asyncio.create_task(client.ask(url)) for _ in range(file_routes.WAITING + 1)]
        try:
            while not begun.is_set():
                await asyncio.sleep(0.01)
            file = await asyncio.wait_for(client.ask(url.replace("film.gif", "file")), PATIENCE_S / 2)
        finally:
            free.set()
        return file.status_code, sorted([(await task).status_code for task in tasks])

    monkeypatch.setattr(jobs, "do", slow)
    assert asyncio.run(many()) == (200, [410] * file_routes.WAITING + [503])


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"},
                                     {"sec-fetch-site": "same-site"}])
def test_other_sites_get_nothing(client, desk, raw, headers):
    desk.adopt(raw)
    for path in ("file", "film.html"):
        assert client.get(f"/lab/{path}?token={desk.held.token}", headers=headers).status_code == 403


# ---- the offline page ----------------------------------------------------------------------------------------------


def test_the_page_holds_everything_and_may_ask_for_nothing(raw):
    text = page(raw)
    assert "default-src 'none'" in text
    assert text.count("<script") == text.count("</script>") == 6
    assert not re.search(r"^<(script|link|img)[^>]*(src|href)=", text, re.MULTILINE)
    with pytest.raises(FilmError, match="checksum"):
        page(raw[:-1] + bytes([raw[-1] ^ 1]))


def test_export_is_all_or_nothing(tmp_path, raw):
    (tmp_path / "a.film").write_bytes(raw)
    film_export.export(tmp_path / "a.film", tmp_path / "a.html")
    assert {path.name for path in tmp_path.iterdir()} == {"a.film", "a.html"}
    (tmp_path / "b.film").write_bytes(raw[:100])
    with pytest.raises(FilmError):
        film_export.export(tmp_path / "b.film", tmp_path / "b.html")
    assert not os.path.exists(tmp_path / "b.html")


def write(folder, **modules):
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder


def test_modules_of_other_rooms_are_found_and_told_apart(tmp_path):
    for room in ("one", "two"):
        (tmp_path / room).mkdir()
    write(tmp_path / "one", a='import { x } from "../two/a.js";\nimport { y } from "./b.js";\n',
          b="export const y = 2;\n")
    write(tmp_path / "two", a="export const x = 1;\n")
    assert modules("one/a.js", tmp_path) == ["two/a.js", "one/b.js", "one/a.js"]
    assert 'const { x } = modules["two/a.js"];' in bundle("one/a.js", tmp_path)


def test_modules_are_joined_in_the_order_they_need_each_other(tmp_path):
    write(tmp_path, a='import { x, y as z } from "./b.js";\nconsole.log(x, z);\n',
          b="export const x = 1;\nexport function y() {}\nexport class C {}\n")
    joined = bundle("a.js", tmp_path)
    assert joined.index('modules["b.js"]') < joined.index('modules["a.js"]')
    assert 'const { x, y: z } = modules["b.js"];' in joined
    assert "return { x, y, C };" in joined


@pytest.mark.parametrize(("text", "found"), [
    ('import * as b from "./b.js";', "import \\* as b"), ("export { x };", "export { x }"),
    ("export let x = 1;", "export let x"), ('const m = import("./b.js");', "import\\("),
])
def test_what_the_joiner_does_not_know_is_refused(tmp_path, text, found):
    write(tmp_path, a=text, b="")
    with pytest.raises(ValueError, match=f"a.js: expected plain imports and exports, got '.*{found}"):
        bundle("a.js", tmp_path)


def test_circles_are_refused(tmp_path):
    write(tmp_path, a='import { b } from "./b.js";\n', b='import { a } from "./a.js";\n')
    with pytest.raises(ValueError, match=r"got a.js → b.js → a.js"):
        bundle("a.js", tmp_path)
