"""A page as a link opens it, without a browser."""

from streamlit.testing.v1 import AppTest

from tests.patience import PATIENCE_S


def opened(page, **link):
    """The script ``page`` with ``link`` as its query parameters, run once."""
    test = AppTest.from_string(page, default_timeout=PATIENCE_S)
    for name, text in link.items():
        test.query_params[name] = text
    test.run()
    assert not test.exception
    return test
