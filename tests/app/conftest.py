"""For the page's tests: no process is kept ready for jobs unless a test is about that (marked "spares")."""

import pytest

from app.desks import inspections
from tests.forks import forked  # noqa: F401


@pytest.fixture(autouse=True)
def _no_spares(request, monkeypatch):
    if request.node.get_closest_marker("spares") is None:
        monkeypatch.setattr(inspections.InspectDesk, "_prepare", lambda desk: None)
