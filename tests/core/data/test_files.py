"""Downloads and archives: checked, told about, and never left half done."""

import hashlib
import http.server
import io
import re
import sys
import tarfile
import threading
from pathlib import Path

import pooch
import pytest

from lpc_core.data import DataError
from lpc_core.data._files import download, unpack

HTTP_CALL = pooch.HTTPDownloader.__call__  # the real one, before the tests' own refuses
CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT).hexdigest()


class _Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if "cut" in self.path else CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", HTTP_CALL)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.HTTPServer(("127.0.0.1", 0), _Quiet) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_download_is_told_about_and_kept(server, tmp_path):
    told = []
    download(f"{server}/set.bin", MD5, tmp_path / "new" / "set.bin", lambda *news: told.append(news), "do it yourself")
    shares = [share for share, _ in told]
    assert (tmp_path / "new" / "set.bin").read_bytes() == CONTENT
    assert {what for _, what in told} == {"Downloading set.bin"}
    assert shares == sorted(shares)
    assert shares[0] < 0.5
    assert shares[-1] == 1


def test_without_the_package_for_downloads_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match=r"expected to download set\.bin, got no package pooch; do it yourself"):
        download("http://127.0.0.1:9/set.bin", MD5, tmp_path / "set.bin", print, "do it yourself")


@pytest.mark.parametrize(("page", "md5", "problem"), [
    ("set.bin", "0" * 32, "ValueError: MD5 hash of downloaded file .* does not match"),
    ("missing", MD5, "HTTPError: 404"),
    ("cut", MD5, "ChunkedEncodingError: .*IncompleteRead"),
])
def test_a_bad_download_leaves_nothing(server, tmp_path, page, md5, problem):
    with pytest.raises(DataError, match=f"expected to download {server}/{page}, got {problem}.*; do it yourself$"):
        download(f"{server}/{page}", md5, tmp_path / "set.bin", lambda *news: None, "do it yourself")
    assert list(tmp_path.iterdir()) == []


def archive(path, *members):
    """A tar.gz of (name, content) files and ready-made TarInfo members."""
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member[0])
            content = b"" if isinstance(member, tarfile.TarInfo) else member[1]
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_only_the_wanted_files_are_written(tmp_path):
    packed = archive(tmp_path / "a.tar.gz", ("set/one.bin", b"1"), ("../../evil", b"x"), ("/etc/two.bin", b"2"),
                     ("set/readme.html", b"r"))
    unpack(packed, ("one.bin", "two.bin"), tmp_path / "out", 10**6)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == {"one.bin": b"1", "two.bin": b"2"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar.gz", "out"]


def test_links_are_not_followed(tmp_path):
    link = tarfile.TarInfo("one.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    packed = archive(tmp_path / "a.tar.gz", link)
    message = f"{packed}: expected an archive with one.bin, got one without; fetch it again"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        unpack(packed, ("one.bin",), tmp_path / "out", 10**6)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    packed = archive(tmp_path / "a.tar.gz", ("filler", bytes(3_000_000)), ("one.bin", b"1"))
    with pytest.raises(DataError, match="got OSError: more than 2000000 unpacked bytes; fetch it again"):
        unpack(packed, ("one.bin",), tmp_path / "out", 2_000_000)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b[:60] + b"!" * 99,
                                    lambda b: b"not an archive"])
def test_a_damaged_archive_leaves_no_file_that_looks_whole(tmp_path, damage):
    packed = archive(tmp_path / "a.tar.gz", ("one.bin", Path(__file__).read_bytes() * 20))
    packed.write_bytes(damage(packed.read_bytes()))
    with pytest.raises(DataError, match=re.escape(f"{packed}: expected to unpack one.bin, got ")):
        unpack(packed, ("one.bin",), tmp_path / "out", 10**7)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_that_cannot_be_read_is_refused_in_words(tmp_path):
    with pytest.raises(DataError, match=re.escape(f"{tmp_path}: expected a readable file, got ")):
        unpack(tmp_path, ("one.bin",), tmp_path / "out", 10**6)
