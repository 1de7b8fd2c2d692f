"""The lab behind a real nginx, by the very block that docs/deploy.md gives: TLS, a path in front, limits, a reload."""

import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, Lab, free_port, kept, tabs
from driving import drag_gamma, stage_state, wait_until

from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.browser
PREFIX = "/courses/lab"
IDLE = 3  # seconds; the block says 60
BOUND = "proxy_read_timeout 60s;"


class Nginx:
    """The block of docs/deploy.md with this test's ports and files, and a location that takes the path off."""

    def __init__(self, folder, lab):
        self.folder, self.port = folder, free_port()
        self.at = f"https://127.0.0.1:{self.port}"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-keyout", folder / "lab.key", "-out", folder / "lab.pem"],
                       check=True, capture_output=True)
        self.lab = lab
        self.configure()
        command = ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log", "-g", "daemon off;"]
        with (folder / "out").open("wb") as out:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out)
        until(self.answers, told=(folder / "out").read_text)

    def configure(self, idle=60):
        """Write what nginx reads when it starts and when it is told to reload."""
        folder = self.folder
        block = self.block({"listen 443": f"listen 127.0.0.1:{self.port}", "/etc/ssl/lab.example.org": f"{folder}/lab",
                            BOUND: f"proxy_read_timeout {idle}s;", "127.0.0.1:8501": f"127.0.0.1:{self.lab.port}"})
        block = block.rstrip()[:-1] + self.stripped(block) + "}\n"
        paths = "\n".join(f"{kind}_temp_path {folder}/{kind};"
                          for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"user {Path(folder).owner()};\npid {folder}/pid;\nerror_log {folder}/error.log;\nworker_processes 1;\n"
            f"worker_shutdown_timeout 1s;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}\n{block}}}\n")

    def reload(self):
        """Tell nginx to read its configuration anew; returns when every connection of before has been cut."""
        old = self.workers()
        os.kill(self.process.pid, signal.SIGHUP)
        until(lambda: self.workers() and not old & self.workers())

    @staticmethod
    def block(changes):
        text = re.search(r"```nginx\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text("utf-8"), re.DOTALL)[1]
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        return text

    @staticmethod
    def stripped(block):
        """The same location below another path, which this one takes off and says so."""
        inner = re.search(rf"    location {PREFIX}/ {{\n.*?\n    }}\n", block, re.DOTALL)[0]
        inner = inner.replace(f"location {PREFIX}/", "location /off/").replace('Prefix ""', "Prefix /off")
        return re.sub(r"(proxy_pass \S+);", r"\1/;", inner)

    def answers(self):
        assert self.process.poll() is None, (self.folder / "out").read_text()
        try:
            return self.get(f"{PREFIX}/lab/health")[0] == 200
        except OSError:
            return False

    def get(self, path, host=None, **headers):
        """Status, headers and body of the answer to a request."""
        context = ssl.create_default_context(cafile=self.folder / "lab.pem")
        context.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE_S, context=context)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{self.port}"} | named)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def workers(self):
        return set(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())


@pytest.fixture(scope="module")
def proxied(tmp_path_factory, data_root):
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        pytest.skip("no nginx found; install it with `apt-get install nginx openssl` and run `make test` again")
    folder = tmp_path_factory.mktemp("proxied")
    behind = Lab(folder / "log", LPC_DATA=str(data_root), LPC_PREFIX=PREFIX, LPC_TRUSTED_PROXIES="127.0.0.1",
                 LPC_ALLOWED_HOSTS="lab.example.org", LPC_UPLOAD_MB="20", HTTP_PROXY="http://127.0.0.1:9",
                 HTTPS_PROXY="http://127.0.0.1:9")
    try:
        behind.wait(PREFIX)
        nginx = Nginx(folder, behind)
        yield nginx
        nginx.process.terminate()
        nginx.process.wait()
    finally:
        behind.stop()


@pytest.fixture(scope="module")
def trusting(playwright, proxied, tmp_path_factory):
    """A browser that holds the proxy's certificate for a good one."""
    key = subprocess.run(["openssl", "pkey", "-in", proxied.folder / "lab.key", "-pubout", "-outform", "der"],
                         check=True, capture_output=True).stdout
    known = base64.b64encode(hashlib.sha256(key).digest()).decode()
    with kept(playwright, tmp_path_factory.mktemp("trusting"),
              f"--ignore-certificate-errors-spki-list={known}") as context:
        yield context


@pytest.fixture
def visit(trusting, proxied):
    """``visit(path)`` → a page behind the proxy; whatever fails to load or breaks a rule fails the test."""
    wrong = []

    def make(path):
        page = new()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(
            (proxied.at + path[:path.index("/", 1)], proxied.at.replace("https", "wss"), "blob:", "data:")) else None)
        page.goto(proxied.at + path)
        return page

    with tabs(trusting) as new:
        yield make
    assert wrong == []


@pytest.mark.parametrize("below", [PREFIX, "/off"])
def test_every_route_is_below_the_path(proxied, below):
    for path in ("/", "/film", "/lab/health", "/lab/static/live/stage.js", "/lab/plotly.min.js", "/_stcore/health"):
        assert proxied.get(below + path)[0] == 200, path
    assert proxied.get(below + "/film/?seed=3")[1]["location"] == f"{below}/film?seed=3"
    assert proxied.get(below + "/lab/file?token=x")[0] == 404
    assert proxied.get(below + "/lab/file?token=x", Origin=f"https://127.0.0.1:{proxied.port}")[0] == 404
    assert proxied.get(below + "/lab/file?token=x", Origin="https://evil.example")[0] == 403


def test_the_path_itself_leads_to_the_page(proxied):
    status, headers, _ = proxied.get(f"{PREFIX}?seed=3")
    assert (status, headers["location"]) == (308, f"{PREFIX}/?seed=3")


def test_only_names_that_are_allowed_and_only_what_the_proxy_says(proxied):
    for host, status in (("lab.example.org", 200), ("evil.example", 403)):
        assert proxied.get(f"{PREFIX}/lab/health", host)[0] == status
    said = {"X_Forwarded_Host": "lab.example.org", "Forwarded": "host=lab.example.org", "X_Forwarded_Prefix": "/evil"}
    assert proxied.get(f"{PREFIX}/lab/health", "evil.example", **said)[0] == 403
    assert proxied.get(f"{PREFIX}/film/", **said)[1]["location"] == f"{PREFIX}/film"


@pytest.mark.parametrize("below", [PREFIX, "/off"])
def test_a_run_lives_behind_the_proxy_and_its_link_opens_it(proxied, visit, below):
    page = visit(f"{below}/?seed=5")
    wait_until(page, lambda s: s["step"] > 100)
    drag_gamma(page, 1.0)
    wait_until(page, lambda s: s["mode"] == "hand" and s["gamma"] > 0.1)
    page.get_by_test_id("lpc-share").click()
    link = page.get_by_test_id("lpc-share-link").input_value()
    assert link.startswith(f"{proxied.at}{below}/play?")
    wait_until(visit(link.removeprefix(proxied.at)), lambda s: s["step"] > 0)


def test_a_film_plays_and_is_exported_behind_the_proxy(proxied, visit):
    page = visit(f"{PREFIX}/film?seed=5")
    page.get_by_role("button", name="The paper's Figure 1").click()
    page.get_by_test_id("lpc-film").wait_for()
    page.get_by_test_id("lpc-film-export").wait_for()
    with page.expect_download() as export:
        page.get_by_test_id("lpc-film-export").click()
    assert Path(export.value.path()).read_text("utf-8").startswith("<!doctype html>")
    page.get_by_test_id("lpc-share").click()
    assert page.get_by_test_id("lpc-share-link").input_value().startswith(f"{proxied.at}{PREFIX}/film?")


@pytest.mark.parametrize("where", ["inspect", "film"])
def test_a_file_over_the_proxys_limit_is_refused_in_words(visit, tmp_path, where):
    page = visit(f"{PREFIX}/{where}")
    large = tmp_path / "large.safetensors"
    large.write_bytes(bytes(11 * 2**20))  # the lab would take it, the proxy does not
    page.locator("input[type=file]").first.set_input_files(large)
    page.get_by_text(re.compile("413")).wait_for()
    larger = tmp_path / "larger.safetensors"
    larger.write_bytes(bytes(21 * 2**20))  # and this is not even sent
    page.locator("input[type=file]").first.set_input_files(larger)
    page.get_by_text(re.compile("must be 20.*MB or smaller")).wait_for()


def test_a_quiet_page_outlives_the_proxys_idle_time(proxied, visit):
    page = visit(f"{PREFIX}/?seed=6")
    wait_until(page, lambda s: s["step"] > 100)
    page.get_by_test_id("lpc-play").click()
    paused = wait_until(page, lambda s: s["state"] == "paused")
    proxied.configure(IDLE)
    proxied.reload()
    try:
        page.wait_for_timeout(2_500 * IDLE)  # Streamlit's own quiet line is cut meanwhile, and comes back
        assert stage_state(page)["run"] == paused["run"]
        page.get_by_test_id("lpc-connection").wait_for(state="hidden")
        page.get_by_test_id("lpc-play").click()
        after = wait_until(page, lambda s: s["state"] == "running" and s["step"] > paused["step"])
        assert after["run"] == paused["run"]
    finally:
        proxied.configure()
        proxied.reload()


def test_a_reload_of_the_proxy_interrupts_a_run_and_no_more(proxied, visit):
    page = visit(f"{PREFIX}/?seed=7&steps=1000000&ramp_steps=100000")
    before = wait_until(page, lambda s: s["step"] > 100)
    proxied.reload()
    received = stage_state(page)["step"]
    after = wait_until(page, lambda s: s["step"] > received + 100)
    assert after["run"] == before["run"]
    page.get_by_test_id("lpc-connection").wait_for(state="hidden")
    assert json.loads(proxied.get(f"{PREFIX}/lab/health")[2])["status"] == "ok"
