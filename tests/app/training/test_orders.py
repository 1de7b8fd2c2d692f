"""What a training process does when the web process is gone."""

import io

import pytest

from app.live import rooms, wire
from app.training import worker


@pytest.mark.parametrize("trouble", [None, FileNotFoundError("cleared away meanwhile"), ValueError("a flaw")])
def test_it_ends_whatever_happens_while_it_tidies_up(trouble, tmp_path, monkeypatch):
    """It once went on for good where its folder's place vanished under it."""
    ended, cleared = [], []

    def clear(folder, keep_s):
        cleared.append((folder, keep_s))
        if trouble:
            raise trouble

    def leave(status):
        ended.append(status)
        raise SystemExit(status)

    monkeypatch.setattr(worker.os, "_exit", leave)
    monkeypatch.setattr(rooms, "clear", clear)
    with pytest.raises(SystemExit):
        worker._read_orders(io.BytesIO(), wire.Mailbag(), tmp_path / "room", 600.0)
    assert (ended, cleared) == ([0], [(tmp_path / "room", 600.0)])


def test_a_folder_that_vanishes_while_it_is_looked_at_is_nobody_s(tmp_path):
    assert rooms._is_ours(tmp_path / "gone") is False
