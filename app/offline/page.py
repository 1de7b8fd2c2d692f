"""A run as one page that trains without a server: ``python -m app.offline.page PAGE [NAME=VALUE]...``.

The stage, the γ slider and the charts are the lab's own; a Web Worker speaks the protocol of its WebSocket.
"""

from __future__ import annotations

import base64
import html
import sys
from collections.abc import Sequence
from pathlib import Path

from app.abouts import STAGE, abouts
from app.lessons import lessons
from app.looks.bundling import bundle, data, inline, whole_page
from app.offline.lesson import for_the_coach, sections
from app.offline.pack import packed
from app.offline.reach import asked
from app.words import N_, _
from lpc_core.data import DataError
from lpc_core.files.writing import write_whole
from lpc_core.run_group import RunGroup

ABOUT = N_("Made with LPC Lab. The network trains here, in this page, without a server or a network: drag γ.")
STYLES = ("kit/stage.css",)
LESSON_STYLES = (*STYLES, "compare/compare.css", "learn/learn.css", "learn/offline.css")


def offline_page(group: RunGroup, words: Sequence[str] = (), lesson: str = "") -> str:
    """The page that trains ``group``: below ``words``, of which the first is its title, as plain text; or beside the
    steps of the ``lesson`` of that name.

    Raises `NeedsServer` for a run that a page cannot train, and `DataError` without its data.
    """
    held = {"run": ("application/octet-stream", base64.b64encode(packed(group)).decode("ascii")),
            "abouts": ("application/json", data(abouts(STAGE, served=False))),
            "worker": ("text/plain", inline(bundle("offline/worker.js")))}
    about, stage = f'<p id="about">{html.escape(_(ABOUT))}</p>', '<div id="stage"></div>'
    if lesson:
        held["lesson"] = "application/json", data(for_the_coach(lesson))
        body = f'{about}\n<main class="lpc-offline-lesson"><div id="words">{sections(lesson)}</div>\n{stage}</main>'
        return whole_page(html.escape(_(lessons()[lesson].title)), body, "learn/offline.js", LESSON_STYLES, held)
    title, *paragraphs = words or ("LPC Lab",)
    heading = [f"<h1>{html.escape(title)}</h1>"] if words else []
    text = [*heading, *(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)]
    return whole_page(html.escape(title), "\n".join([*text, about, stage]), "offline/page.js", STYLES, held)


def export(group: RunGroup, target: Path, words: Sequence[str] = (), lesson: str = "") -> None:
    """Write the page for ``group`` to ``target``, whole or not at all."""
    write_whole(target, offline_page(group, words, lesson).encode())


def main() -> None:
    """A path and settings in; one line and status 2 for what is refused."""
    try:
        target, *settings = sys.argv[1:]
        group, lesson = asked(dict(item.partition("=")[::2] for item in settings))
        export(group, Path(target), lesson=lesson)
    except (ValueError, OSError, DataError) as error:
        print(f"page: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
