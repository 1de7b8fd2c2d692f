"""Mounts the link's button by itself, on a page whose parts are many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.parts._mount import mount


def link(moment: Mapping[str, str], share: Mapping[str, Any]) -> None:
    """A button for a link to the page as it is now; ``moment`` is what the link says that it was opened by."""
    mount("kit/link", "link", {"moment": moment, "share": share})
