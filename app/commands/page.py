"""``lpc page``: a run as one HTML file that trains without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lpc_core.commands import Settings, check_outputs, run_of
from lpc_core.run_group import alone


def page(
    settings: Settings = None,
    out: Annotated[Path, typer.Option(help="Write the page here.")] = Path("run.html"),
    title: Annotated[str, typer.Option(help="A heading above the run.")] = "",
    text: Annotated[list[str] | None, typer.Option(help="A paragraph below the heading; may be given again.")] = None,
) -> None:
    """Write one HTML file that trains the run in any browser, without a server and without a network."""
    check_outputs(out=out)
    from app.offline.page import export

    words = (title or "LPC Lab", *(text or ())) if title or text else ()
    export(alone(run_of(settings, "cpu")), out, words)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB; open it in any browser")


COMMAND = page
