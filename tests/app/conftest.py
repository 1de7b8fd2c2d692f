"""For the page's tests: no process is kept ready for jobs unless a test is about that (marked "spares")."""

import functools

import pytest
from streamlit.components.v2 import manifest_scanner

from app.desks import inspections
from tests.forks import forked  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def _one_search():
    """A page under test looks through all packages for components, which takes longer than the page: once will do."""
    with pytest.MonkeyPatch.context() as patch:
        search = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: list(search()))
        yield


@pytest.fixture(autouse=True)
def _no_spares(request, monkeypatch):
    if request.node.get_closest_marker("spares") is None:
        monkeypatch.setattr(inspections.InspectDesk, "_prepare", lambda desk: None)
