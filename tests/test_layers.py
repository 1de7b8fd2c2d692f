"""Imports point downward and in no circle, what is private stays so, and the library never learns of the browser."""

import ast
import functools
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (  # from the ground up; a room may import itself and the rooms on floors below it
    ("lpc_core.snapshot", "lpc_core.files", "lpc_core.machine"),
    ("lpc_core.config",),
    ("lpc_core.progress", "lpc_core.ray_cluster", "lpc_core.registry"),
    ("lpc_core.choices",),
    ("lpc_core.run_group", "lpc_core.data", "lpc_core.losses", "lpc_core.optimizers", "lpc_core.phase",
     "lpc_core.presets", "lpc_core.schedules", "lpc_core.theory"),
    ("lpc_core.models",),
    ("lpc_core.metrics", "lpc_core.penalty"),
    ("lpc_core.parsing",),
    ("lpc_core.engine", "lpc_core.robustness"),
    ("lpc_core.film", "lpc_core.saved_run"),
    ("lpc_core.checkpoint",),
    ("lpc_core.inspection", "lpc_core.study"),
    ("lpc_core.experiments",),
    ("lpc_core.commands",),
    ("lpc_core", "lpc_core.cli"),
    ("lpc_core.__main__",),
    ("app.words",),
    ("app", "app.settings", "app.catalogue", "app.comparisons", "app.charts", "app.glossary", "app.lessons",
     "app.one", "app.reach"),
    ("app.abouts",),
    ("app.hosts", "app.proxies", "app.static_files"),
    ("app.live", "app.login", "app.looks"),
    ("app.training",),
    ("app.offline", "app.room"),
    ("app.desks",),
    ("app.moments",),
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
EXTRAS = {"ray", "pyarrow", "openTSNE", "umap", "PIL", "imageio_ffmpeg"}  # imported in functions; a missing one says so
BROWSER = {"streamlit", "plotly"}


def modules(package):
    return sorted((ROOT / package).rglob("*.py"))


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text())


@functools.cache
def nodes_of(path):
    return list(ast.walk(tree_of(path)))


def imports_of(path):
    """Every module that ``path`` imports, at the top or inside a function."""
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def targets(path, nodes):
    """The modules of this project that ``nodes`` of ``path`` import; a package's own names count as the package."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in PATHS)
        elif isinstance(node, ast.ImportFrom):
            found = (name if name in PATHS else node.module
                     for name in (f"{node.module}.{alias.name}" for alias in node.names))
            yield from (name for name in found if name in PATHS)


def in_use(tree):
    """Every node of a module but those under ``if TYPE_CHECKING``, which never run."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        typing_only = isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        waiting += node.orelse if typing_only else ast.iter_child_nodes(node)


def circle_in(arrows):
    """A way along ``arrows`` {module: the modules it imports} back to where it began; [] where there is none."""
    done, way = set(), []

    def seek(module):
        if module in way:
            return [*way[way.index(module):], module]
        if module in done:
            return []
        way.append(module)
        found = next((circle for target in sorted(arrows.get(module, ())) if (circle := seek(target))), [])
        way.pop()
        done.add(module)
        return found

    return next((circle for module in sorted(arrows) if (circle := seek(module))), [])


@functools.cache
def room(module):
    """The room that ``module`` lies in: the longest room name that is a prefix of it."""
    rooms = [name for names in ROOMS for name in names if module == name or module.startswith(name + ".")]
    return max(rooms, key=len) if rooms else None


@functools.cache
def level(module):
    """The height of the room that ``module`` lies in."""
    return next((height for height, names in enumerate(ROOMS) if room(module) in names), None)


def by_folder(paths):
    """A test of each folder: one of each of five hundred files takes longer to begin than to do."""
    folders = {}
    for path in paths:
        folders.setdefault(path.parent.relative_to(ROOT).as_posix(), []).append(path)
    return pytest.mark.parametrize("paths", folders.values(), ids=folders)


ALL = modules("lpc_core") + modules("app")
PATHS = {name_of(path): path for path in ALL}


def test_no_circle_of_imports_at_any_level():
    """Imports inside functions count as well: a late import may be slow to come, but never a way around a circle."""
    arrows = {name: {target for target in targets(path, in_use(tree_of(path))) if target != name}
              for name, path in PATHS.items()}
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert " → ".join(circle_in(arrows)) == ""


def private_in(module):
    """The first private module on the way to ``module``, and the package it is private to; ("", "") where all is open.
    """
    parts = module.split(".")
    first = next((i for i, part in enumerate(parts) if part.startswith("_") and not part.startswith("__")), None)
    return ("", "") if first is None else (".".join(parts[: first + 1]), ".".join(parts[:first]))


@by_folder([*ALL, *modules("benchmarks")])
def test_a_private_module_is_imported_only_inside_its_own_package(paths):
    """One rule for the underscore, everywhere: ``package/_name.py`` is for the modules of ``package`` and below it."""
    for path in paths:
        for target in targets(path, nodes_of(path)):
            private, package = private_in(target)
            assert not private or f"{name_of(path)}.".startswith(f"{package}."), \
                f"{name_of(path)} imports {private}: take the underscore away, or let {package} offer what is needed"


@by_folder(ALL)
def test_a_private_name_is_not_imported(paths):
    taken = [(name_of(path), alias.name) for path in paths for node in nodes_of(path)
             if isinstance(node, ast.ImportFrom) for alias in node.names
             if alias.name.startswith("_") and f"{node.module}.{alias.name}" not in PATHS
             and alias.name != "_"  # what speaks for a page (`app.words`)
             and node.module.split(".")[0] in ("lpc_core", "app")]
    assert taken == []


@by_folder(ALL)
def test_imports_point_downward(paths):
    for path in paths:
        own = level(name_of(path))
        assert own is not None, f"{name_of(path)} lies in no room: add it to ROOMS"
        for target in imports_of(path):
            height = level(target)
            # `import lpc_core.x` also names the package itself, which is only a lazy front door
            inside = room(target) == room(name_of(path))
            assert height is None or target in ("lpc_core", "app") or height < own or inside, \
                f"{name_of(path)} imports {target}"


@by_folder(modules("lpc_core"))
def test_the_core_needs_only_what_it_says(paths):
    known = CORE_MAY_NEED | EXTRAS | {"lpc_core"} | set(sys.stdlib_module_names)
    for path in paths:
        for target in imports_of(path):
            assert target.split(".")[0] in known, f"{path} imports {target}"


@by_folder(modules("lpc_core"))
def test_the_library_does_not_name_the_lab_either(paths):
    """To start it as a program or to import it by name would be an import too."""
    texts = [(name_of(path), node.value) for path in paths for node in nodes_of(path)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [(name, text) for name, text in texts
            if re.fullmatch(r"(.*\b(import|from|-m) )?app(\.\w+)*", text, re.DOTALL)] == []


@by_folder(modules("app"))
def test_only_session_touches_the_state_of_a_tab(paths):
    for path in paths:
        text = path.read_text()
        if name_of(path) != "app.session":
            for word in ("session_state", "st.query_params", "cache_resource"):
                assert word not in text, name_of(path)


FLOORS = (  # of app/static
    {"engine", "kit"}, {"controls"}, {"charts"}, {"latents", "panels"}, {"inputs"}, {"cards", "cloud", "film", "live"},
    {"compare", "offline"}, {"learn", "room"})
SCRIPTS = sorted((ROOT / "app" / "static").rglob("*.js"))


@by_folder(SCRIPTS)
def test_scripts_import_their_own_room_and_lower_floors(paths):
    for path in paths:
        height = next(i for i, rooms in enumerate(FLOORS) if path.parent.name in rooms)
        below = {path.parent.name}.union(*FLOORS[:height])
        for wanted in re.findall(r'^import .* from "([^"]+)";', path.read_text(), re.MULTILINE):
            target = (path.parent / wanted).resolve()
            assert target in SCRIPTS, f"{path} imports {wanted}, which is not there"
            assert target.parent.name in below, f"{path.parent.name}/{path.name} imports {wanted}"
