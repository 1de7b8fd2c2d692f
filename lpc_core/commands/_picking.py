"""What commands that read embeddings share: which array has which role, and samples that name no class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpc_core.checkpoint import Embeddings

PICK = ("Which array has a role where its name does not tell: latents, labels, predictions, logits, weight, bias, "
        "images, texts, class_names. In tables latents=a,b,c names columns.")
UNLABELLED = "Samples that name no class (label −1, NaN, an empty text): 'leave out', or 'keep' as one class more."


def picked_roles(pick: list[str]) -> dict[str, Any]:
    """``{role: name}`` of texts ROLE=NAME, as `lpc_core.checkpoint.open_file` takes it."""
    picked: dict[str, Any] = {}
    for item in pick:
        role, sign, name = item.partition("=")
        if not (role and sign and name):
            raise ValueError(f"pick: expected ROLE=NAME, got {item!r}; for instance latents=feats")
        picked[role] = name.split(",") if role == "latents" and "," in name else name
    return picked


def warned(found: Embeddings) -> list[str]:
    """The warnings for a terminal: with the option that keeps samples without a class, where some were left out."""
    option = "; --unlabelled keep makes them a class of their own"
    return [text + option if found.unlabelled and text.endswith("are left out") and "name no class" in text else text
            for text in found.warnings]
