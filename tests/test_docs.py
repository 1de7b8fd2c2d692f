"""What the documents point at is there: files, settings, commands; and the README stays one page."""

import dataclasses
import json
import re
import tomllib
from pathlib import Path

import pytest

from app.settings import Settings
from lpc_core.registry import discover

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
ONE_PAGE = 80  # lines
OF_TESTS_AND_COMPOSE = {"LPC_TEST_DATA", "LPC_DATA"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_points_at_is_there(page):
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert target.startswith("https://") or (page.parent / target).exists(), target
    for path in re.findall(r"`((?:app|lpc_core|tests|benchmarks|docs|assets)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    known = {f"LPC_{field.name.upper()}" for field in dataclasses.fields(Settings)} | OF_TESTS_AND_COMPOSE
    assert set(re.findall(r"LPC_[A-Z_]+", text)) <= known
    for module in re.findall(r"python -m benchmarks\.([a-z]\w*)", text):
        assert (ROOT / "benchmarks" / f"{module}.py").exists(), module
    commands = {*discover("lpc_core.commands", "COMMAND"), *discover("app.commands", "COMMAND")}
    assert set(re.findall(r"^lpc ([a-z]+)|`lpc ([a-z]+)", text, re.MULTILINE)) <= {
        pair for name in commands for pair in ((name, ""), ("", name))}


def test_the_readme_is_one_page_that_leads_to_all_others():
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= ONE_PAGE
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert f"](docs/{page.name}" in text


def test_the_quick_tests_are_there():
    listed = re.search(r"^FAST := (.*?)\n(?=\S)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE | re.DOTALL)[1]
    plain = re.sub(r"\$\(addprefix (\S+),(.*?)\)", lambda m: " ".join(m[1] + name for name in m[2].split()),
                   listed.replace("\\\n", " "))
    assert len(plain.split()) > 10
    for path in plain.split():
        assert (ROOT / path).exists(), path


def test_the_container_uses_settings_that_exist():
    known = {f"LPC_{field.name.upper()}" for field in dataclasses.fields(Settings)} | OF_TESTS_AND_COMPOSE
    for name in ("Dockerfile", "compose.yaml"):
        assert set(re.findall(r"LPC_[A-Z_]+", (ROOT / name).read_text("utf-8"))) <= known


def test_the_container_runs_as_nobody_and_its_health_check_asks_the_server():
    lines = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    said = dict(line.partition(" ")[::2] for line in lines[last:])
    assert re.search(rf"useradd --uid [1-9]\d+ .*\b{said['USER']}\b", said["RUN"])
    python, flag, code = json.loads(said["HEALTHCHECK"].partition("CMD")[2])
    assert (python.rpartition("/")[2], flag) == ("python", "-c")
    compile(code, "health", "exec")
    assert f":{said['EXPOSE']}'" in code
    assert "/lab/health" in code
    compose = (ROOT / "compose.yaml").read_text("utf-8")
    for wall in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", 'tmpfs: ["/tmp:'):
        assert wall in compose.partition("services:")[0]
    services = re.findall(r"^  ([\w-]+):\n((?:    .*\n|\n)+)", compose.partition("services:")[2], re.MULTILINE)
    assert [name for name, body in services if "<<: *lab" in body] == ["lab", "lab-cuda"]


def test_the_project_says_what_it_is():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {"Typing :: Typed"} <= set(project["classifiers"])
    assert project["urls"]
    assert f"version: \"{project['version']}\"" in (ROOT / "CITATION.cff").read_text("utf-8")
