"""The report's pictures as plain SVG text and PNG bytes: no scripts, colours from the page's style sheet.

Every text that came from a file goes through `escape`.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from app.words import _

LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#c9b400", "#222222", "#8c5a2b", "#5b3fa0",
         "#12777f", "#a3123f")  # of the classes, as in static/kit/palette.js
DARK = ("#3d9be6", "#f2793a", "#22c39b", "#e59bc6", "#f5b335", "#8fd4ff", "#f4ea5a", "#e6e6e6", "#c99463", "#a48af0",
        "#4fc4cc", "#f0648c")


def _ring(corners: int, turn: float, *radii: float) -> np.ndarray:
    """The corners of a shape as complex numbers, the first after ``turn`` quarter turns; their radii take turns."""
    ring: np.ndarray = np.resize(radii, corners) * np.exp(1j * np.pi * (turn / 2 + 2 * np.arange(corners) / corners))
    return ring


def _plus(turn: float) -> np.ndarray:
    """Likewise of a plus sign."""
    arm = 1.2 * np.array([0.38 - 1j, 0.38 - 0.38j, 1 - 0.38j])
    return (arm * 1j ** np.arange(4)[:, None]).ravel() * 1j**turn


OUTLINES = (  # of the classes' marks, about one unit in radius, as `outlineOf` of static/kit/palette.js has them
    _ring(12, 0, 1.0), _ring(4, 0.5, 1.25), _ring(3, -1, 1.3), _ring(4, 0, 1.25), _ring(3, 1, 1.3),
    _ring(10, -1, 1.35, 0.6), _plus(0.5), _ring(3, 0, 1.3), _ring(6, 0, 1.1), _ring(3, 2, 1.3), _ring(5, -1, 1.15),
    _plus(0))


def colours(count: int, dark: bool) -> list[str]:
    """One colour per class, the same as on the stage."""
    if count <= len(LIGHT):
        return list((DARK if dark else LIGHT)[:count])
    lightness = (62, 74, 54) if dark else (42, 54, 33)
    return [f"hsl({(i * 137.508) % 360:.1f} 65% {lightness[i % 3]}%)" for i in range(count)]


def figure(width: float, height: float, content: str, title: str) -> str:
    """An SVG element, as wide as the page allows and at most its own ``width`` in pixels."""
    named = escape(title)
    return (f'<svg viewBox="0 0 {width:g} {height:g}" style="max-width:{width:g}px" role="img" aria-label="{named}">'
            f"<title>{named}</title>{content}</svg>")


def label(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    """A text whose middle height is at y."""
    return f'<text x="{x:.1f}" y="{y:.1f}" dy=".35em" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def line(x0: float, y0: float, x1: float, y1: float, kind: str) -> str:
    """A straight line."""
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" class="{kind}"/>'


def marks() -> str:
    """Definitions of the classes' marks, which `mark` uses."""
    made = [f'<g id="m{c}"><polygon points="{" ".join(f"{z.real:.2f},{z.imag:.2f}" for z in 2.6 * outline)}"/></g>'
            for c, outline in enumerate(OUTLINES)]
    return f"<defs>{''.join(made)}</defs>"


def mark(index: int, x: float = 0, y: float = 0) -> str:
    """The mark of class ``index`` at (x, y)."""
    return f'<use href="#m{index % len(OUTLINES)}" x="{x:.1f}" y="{y:.1f}"/>'


def ticks(low: float, high: float, count: int) -> np.ndarray:
    """Round numbers from ``low`` to ``high``, about ``count`` of them."""
    raw = (high - low) / max(1, count)
    if not (raw > 0 and math.isfinite(raw)):
        return np.array([low])
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(one * unit for one in (1, 2, 5, 10) if one * unit >= raw * (1 - 1e-9))
    return step * np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)


# ---- the latents -----------------------------------------------------------------------------------------------------


def cloud(points: np.ndarray, labels: np.ndarray, wrong: np.ndarray, crosses: np.ndarray | None,
          titles: tuple[str, str]) -> str:
    """Samples (n, 2) by class, wrong ones hollow, and predicted points (K, 2), on equal axes."""
    left, top, side = 52.0, 10.0, 560.0
    centre, half = _view(points)
    scale = side / 2 / half

    def placed(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where ``values`` lie in the picture (n, 2), and which of them within its frame (n,)."""
        at = (values - centre) * (scale, -scale) + (left + side / 2, top + side / 2)
        return at, ((at >= [left, top]) & (at <= [left + side, top + side])).all(axis=1)

    parts = [_grid(centre, half, (left, top, side), titles), marks()]
    at, inside = placed(points)
    for kind, among in (("s", inside & ~wrong), ("s hollow", inside & wrong)):
        parts += [_class(at, among & (labels == c), int(c), kind) for c in np.unique(labels)]
    if crosses is not None:
        spots, shown = placed(crosses)
        parts += [_cross(spots[c, 0], spots[c, 1], int(c)) for c in np.flatnonzero(shown)]
    return figure(left + side + 10, top + side + 40, "".join(parts), _("The latents by class"))


def _view(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The middle and half the side of a square that holds nearly all points."""
    low, high = np.quantile(points, [0.002, 0.998], axis=0)
    half = float((high - low).max()) / 2
    return (low + high) / 2, 1.15 * half or 1.0


def _grid(centre: np.ndarray, half: float, box: tuple[float, float, float], titles: tuple[str, str]) -> str:
    left, top, side = box
    parts = []
    for axis in (0, 1):
        marks_at = ticks(float(centre[axis]) - half, float(centre[axis]) + half, 6)
        for value, text in zip(marks_at, _texts(marks_at), strict=True):
            share = (value - float(centre[axis]) + half) / (2 * half)
            x, y = left + share * side, top + (1 - share) * side
            parts.append(line(x, top, x, top + side, "grid") if axis == 0 else line(left, y, left + side, y, "grid"))
            parts.append(label(x, top + side + 13, text, "middle", "tick") if axis == 0
                         else label(left - 6, y, text, "end", "tick"))
    parts.append(label(left + side / 2, top + side + 31, titles[0], "middle", "axis"))
    parts.append(label(left + 6, top + 10, titles[1], "start", "axis"))
    return "".join(parts)


def _texts(values: np.ndarray) -> list[str]:
    return [f"{0.0 if abs(value) < 1e-12 * np.abs(values).max() else value:.4g}" for value in values]


def _class(at: np.ndarray, chosen: np.ndarray, index: int, kind: str) -> str:
    uses = "".join(mark(index, x, y) for x, y in at[chosen])
    return f'<g class="{kind} k{index}">{uses}</g>' if uses else ""


def _cross(x: float, y: float, index: int) -> str:
    return f'<path d="M{x - 3:.1f} {y - 8:.1f}h6v5h5v6h-5v5h-6v-5h-5v-6h5z" class="cross k{index}"/>'


# ---- histograms, code, curves ----------------------------------------------------------------------------------------


def histogram(edges: np.ndarray, counts: np.ndarray, title: str) -> str:
    """One node's values: bins (B + 1,), samples of each class (C, B), stacked."""
    width, height, base = 210.0, 92.0, 76.0
    most = max(1, int(counts.sum(axis=0).max()))
    step = width / counts.shape[1]
    parts, floor = [], np.zeros(counts.shape[1])
    for c, row in enumerate(counts):
        bars = "".join(f"M{b * step:.1f} {base - 60 * floor[b] / most:.1f}h{step:.2f}v{-60 * row[b] / most:.2f}"
                       f"h{-step:.2f}z" for b in np.flatnonzero(row))
        floor += row
        if bars:
            parts.append(f'<path d="{bars}" class="bar k{c}"/>')
    parts.append(line(0, base, width, base, "grid"))
    parts += [label(0, 6, title, "start", "axis"), label(0, 85, f"{edges[0]:.3g}", "start", "tick"),
              label(width, 85, f"{edges[-1]:.3g}", "end", "tick")]
    return figure(width, height, "".join(parts), _("Values of {title}", title=title))


def code(signs: np.ndarray, names: Sequence[str], nodes: Sequence[str]) -> str:
    """The sign of every class (K, d) in every node."""
    cell, left, top = 24.0, 150.0, 24.0
    parts = [label(left + (j + 0.5) * cell, 12, node, "middle", "tick") for j, node in enumerate(nodes)]
    for k, name in enumerate(names):
        parts.append(label(left - 8, top + (k + 0.5) * cell, name[:20], "end", "tick"))
        for j in range(len(nodes)):
            kind, sign = {1: ("plus", "+"), -1: ("minus", "−")}.get(int(signs[k, j]), ("zero", "0"))
            x, y, inner = left + j * cell, top + k * cell, cell - 2
            parts.append(f'<rect x="{x + 1:g}" y="{y + 1:g}" width="{inner:g}" height="{inner:g}" class="{kind}"/>')
            parts.append(label(x + cell / 2, y + cell / 2, sign, "middle", "sign"))
    return figure(left + len(nodes) * cell + 4, top + len(names) * cell + 4, "".join(parts),
                  _("The code of each class"))


def curve(x: np.ndarray, y: np.ndarray, level: float, titles: tuple[str, str], level_text: str) -> str:
    """A curve on two logarithmic axes, and a level to compare it with."""
    left, top, width, height = 60.0, 26.0, 460.0, 220.0
    known = np.isfinite(y) & (y > 0)
    if known.sum() < 2:
        return ""
    u, v = np.log10(x[known]), np.log10(y[known])
    heights = [*v, math.log10(level)] if level > 0 else [*v]
    low, high = min(heights), max(heights)
    span, room = (high - low) or 1.0, u[-1] - u[0]
    xs, ys = left + (u - u[0]) / room * width, top + (high - v) / span * height
    parts = [_decades(u[0], u[-1], lambda e: (left + (e - u[0]) / room * width, top), height, upright=True),
             _decades(low, high, lambda e: (left, top + (high - e) / span * height), width, upright=False)]
    corners = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(xs, ys, strict=True))
    parts.append(f'<polyline points="{corners}" class="curve"/>')
    if level > 0:
        y_level = top + (high - math.log10(level)) / span * height
        parts += [line(left, y_level, left + width, y_level, "level"),
                  label(left + width - 4, y_level - 9, level_text, "end", "tick")]
    parts += [label(left + width / 2, top + height + 30, titles[0], "middle", "axis"),
              label(left - 50, 10, titles[1], "start", "axis")]
    return figure(left + width + 10, top + height + 42, "".join(parts), _("{y} against {x}", y=titles[1], x=titles[0]))


def _decades(low: float, high: float, place: Callable[[int], tuple[float, float]], length: float, *,
             upright: bool) -> str:
    """Grid lines at whole powers of ten; of the upright ones every other is named."""
    parts = []
    for exponent in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1):
        x, y = place(exponent)
        parts.append(line(x, y, x, y + length, "grid") if upright else line(x, y, x + length, y, "grid"))
        if not upright or exponent % 2 == 0:
            text = f"1e{exponent}" if exponent else "1"
            parts.append(label(x, y + length + 12, text, "middle", "tick") if upright
                         else label(x - 6, y, text, "end", "tick"))
    return "".join(parts)


# ---- pictures --------------------------------------------------------------------------------------------------------


def png(pixels: np.ndarray) -> bytes:
    """PNG of ``pixels`` (H, W, C) uint8; one channel is grey, of more the first three are red, green, blue."""
    kept = np.ascontiguousarray(pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1])
    height, width, channels = kept.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = kept.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    packed = zlib.compress(rows.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def data_uri(pixels: np.ndarray) -> str:
    """The picture as text for an ``src``."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")
