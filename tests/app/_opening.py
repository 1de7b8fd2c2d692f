"""A page as a link opens it, without a browser."""

from contextlib import contextmanager

from streamlit.testing.v1 import AppTest

from app.desks import jobs
from app.views._form import GROUPS, folded
from tests.patience import PATIENCE_S


def opened(page, **link):
    """The script ``page`` with ``link`` as its query parameters, run once, with all that can be folded open."""
    return ran(AppTest.from_string(page, default_timeout=PATIENCE_S), (*GROUPS, "Take it along"), **link)


def ran(test, sections, **link):
    for title in sections:
        test.session_state[folded(title)] = True
    for name, text in link.items():
        test.query_params[name] = text
    test.run()
    assert not test.exception
    return test


@contextmanager
def opened_with(page, monkeypatch, module, desk):
    """The same where ``desk`` stands in for the class of its parent's name in ``module``; its jobs end with it."""
    monkeypatch.setattr(module, desk.__base__.__name__, desk)
    yield opened(page)
    jobs.close_all()
