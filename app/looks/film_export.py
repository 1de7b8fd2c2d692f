"""A film as one page that plays without a network: ``python -m app.looks.film_export FILM PAGE``.

The page holds Plotly.js, the player's modules joined into one script, its styles, and the film in base64. Its own
content security policy forbids every connection. The film is checked by `open_film` before it is written.
"""

from __future__ import annotations

import base64
import importlib.util
import posixpath
import re
import sys
from pathlib import Path

from app.catalogue import catalogue
from lpc_core.files.plain_json import dumps
from lpc_core.files.writing import write_whole
from lpc_core.film import open_film

STATIC = Path(__file__).parents[1] / "static"
ENTRY = "film/page.js"
STYLES = ("kit/stage.css", "film/film.css")
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"

_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"(\.{1,2}/[\w./-]+)";\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(default\s+)?(?=(?:async\s+)?(?:function\*?|class|const)\s+([\w$]+))", re.MULTILINE)
_LEFT = re.compile(r"^\s*(?:import|export)\b.*|import\.meta|\bimport\(", re.MULTILINE)


class BundleError(ValueError):
    """A module that this joiner does not understand."""


def bundle(entry: str = ENTRY, folder: Path = STATIC) -> str:
    """The module ``entry`` and all it imports as one classic script, each in a function of its own.

    Understands what our modules use: ``import { a, b as c } from "./x.js"`` and exported functions, classes and
    constants. Anything else is refused rather than guessed.
    """
    parts = [_wrapped(name, (folder / name).read_text("utf-8")) for name in modules(entry, folder)]
    return '"use strict";\n(() => {\nconst modules = {};\n' + "\n".join(parts) + "\n})();\n"


def modules(entry: str, folder: Path = STATIC) -> list[str]:
    """The module ``entry`` and all it imports, each after those it needs; names are paths below ``folder``."""
    order: list[str] = []
    _visit(entry, folder, order, ())
    return order


def _visit(name: str, folder: Path, order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise BundleError(f"expected modules without circles, got {' → '.join((*above, name))}; split one of them")
    if name in order:
        return
    for _, wanted in _IMPORT.findall((folder / name).read_text("utf-8")):
        _visit(_resolved(wanted, name), folder, order, (*above, name))
    order.append(name)


def _resolved(wanted: str, importer: str) -> str:
    """Where ``wanted``, as the module ``importer`` writes it, lies below the folder of both."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), wanted))


def _wrapped(name: str, text: str) -> str:
    exported = [found.group(2) for found in _EXPORT.finditer(text) if not found.group(1)]
    text = _IMPORT.sub(lambda m: _constants(m[1], _resolved(m[2], name)), text)
    text = _EXPORT.sub("", text).replace("import.meta.url", "document.baseURI")
    left = _LEFT.search(text)
    if left:
        raise BundleError(f"{name}: expected plain imports and exports, got {left[0].strip()!r}; write it as others do")
    return f'modules["{name}"] = (() => {{\n{text}\nreturn {{ {", ".join(exported)} }};\n}})();'


def _constants(names: str, module: str) -> str:
    return f'const {{{names.replace(" as ", ": ")}}} = modules["{module}"];\n'


def plotly_source() -> str:
    """Plotly.js from the Python package."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("expected the package plotly to be installed, got none; pip install plotly")
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_text("utf-8")


def _inline(script: str) -> str:
    """``script`` so that no text in it ends, or comments out, the element it stands in."""
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def _data(value: object) -> str:
    """``value`` as JSON that cannot end the element it stands in."""
    return dumps(value).replace("<", r"\u003c")


def page(film: bytes) -> str:
    """The page that plays ``film``, a film's bytes; raises `FilmError` for others."""
    open_film(film)
    styles = "\n".join((STATIC / name).read_text("utf-8") for name in STYLES)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>LPC Lab film</title>
<style>
{styles}
body {{ margin: 0 auto; padding: 14px clamp(8px, 1.6vw, 24px) 24px; max-width: 1680px; }}
body {{ font: 14px/1.5 system-ui, sans-serif; }}
#about {{ margin: 0 2px 8px; opacity: .8; }}
</style>
</head>
<body>
<p id="about">Made with LPC Lab; plays without a network.</p>
<div id="film"></div>
<script type="application/json" id="film-catalogue">{_data(catalogue())}</script>
<script type="application/octet-stream" id="film-data">{base64.b64encode(film).decode("ascii")}</script>
<script>{_inline(plotly_source())}</script>
<script>{_inline(bundle())}</script>
</body>
</html>
"""


def export(source: Path, target: Path) -> None:
    """Write the page for the film at ``source`` to ``target``, whole or not at all."""
    write_whole(target, page(source.read_bytes()).encode())


def main() -> None:
    """Two paths in; one line and status 2 for what is refused."""
    try:
        source, target = map(Path, sys.argv[1:])
        export(source, target)
    except (ValueError, OSError) as error:
        print(f"film_export: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
