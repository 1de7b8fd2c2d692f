"""One page that needs no network: our modules joined into one script, styles, Plotly.js and data, all written into it.

The page's own content security policy forbids every connection. Plotly.js, a second's work for a browser, is only text
until it is wanted (`scriptIn` in kit/embedded.js).
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

from app.static_files import STATIC
from app.words import language, page_words
from lpc_core.files.plain_json import dumps

POLICY = ("default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; img-src data: blob:; "
          "worker-src blob:")

_IMPORT = re.compile(r'^import\s+\{([^}]*)\}\s+from\s+"(\.{1,2}/[\w./-]+)";\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?:default\s+|(?=(?:async\s+)?(?:function\*?|class|const)\s+([\w$]+)))", re.MULTILINE)
_LEFT = re.compile(r"^\s*(?:import|export)\b.*|import\.meta|\bimport\(", re.MULTILINE)


def bundle(entry: str, folder: Path = STATIC) -> str:
    """The module ``entry`` and all it imports as one classic script, each in a function of its own.

    Understands what our modules use: ``import { a, b as c } from "./x.js"`` and exported functions, classes and
    constants; a default export, which nobody can import so, is only evaluated. Anything else is refused rather than
    guessed.
    """
    parts = [_wrapped(name, (folder / name).read_text("utf-8")) for name in modules(entry, folder)]
    return '"use strict";\n(() => {\nconst modules = {};\n' + "\n".join(parts) + "\n})();\n"


def modules(entry: str, folder: Path = STATIC) -> list[str]:
    """The module ``entry`` and all it imports, each after those it needs; names are paths below ``folder``."""
    order: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"expected modules without circles, got {' → '.join((*above, name))}; split one of them")
        if name not in order:
            for _, wanted in _IMPORT.findall((folder / name).read_text("utf-8")):
                visit(_resolved(wanted, name), (*above, name))
            order.append(name)

    visit(entry, ())
    return order


def _resolved(wanted: str, importer: str) -> str:
    """Where ``wanted``, as the module ``importer`` writes it, lies below the folder of both."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), wanted))


def _wrapped(name: str, text: str) -> str:
    exported = [found.group(1) for found in _EXPORT.finditer(text) if found.group(1)]
    text = _IMPORT.sub(
        lambda m: f'const {{{m[1].replace(" as ", ": ")}}} = modules["{_resolved(m[2], name)}"];\n', text)
    text = _EXPORT.sub("", text).replace("import.meta.url", "document.baseURI")
    left = _LEFT.search(text)
    if left:
        raise ValueError(f"{name}: expected plain imports and exports, got {left[0].strip()!r}; write it as others do")
    return f'modules["{name}"] = (() => {{\n{text}\nreturn {{ {", ".join(exported)} }};\n}})();'


def plotly_source() -> bytes:
    """Plotly.js from the Python package."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("expected the package plotly to be installed, got none; pip install plotly")
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes()


@functools.cache
def plotly_gzipped() -> tuple[bytes, int]:
    """The same, gzipped once, and how many bytes it is unpacked."""
    raw = plotly_source()
    return gzip.compress(raw, 6, mtime=0), len(raw)


def inline(script: str) -> str:
    """``script`` so that no text in it ends, or comments out, the element it stands in."""
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def data(value: object) -> str:
    """``value`` as JSON that cannot end the element it stands in."""
    return dumps(value).replace("<", r"\u003c")


def html_page(title: str, policy: str, style: str, body: str) -> str:
    """A document of one file; all four are HTML (or CSS) already."""
    return f"""<!doctype html>
<html lang="{language()}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def whole_page(title: str, body: str, entry: str, styles: tuple[str, ...], held: Mapping[str, tuple[str, str]]) -> str:
    """The page, in the language that is spoken.

    It is ``body`` (HTML), what its script ``entry`` reads (``held``: type and text by id), Plotly, the script.
    ``title``, ``body`` and the texts that are ``held`` are ours, or have been through `data` or base64.
    """
    sheets = "\n".join((STATIC / name).read_text("utf-8") for name in styles)
    elements = "\n".join(f'<script type="{kind}" id="{name}">{text}</script>' for name, (kind, text) in held.items())
    style = f"""
{sheets}
body {{ margin: 0 auto; padding: 14px clamp(8px, 1.6vw, 24px) 24px; max-width: 1680px; }}
body {{ font: 14px/1.5 system-ui, sans-serif; }}
#about {{ margin: 0 2px 8px; opacity: .8; }}
"""
    words = inline(f"globalThis.lpcWords = {page_words(language())};")
    return html_page(title, POLICY, style, f"""{body}
<script>{words}</script>
{elements}
<script type="text/plain" id="plotly">{inline(plotly_source().decode())}</script>
<script>{inline(bundle(entry))}</script>""")
