"""A film as one page that plays without a network: ``python -m app.looks.film_export FILM PAGE``.

The film is checked by `open_film` before it is written.
"""

from __future__ import annotations

import base64
import html
import sys
from pathlib import Path

from app.abouts import FILM, STAGE, abouts
from app.catalogue import catalogue
from app.looks.bundling import data, whole_page
from app.words import N_, _
from lpc_core.files.writing import write_whole
from lpc_core.film import open_film

STYLES = ("kit/stage.css", "film/film.css")
ABOUT = N_("Made with LPC Lab; plays without a network.")


def page(film: bytes) -> str:
    """The page that plays ``film``, a film's bytes; raises `FilmError` for others."""
    open_film(film)
    held = {"film-catalogue": ("application/json", data(catalogue())),
            "abouts": ("application/json", data(abouts(STAGE | FILM, served=False))),
            "film-data": ("application/octet-stream", base64.b64encode(film).decode("ascii"))}
    body = f"""<p id="about">{html.escape(_(ABOUT))}</p>
<div id="film"></div>"""
    return whole_page(html.escape(_("LPC Lab film")), body, "film/page.js", STYLES, held)


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
