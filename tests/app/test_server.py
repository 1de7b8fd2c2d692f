"""The whole server as a reader starts it: `python -m app`."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.scriptrunner.exec_code import modified_sys_path
from websockets.sync.client import connect

from app import static_files
from app.server import HEADERS
from tests.forks import starting
from tests.patience import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[2]


def children(pid: int) -> list[int]:
    return [int(p) for task in Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]


def start(tmp: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "app", "--port", "0", *options], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp)})


def address(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline()
    found = re.fullmatch(r"LPC Lab is at (http://127\.0\.0\.\d:\d+)\n", line)
    assert found, line + process.stderr.read()
    return found[1]


def get(url: str, **headers: str) -> tuple[int, Any, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=PATIENCE_S) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as tmp, start(Path(tmp)) as process:
        at = address(process)
        yield at
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize("path", ["/", "/lab/health", "/lab/plotly.min.js", "/lab/static/kit/frames.js",
                                  "/lab/static/none.js", "/_stcore/health", "/lab/ws"])
def test_every_answer_has_the_security_headers(url, path):
    _, headers, _ = get(url + path)
    for name, value in HEADERS.items():
        assert headers[name] == value
    assert " 'unsafe-eval'" not in headers["content-security-policy"]


def test_health_says_whether_runs_can_be_trained(url):
    until(lambda: get(url + "/lab/health")[0] == 200)
    _, _, body = get(url + "/lab/health")
    assert json.loads(body) == {"status": "ok", "workers": 1, "own": 0, "silent": 0, "replaced": 0,
                                "sessions": 0, "unsaved": 0}


def test_plotly_is_served_packed_and_cached(url):
    from plotly import __version__ as version

    status, headers, body = get(url + "/lab/plotly.min.js", **{"accept-encoding": "gzip"})
    assert (status, headers["content-encoding"], headers["cache-control"]) == (200, "gzip", "no-cache")
    plain = get(url + "/lab/plotly.min.js")[2]
    assert gzip.decompress(body) == plain
    assert b"plotly.js v" in plain[:200]
    assert get(url + "/lab/plotly.min.js", **{"if-none-match": headers["etag"]})[0] == 304
    assert "immutable" in get(f"{url}/lab/plotly.min.js?v={version}")[1]["cache-control"]


def test_our_files_are_revalidated(url):
    status, headers, _ = get(url + "/lab/static/kit/frames.js")
    assert (status, headers["cache-control"]) == (200, "no-cache")
    assert "javascript" in headers["content-type"]
    assert get(url + "/lab/static/kit/frames.js", **{"if-none-match": headers["etag"]})[0] == 304
    assert get(url + "/lab/static/../hub.py")[0] in (400, 404)
    assert get(url + "/lab/static/%2e%2e/hub.py")[0] in (400, 404)
    assert get(url + "/lab/static/")[0] == 404


def test_at_their_versions_address_our_files_are_kept_for_good(url):
    ours, older = (f"{url}/lab/static/{version}/kit/frames.js" for version in (static_files.version(), "0" * 16))
    kept, asked_again = get(ours), get(older)
    assert (kept[0], kept[1]["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert (asked_again[0], asked_again[1]["cache-control"]) == (200, "no-cache")  # by a page of an older server
    assert kept[2] == asked_again[2] == get(url + "/lab/static/kit/frames.js")[2]
    for name in ("none.js", "../../hub.py", "%2e%2e/%2e%2e/hub.py", ""):
        status, headers, _ = get(f"{url}/lab/static/{static_files.version()}/{name}")
        assert status in (400, 404)
        assert "immutable" not in headers.get("cache-control", "")
    page = get(url + "/play")[2].decode()
    assert page.count(f"lab/static/{static_files.version()}/") == page.count("lab/static/") > 3


def test_a_file_that_changes_gives_all_of_them_another_version(tmp_path, monkeypatch):
    monkeypatch.setattr(static_files._Seen, "version", "")
    monkeypatch.setattr(static_files, "STATIC", tmp_path)
    (tmp_path / "one.js").write_text("a")
    before = static_files.look()
    assert before == static_files.look() == static_files.version()
    (tmp_path / "one.js").write_text("ab")
    assert static_files.version() == before != static_files.look() == static_files.version()


def test_a_port_in_use_is_one_line_and_a_failure(url):
    port = url.rpartition(":")[2]
    done = subprocess.run([sys.executable, "-m", "app", "--port", port], cwd=ROOT, capture_output=True, text=True,
                          check=False, timeout=PATIENCE_S)
    assert done.returncode != 0
    assert re.fullmatch(rf"Port {port} of 127\.0\.0\.1 cannot be used .*; choose another with --port\.\n", done.stderr)


def test_a_bad_setting_is_one_line_and_a_failure():
    done = subprocess.run([sys.executable, "-m", "app", "--workers", "none"], cwd=ROOT, capture_output=True, text=True,
                          check=False, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (2, "LPC_WORKERS: expected a whole number, got 'none'\n")


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_no_process_and_no_file_even_with_a_page_open(tmp_path, number):
    with starting(), start(tmp_path) as process:
        at = address(process)
        workers = children(process.pid)
        assert workers
        assert list(tmp_path.glob("lpc-lab-*"))
        with connect(at.replace("http", "ws") + "/_stcore/stream", origin=at):
            process.send_signal(number)
            assert process.wait(PATIENCE_S) == 0  # by itself, though the page stays open
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
        assert not list(tmp_path.glob("lpc-lab-*"))
        assert "Traceback" not in process.stderr.read()


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_killing_the_server_leaves_no_process_and_no_file(tmp_path):
    with start(tmp_path) as process:
        at = address(process)
        until(lambda: get(at + "/lab/health")[0] == 200)
        workers = children(process.pid)
        process.kill()
        process.wait()
        until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes()
                              for pid in workers))
        until(lambda: not list(tmp_path.glob("lpc-lab-*")))


def test_pages_announce_the_stages_files_and_no_others_and_their_headers_fit_a_proxy(url):
    _, headers, body = get(url + "/play")
    page = body.decode()
    for name in ("live/stage.js", "latents/latents.js"):
        assert f'<link rel="modulepreload" href="{static_files.address(name)}">' in page
    assert "cloud.js" not in page
    assert sum(len(f"{name}: {text}") for name, text in headers.items()) < 3_000  # nginx has room for 4,096


def test_the_films_of_the_lab_are_everybody_s_by_name_and_nothing_else_is(url):
    status, headers, body = get(f"{url}/lab/films/figure-1.film.safetensors")
    assert (status, len(body)) == (200, int(headers["content-length"]))
    for name in ("samples.json", "..%2Fsamples%2Fsamples.json", "%2Fetc%2Fpasswd", "nothing"):
        status, _, body = get(f"{url}/lab/films/{name}")
        assert status in {400, 404} or b'<div id="root">' in body  # no film's path, but one of the lab's page
        assert b"root:" not in body


def test_a_code_is_a_picture_of_a_short_text(url):
    status, headers, body = get(f"{url}/lab/qr.svg?text=http%3A%2F%2Flab%2Fplay%3Fseed%3D3")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert body.startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')
    for text in ("", "x" * 1_501):
        assert get(f"{url}/lab/qr.svg?text={text}")[0] == 400
    assert b"<script" not in get(f"{url}/lab/qr.svg?text=%3Cscript%3E")[2]


def test_a_script_that_runs_changes_no_other_threads_module_path():
    """Plotly's version was not found once, its folder being skipped: a script ended while the list was gone through."""
    before = list(sys.path)
    with modified_sys_path(str(ROOT / "app" / "main.py")):
        assert sys.path == before
    assert sys.path == before
