"""What is taken for a pointer, a web page or an error, and what must never be."""

import gzip
import io
import pickle

import numpy as np
import pytest

from lpc_core.files.impostors import HEAD, named

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 19332096\n"


@pytest.mark.parametrize(("head", "what"), [
    (b"", "an empty file"),
    (POINTER, "a Git-LFS pointer in place of the file; run `git lfs pull`"),
    (b"version https://hawser.github.com/spec/v1\n", "a Git-LFS pointer"),
    (b"/annex/objects/SHA256E-s1--0.pt\n", "a git-annex pointer"),
    (b"../.git/annex/objects/a/b\n", "a git-annex pointer"),
    (b"# xet version 0\nfilesize = 3\n", "a Xet pointer"),
    (b"outs:\n- md5: 0f\n  path: model.pt\n", "a DVC pointer"),
    (b"[InternetShortcut]\r\nURL=https://example.org/model.pt\r\n", "a link to a web page"),
    (b"<!DOCTYPE html><html>403</html>", "a web page; fetch the file itself"),
    (b"\xef\xbb\xbf \n<!-- saved -->\n<HTML lang='en'>", "a web page"),
    ("<!doctype html>".encode("utf-16"), "a web page"),
    (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-'>", "a web page"),
    (b"<h1>It works</h1>", "a web page"),
    (gzip.compress(b"<!DOCTYPE html>", mtime=0), "a web page, gzipped"),
    (gzip.compress(POINTER, mtime=0), "a Git-LFS pointer in place of the file, gzipped"),
    (b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>", "error message (XML)"),
    (b'{"error":"Repository not found"}', "error message (JSON)"),
    (b'{\n  "message": "Not Found",\n  "documentation_url": "x"}', "error message (JSON)"),
    (b"404: Not Found", "a server's error message; "),
    (b"Entry not found", "a server's error message; "),
    (b"HTTP/1.1 302 Found\r\nLocation: /\r\n", "a server's answer"),
    (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", "without ._"),
])
def test_what_is_not_the_file_is_named_with_what_to_do(head, what):
    said = named(head)
    assert said is not None
    assert what in said
    assert "; " in said


def _saved(save):
    raw = io.BytesIO()
    save(raw)
    return raw.getvalue()[:HEAD]


@pytest.mark.parametrize("head", [
    b"z0,z1,label\n1,2,a\n", b"message,label\nhello,1\n", b"error,label\n0.1,2\n", b"version,label\n1,2\n",
    b'"[1 2 3]",cat\n', b"<s>,label\n1,2\n", b"not found,label\n1,2\n",
    b'{"metadata":{},"weight_map":{}}', b'\x10\0\0\0\0\0\0\0{"error":{"dtype":"F32"}}',
    _saved(lambda raw: np.save(raw, np.zeros(3))), _saved(lambda raw: np.savez(raw, a=np.zeros(3))),
    pickle.dumps({"error": 1}), bytes(64), gzip.compress(b"\0\0\x08\x03" + bytes(60), mtime=0),
    gzip.compress(b"", mtime=0)[:12],
    b"\x1f\x8b\x00\x00", b"\x00\x00\x08\x03\x00\x00\x00\x01",
])
def test_what_may_be_the_file_is_left_to_its_reader(head):
    assert named(head) is None
