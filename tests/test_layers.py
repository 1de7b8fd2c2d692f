"""Imports point downward, and the library never learns of the browser."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (  # from the ground up; a room may import itself and the rooms on floors below it
    ("lpc_core.config", "lpc_core.snapshot", "lpc_core.files", "lpc_core.machine"),
    ("lpc_core.registry",),
    ("lpc_core.choices",),
    ("lpc_core.comparison", "lpc_core.data", "lpc_core.losses", "lpc_core.optimizers", "lpc_core.presets",
     "lpc_core.schedules", "lpc_core.theory"),
    ("lpc_core.models",),
    ("lpc_core.metrics", "lpc_core.penalty"),
    ("lpc_core.parsing",),
    ("lpc_core.engine", "lpc_core.robustness"),
    ("lpc_core.film", "lpc_core.saved_run"),
    ("lpc_core.checkpoint",),
    ("lpc_core.inspection", "lpc_core.study"),
    ("lpc_core.commands",),
    ("lpc_core", "lpc_core.cli"),
    ("lpc_core.__main__",),
    ("app", "app.settings", "app.comparisons", "app.charts"),
    ("app.hosts", "app.proxies"),
    ("app.live", "app.looks"),
    ("app.desks",),
    ("app.parts", "app.session"),
    ("app.views",),
    ("app.main",),
    ("app.server",),
    ("app.__main__",),
    ("app.commands",),
    ("app.cli",),
)
CORE_MAY_NEED = {"torch", "numpy", "scipy", "sklearn", "safetensors", "pydantic", "pooch", "requests", "typer", "rich",
                 "pytorch_metric_learning"}
EXTRAS = {"pyarrow", "openTSNE", "umap", "PIL"}  # imported in functions; a missing one says so
BROWSER = {"streamlit", "plotly"}


def modules(package):
    return sorted((ROOT / package).rglob("*.py"))


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """Every module that ``path`` imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module):
    """The room that ``module`` lies in: the longest room name that is a prefix of it."""
    rooms = [name for names in ROOMS for name in names if module == name or module.startswith(name + ".")]
    return max(rooms, key=len) if rooms else None


def level(module):
    """The height of the room that ``module`` lies in."""
    return next((height for height, names in enumerate(ROOMS) if room(module) in names), None)


ALL = modules("lpc_core") + modules("app")


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_imports_point_downward(path):
    own = level(name_of(path))
    assert own is not None, f"{name_of(path)} lies in no room: add it to ROOMS"
    for target in imports_of(path):
        height = level(target)
        # `import lpc_core.x` also names the package itself, which is only a lazy front door
        inside = room(target) == room(name_of(path))
        assert height is None or target in ("lpc_core", "app") or height < own or inside, \
            f"{name_of(path)} imports {target}"


@pytest.mark.parametrize("path", modules("lpc_core"), ids=name_of)
def test_the_core_needs_only_what_it_says(path):
    for target in imports_of(path):
        top = target.split(".")[0]
        known = CORE_MAY_NEED | EXTRAS | {"lpc_core"} | set(sys.stdlib_module_names)
        assert top in known, f"{path} imports {target}"


@pytest.mark.parametrize("path", modules("app"), ids=name_of)
def test_only_session_touches_the_state_of_a_tab(path):
    text = path.read_text()
    if name_of(path) != "app.session":
        assert "session_state" not in text
        assert "st.query_params" not in text
        assert "cache_resource" not in text


FLOORS = ({"kit"}, {"latents", "panels"}, {"cards", "cloud", "film", "live"}, {"compare"})  # of app/static
SCRIPTS = sorted((ROOT / "app" / "static").rglob("*.js"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_scripts_import_their_own_room_and_lower_floors(path):
    height = next(i for i, rooms in enumerate(FLOORS) if path.parent.name in rooms)
    below = {path.parent.name}.union(*FLOORS[:height])
    for wanted in re.findall(r'^import .* from "([^"]+)";', path.read_text(), re.MULTILINE):
        target = (path.parent / wanted).resolve()
        assert target in SCRIPTS, f"{path} imports {wanted}, which is not there"
        assert target.parent.name in below, f"{path.parent.name}/{path.name} imports {wanted}"
