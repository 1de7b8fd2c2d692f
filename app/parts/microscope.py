"""Mounts the collapse microscope: the component that zooms into one class of any moment of a study."""

from __future__ import annotations

from collections.abc import Sequence

from app.parts._mount import file_url, mount


def microscope(steps: Sequence[int], tokens: Sequence[str], class_names: Sequence[str]) -> None:
    """Show the moments at ``steps`` (T,), whose files ``tokens`` (T,) open; ``class_names`` (K,)."""
    mount("cards/microscope", "microscope", {
        "classNames": list(class_names),
        "moments": [{"step": int(step), "url": file_url(token)}
                    for step, token in zip(steps, tokens, strict=False)],
    })
