"""The wheel holds all that the lab shows: scripts, samples, settings, types; and serves without the checkout."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = " ".join(re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)).split()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "tree").mkdir()
    for name in COPIED:  # just what the container is built from; building leaves things behind
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / "tree" / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, folder / "tree"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    return next(folder.glob("*.whl"))


def test_everything_that_is_shown_is_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    static = {path.relative_to(ROOT).as_posix() for path in (ROOT / "app" / "static").rglob("*") if path.is_file()}
    samples = {f"app/{path.parent.name}/{path.name}" for kind in ("samples", "films")
               for path in (ROOT / "assets" / kind).iterdir()}
    assert static | samples <= names
    assert {"app/looks/report.css", "app/.streamlit/config.toml", "app/py.typed", "lpc_core/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "assets/"))]
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_it_serves_from_an_empty_folder(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(site)}
    listing = subprocess.run(
        [sys.executable, "-c",
         "from app.desks.samples import FILMS, FOLDER, samples; from lpc_core.film import open_film;"
         " print(FOLDER, len(samples()), *(len(open_film(film.path).gammas) for film in samples(FILMS)))"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout.split()
    assert listing[0].startswith(str(site))
    assert listing[2:] == ["17", "17"]  # both films open
    assert int(listing[1]) == len(json.loads((ROOT / "assets/samples/samples.json").read_text())["samples"])
    server = subprocess.Popen([sys.executable, "-m", "app", "--port", str(port)], cwd=tmp_path, env=env,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert healthy(f"http://127.0.0.1:{port}/lab/health", server)["workers"] == 1
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/lab/static/live/stage.js") as answer:
            assert answer.status == 200
    finally:
        server.terminate()
        server.wait()


def healthy(url, server):
    """The server's word once it has a worker; waits for it as long as the server lives."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"the server ended with status {server.returncode}")
