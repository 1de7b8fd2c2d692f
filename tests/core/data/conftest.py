"""Every data test has an empty data folder of its own and no way to the network."""

import pooch
import pytest
import requests


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    """The folder LPC_DATA names: empty."""
    monkeypatch.setenv("LPC_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Downloads fail at once, as they do without a network; the list holds the addresses that were asked for."""
    asked = []

    def refuse(self, url, output_file, pooch_, check_only=False):
        asked.append(url)
        raise requests.ConnectionError("no network here")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", refuse)
    return asked
