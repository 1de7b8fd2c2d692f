"""What tests of commands share."""

import sys

import pytest

from tests.forks import forked  # noqa: F401


@pytest.fixture
def shell(monkeypatch, capsys):
    """``shell("measure", file, …)`` → ``lpc measure`` in this process: its status, standard output, standard error."""

    def call(*arguments, main=None):
        if main is None:
            from lpc_core.cli import main
        monkeypatch.setattr(sys, "argv", ["lpc", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    return call
