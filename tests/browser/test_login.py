"""A server that asks for a login, and a provider that vouches: a reader's way from a link through the door to a run."""

import contextlib
import io
import secrets

import numpy as np
import pytest
from conftest import Lab, free_port
from driving import ask_until, wait_until
from provider import provider

from tests.app.test_login import secrets_in

pytestmark = pytest.mark.browser


@contextlib.contextmanager
def closed_lab(folder, vouches, **environment):
    """A lab that asks the provider ``vouches``."""
    port = free_port()
    secrets_in(folder, {"redirect_uri": f"http://127.0.0.1:{port}/oauth2callback", "client_id": "lab",
                        "client_secret": "hush", "cookie_secret": secrets.token_hex(),
                        "server_metadata_url": f"{vouches.url}/.well-known/openid-configuration"})
    lab = Lab(folder / "log.txt", port, HOME=str(folder), **environment)
    try:
        yield lab.wait()
    finally:
        lab.stop()


@pytest.fixture
def tab(new_tab, profile):
    """A page of a browser that no lab knows (ports do not part cookies)."""
    profile.clear_cookies()
    yield new_tab()
    profile.clear_cookies()


def test_a_link_leads_through_the_door_to_its_run_and_out_again(tab, tmp_path):
    with provider("anna@example.org") as vouches, closed_lab(tmp_path, vouches) as lab:
        tab.goto(f"{lab.url}/play?seed=8&hand=5")
        way_in = tab.get_by_role("button", name="Log in")
        way_in.wait_for()
        assert tab.get_by_test_id("lpc-stage").count() == 0
        assert tab.get_by_role("link", name="Inspect").count() == 0
        assert tab.get_by_test_id("stAppDeployButton").count() == 0  # our settings of Streamlit hold here too
        assert not vouches.asked
        way_in.click()
        tab.get_by_test_id("lpc-stage").wait_for()
        there = wait_until(tab, lambda s: s["step"] > 20)
        assert (there["mode"], there["gammaShown"]) == ("hand", 5)
        assert "seed=8" in tab.url
        assert vouches.asked[-1] == "/keys"
        a_file_is_taken(tab, lab)
        tab.get_by_role("link", name="Log out").click()
        way_in.wait_for()
        tab.goto(f"{lab.url}/play")
        way_in.wait_for()


def a_file_is_taken(tab, lab):
    """Uploads ask for the login too, and get it."""
    tab.goto(f"{lab.url}/inspect")
    buffer = io.BytesIO()
    labels = np.arange(60) % 3
    np.savez(buffer, latents=np.eye(3)[labels] + np.random.default_rng(0).normal(0, 0.1, (60, 3)), labels=labels)
    tab.locator("input[type=file]").first.set_input_files(
        {"name": "latents.npz", "mimeType": "application/zip", "buffer": buffer.getvalue()})
    cloud = tab.get_by_test_id("lpc-cloud").first
    ask_until(tab, cloud.count, lambda found: found == 1)


def test_who_is_vouched_for_but_not_known_stays_outside(tab, tmp_path):
    with provider("eve@evil.org") as vouches, closed_lab(tmp_path, vouches, LPC_ALLOWED_USERS="@example.org") as lab:
        tab.goto(f"{lab.url}/?lang=de")
        tab.get_by_role("button", name="Anmelden").click()
        tab.get_by_text("eve@evil.org").wait_for()
        assert tab.get_by_text("kennt dich dieser Server nicht").count() == 1
        assert tab.request.get(f"{lab.url}/lab/film.html?token=x").status == 401
        vouches.email = "anna@example.org"
        tab.get_by_role("link", name="Abmelden").click()
        tab.get_by_role("button", name="Log in").click()
        tab.get_by_role("link", name="Log out").wait_for()
        assert tab.get_by_text("eve@evil.org").count() == 0
