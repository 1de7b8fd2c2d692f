"""Numbers as the captions write them."""

from __future__ import annotations

import math
from html import escape

from app.words import _

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 2) -> str:
    """12,000; 3.1; 0.0042; 1.2×10⁻⁷. "unknown" for NaN."""
    if math.isnan(value):
        return _("unknown")
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if value and not 1e-3 <= size < 1e6:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}".replace("-", "−")
    if size >= 1000:
        return f"{float(f'{value:.{digits}g}'):,.0f}".replace("-", "−")
    text = f"{value:#.{digits}g}".rstrip(".")
    return (f"{value:.0f}" if "e" in text else text).replace("-", "−")


def percent(share: float) -> str:
    """99.9 %; never rounded up to 100 %."""
    if math.isnan(share):
        return _("unknown")
    shown = 100 * share
    if share == 1:
        return "100 %"
    if 0 < shown < 0.1:
        return f"{number(shown)} %"
    return f"{min(shown, 99.99):.4g} %" if shown > 99.9 else f"{shown:.3g} %"


def shown(text: str) -> str:
    """``text`` for a figure: Plotly reads a little HTML in texts."""
    return escape(text, quote=False)


def listed(words: list[str] | tuple[str, ...], most: int = 4) -> str:
    """a, b and c; a, b, c and 7 more."""
    shown = list(words)
    if len(shown) > most:
        shown = [*shown[:most - 1], _("{n} more", n=len(shown) - most + 1)]
    return _(" and ").join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""
