"""An inspection as one page that opens anywhere: ``python -m app.inspect_report IN.inspection.safetensors OUT.html``.

The page has no script at all: its pictures are SVG drawn here, and its content security policy forbids everything but
its own styles and embedded pictures. Whatever came from a file is escaped. Beside it go the same numbers as JSON and
CSV. The input is checked by `lpc_core.inspection.load`.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from app import report_svg as svg
from app.charts import code_matrix, csv_text, histograms
from app.charts._words import count, number
from app.charts.findings import findings
from app.live.cloud import Sight, look, own_distances, plain
from app.live.cloud_theory import Prediction, predict_for
from lpc_core.film import write_whole
from lpc_core.inspection import Inspection
from lpc_core.metrics import METRICS, Reading

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
MOST_DRAWN = 4_000  # samples of the page's picture
MOST_LISTED = 40  # of each list of samples
MOST_CODE = 1_200  # cells of the code's picture
MOST_WEIGHTS = 400  # numbers of the head that are printed
MOST_CLASSES = 200  # rows of the table of classes
_STYLE = """
:root { color-scheme: light dark; --text: #31333f; --muted: #5c5f6b; --line: #d9dbe1; --grid: #eceef2; --ground: #fff;
  --soft: #f4f5f8; --blue: #1756d6; --orange: #c24e00; --green: #16803a; }
@media (prefers-color-scheme: dark) { :root { --text: #fafafa; --muted: #b4b7c0; --line: #3a3d47; --grid: #272a33;
  --ground: #0e1117; --soft: #191c24; --blue: #6ea8ff; --orange: #f2793a; --green: #4bd37b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 980px; padding: 28px clamp(12px, 3vw, 32px) 60px; background: var(--ground);
  color: var(--text); font: 15px/1.55 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 25px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 40px 0 8px; padding-top: 14px; border-top: 1px solid var(--line); }
p { margin: 6px 0; } .muted { color: var(--muted); }
.findings { margin: 18px 0; padding: 14px 18px; border-radius: 10px; background: var(--soft); font-size: 17px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 6px 10px 6px 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top;
  overflow-wrap: anywhere; font-weight: 400; }
thead th { color: var(--muted); font-weight: 600; } tbody th { font-weight: 600; } .numbers tbody th { min-width: 150px; }
td.number { text-align: right; white-space: nowrap; padding-right: 18px; } thead th.number { text-align: right;
  padding-right: 18px; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.floor { display: inline-block; padding: 0 7px; border-radius: 9px; background: var(--soft); border: 1px solid var(--line);
  font-size: 12px; }
.explain { color: var(--muted); font-size: 13px; } .formula { font-family: "Cambria Math", Georgia, serif; }
img { width: 44px; height: 44px; image-rendering: pixelated; border-radius: 4px; background: #000; display: block; }
.grid4 { display: grid; gap: 14px 22px; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0; padding: 0; list-style: none; font-size: 14px; }
svg { display: block; width: 100%; height: auto; }
.legend svg { display: inline-block; width: 15px; height: 15px; vertical-align: -2px; margin-right: 6px; }
svg text { font: 12px system-ui, sans-serif; fill: var(--muted); } svg text.axis { fill: var(--text); font-weight: 600; }
svg text.sign { fill: #fff; font-size: 14px; }
svg line.grid { stroke: var(--grid); } svg line.level { stroke: var(--text); stroke-dasharray: 5 4; }
svg .curve { fill: none; stroke: var(--blue); stroke-width: 2; }
svg .plus { fill: var(--blue); } svg .minus { fill: var(--orange); } svg .zero { fill: var(--muted); }
svg .s { fill: var(--k); opacity: .8; }
svg .s.hollow { fill: var(--ground); stroke: var(--k); stroke-width: 1.2; opacity: 1; }
svg .cross { fill: var(--k); fill-opacity: .6; stroke: var(--text); stroke-width: 1.3; }
svg .bar { fill: var(--k); }
@media (max-width: 640px) { .numbers, .numbers tbody, .numbers tr, .numbers td { display: block; } .numbers thead { display: none; }
  .numbers tr { padding: 8px 0; border-bottom: 1px solid var(--grid); } .numbers :is(th, td) { border: 0; padding: 1px 0; }
  .numbers th { display: block; } .numbers td.number { text-align: left; } .numbers td.number + td.number:not(:empty)::before
  { content: "floor "; color: var(--muted); } }
@media print { body { max-width: none; } h2 { break-after: avoid; } tr, svg { break-inside: avoid; } }
"""


def report_html(inspection: Inspection) -> str:
    """The page. Raises nothing for anything that `load` lets through."""
    sight = look(inspection, MOST_DRAWN)
    foretold = predict_for(inspection, sight.means)
    name = str(inspection.source.get("file", "embeddings"))
    parts = [_head(inspection, name), _picture(inspection, sight, foretold), _nodes(inspection), _foretold(inspection, foretold),
             _code(inspection), _readings(inspection.readings), _classes(inspection, sight),
             _weights(inspection), _samples(inspection, sight, "Misclassified samples", inspection.misclassified),
             _samples(inspection, sight, "Most ambiguous samples", inspection.ambiguous), _origin(inspection)]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(name)} · LPC Lab</title>
<style>{_STYLE}{_palette(len(inspection.embeddings.class_names))}</style>
</head>
<body>
{"".join(parts)}
</body>
</html>
"""


def report_json(inspection: Inspection) -> str:
    """The same as JSON: where it came from, every reading with its floor and reason, classes, code, doubtful samples."""
    found = inspection.embeddings
    return json.dumps(plain({
        "source": inspection.source, "layout": inspection.layout, "notes": list(inspection.notes),
        "samples": len(found.labels), "latent_dim": found.latents.shape[1], "findings": findings(inspection),
        "readings": {name: _reading(name, reading) for name, reading in inspection.readings.items()},
        "classes": {"names": list(found.class_names), "counts": np.bincount(found.labels, minlength=len(found.class_names))},
        "code": inspection.code, "misclassified": inspection.misclassified, "ambiguous": inspection.ambiguous,
    }), allow_nan=False, ensure_ascii=False, indent=1)


def _reading(name: str, reading: Reading) -> dict[str, Any]:
    about = METRICS.get(name)
    words = {} if about is None else {"title": about.title, "formula": about.formula, "meaning": about.meaning,
                                      "source": about.source}
    return {"value": reading.value, "floor": reading.floor, "at_floor": reading.at_floor, "reason": reading.reason} | words


def report_csv(inspection: Inspection) -> str:
    """The readings as CSV; texts that a spreadsheet would run as a formula are disarmed."""
    rows = [{"name": name} | _reading(name, reading) for name, reading in inspection.readings.items()]
    names = ("name", "title", "value", "floor", "at_floor", "reason", "formula", "meaning", "source")
    return csv_text({column: [row.get(column) for row in rows] for column in names})


# ---- sections --------------------------------------------------------------------------------------------------------


def _head(inspection: Inspection, name: str) -> str:
    found = inspection.embeddings
    told = " ".join(escape(text) for text in findings(inspection)) or "Nothing could be said about these latents."
    size = (f"{count(len(found.labels))} samples, {count(found.latents.shape[1])} nodes, "
            f"{count(len(found.class_names))} classes")
    return f'<h1>{escape(name)}</h1><p class="muted">{size}</p><p class="findings">{told}</p>'


def _picture(inspection: Inspection, sight: Sight, foretold: Prediction) -> str:
    found, rows = inspection.embeddings, sight.rows
    seen, crosses, titles = _seen(inspection, sight, foretold)
    if seen is None:
        return ""
    wrong = np.zeros(len(rows), bool) if found.predictions is None else found.predictions[rows] != found.labels[rows]
    drawn = svg.cloud(seen[rows], found.labels[rows], wrong, crosses, found.class_names, titles)
    part = "" if len(rows) == len(found.labels) else f"{count(len(rows))} of {count(len(found.labels))} samples are drawn. "
    marked = ""
    if crosses is not None and foretold.best is not None:
        marked = f"Crosses: where this head's classes would fall under γ = {number(float(foretold.gammas[foretold.best]))}. "
    return (f'<h2>The latents</h2>{drawn}{_legend(found.class_names)}'
            f'<p class="muted">{part}Hollow marks are predicted wrongly. {marked}</p>')


def _seen(inspection: Inspection, sight: Sight, foretold: Prediction,
          ) -> tuple[np.ndarray | None, np.ndarray | None, tuple[str, str]]:
    """Coordinates (N, 2), predicted points (K, 2) at the γ that fits best, and the axes' titles."""
    latents = inspection.embeddings.latents
    points = None if foretold.best is None else foretold.points[foretold.best]
    if latents.shape[1] == 2:
        return latents, points, ("node 1", "node 2")
    if sight.axes is None:
        return None, None, ("", "")
    seen = inspection.coordinates["pca"][:, :2]
    return seen, None if points is None else ((points - sight.mean) @ sight.axes)[:, :2], ("PC 1", "PC 2")


def _legend(names: Iterable[str]) -> str:
    items = [f'<li class="k{c}"><svg viewBox="-4 -4 8 8" aria-hidden="true"><g class="s k{c}"><use href="#m{c % len(svg.CORNERS)}"/>'
             f"</g></svg>{escape(name)}</li>" for c, name in enumerate(names) if c < MOST_CLASSES]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _nodes(inspection: Inspection) -> str:
    found = inspection.embeddings
    drawn = histograms.info(found.latents, found.labels, found.class_names)
    charts = "".join(svg.histogram(drawn.edges[p], drawn.counts[p], f"z{node + 1}") for p, node in enumerate(drawn.nodes))
    distance = inspection.readings.get("gmm_peak_distance")
    told = histograms.sentence(drawn, math.nan if distance is None else distance.value)
    return f'<h2>What each node does</h2><p>{escape(told)}</p><div class="grid4">{charts}</div>'


def _foretold(inspection: Inspection, foretold: Prediction) -> str:
    if not len(foretold.gammas):
        return f'<h2>What the head foretells</h2><p class="muted">{escape(foretold.note)}</p>'
    from app.charts import foretold as chart

    reading = inspection.readings.get("norm_mean")
    measured = math.nan if reading is None else reading.value
    drawn = svg.curve(foretold.gammas, foretold.radii, measured, ("γ (factor of ‖z‖², summed over nodes)", "mean ‖z*‖"), "measured ‖z‖")
    told = chart.sentence(chart.ForetoldInfo(foretold.gammas, foretold.radii, foretold.errors, measured, foretold.critical, foretold.known))
    return f'<h2>What the head foretells</h2><p>{escape(told)}</p>{drawn}'


def _code(inspection: Inspection) -> str:
    if not inspection.code:
        return ""
    drawn = code_matrix.info(inspection.code, inspection.embeddings.class_names)
    told = f"{code_matrix.sentence(drawn)} {code_matrix.nearest(drawn)}"
    picture = svg.code(drawn.signs, drawn.names, drawn.nodes) if 0 < drawn.signs.size <= MOST_CODE else ""
    return f'<h2>The binary code</h2><p>{escape(told)}</p><div class="scroll">{picture}</div>'


def _readings(readings: Mapping[str, Reading]) -> str:
    rows = "".join(_reading_row(name, reading) for name, reading in readings.items())
    return ('<h2>All numbers</h2><p class="muted">Floor: what rounding of the latents alone can give; at or below it a '
            'value says nothing.</p><div class="scroll"><table class="numbers"><thead><tr><th>quantity</th><th class="number">value</th>'
            f'<th class="number">floor</th><th>note, formula, source</th></tr></thead><tbody>{rows}</tbody></table></div>')


def _reading_row(name: str, reading: Reading) -> str:
    about = METRICS.get(name)
    title = name if about is None else about.title
    shown = "undefined" if math.isnan(reading.value) else number(reading.value, 4)
    mark = ' <span class="floor">at the floor</span>' if reading.at_floor else ""
    floor = "" if reading.floor is None or not math.isfinite(reading.floor) else number(reading.floor)
    note = f"<div>{escape(reading.reason)}</div>" if reading.reason else ""
    words = "" if about is None else (f'<div class="explain"><span class="formula">{escape(about.formula)}</span><br>'
                                      f"{escape(about.meaning)}<br>{escape(about.source)}</div>")
    return (f'<tr><th>{escape(title)}<br><code class="explain">{escape(name).replace("_", "_<wbr>")}</code></th><td class="number">{shown}{mark}'
            f'</td><td class="number">{floor}</td><td>{note}{words}</td></tr>')


def _classes(inspection: Inspection, sight: Sight) -> str:
    found = inspection.embeddings
    counts = np.bincount(found.labels, minlength=len(found.class_names))
    radii = np.linalg.norm(sight.means, axis=1)
    right = None if found.predictions is None else np.bincount(
        found.labels[found.predictions == found.labels], minlength=len(found.class_names))
    rows = [[name, count(int(counts[c])), "" if right is None or not counts[c] else f"{100 * right[c] / counts[c]:.4g} %",
             number(float(radii[c]))] for c, name in enumerate(found.class_names[:MOST_CLASSES])]
    return "<h2>Classes</h2>" + _table(("class", "samples", "right", "‖μ‖ from the origin"), rows, numbers=(1, 2, 3))


def _weights(inspection: Inspection) -> str:
    weight = inspection.embeddings.weight
    if weight is None:
        return ""
    names, norms = inspection.embeddings.class_names, np.linalg.norm(weight, axis=1)
    if weight.size > MOST_WEIGHTS:
        rows = [[names[k], number(float(norms[k]))] for k in range(min(len(names), MOST_CLASSES))]
        return "<h2>The head's rows</h2>" + _table(("class", "‖W_k‖"), rows, numbers=(1,))
    heads = ("class", *(f"z{j + 1}" for j in range(weight.shape[1])), "‖W_k‖")
    rows = [[names[k], *(number(float(w), 3) for w in weight[k]), number(float(norms[k]), 3)] for k in range(len(names))]
    return "<h2>The head's rows</h2>" + _table(heads, rows, numbers=range(1, len(heads)))


def _samples(inspection: Inspection, sight: Sight, title: str, rows: np.ndarray) -> str:
    found, shown = inspection.embeddings, rows[:MOST_LISTED]
    if not len(shown):
        return ""
    names, distances = found.class_names, own_distances(found, shown, sight.means)
    lines = []
    for row, distance in zip(shown, distances, strict=True):
        guess = "" if found.predictions is None else names[found.predictions[row]]
        image = "" if found.images is None else f'<img alt="" src="{svg.data_uri(found.images[row])}">'
        caption = "" if found.texts is None else found.texts[row][:200]
        lines.append(f"<tr><td>{image}{escape(caption)}</td><td class=\"number\">{count(int(row))}</td>"
                     f'<td>{escape(names[found.labels[row]])}</td><td>{escape(guess)}</td><td class="number">'
                     f"{number(float(distance), 3)}</td></tr>")
    more = f" The first {len(shown)} of {len(rows)}." if len(rows) > len(shown) else ""
    return (f'<h2>{title}</h2><p class="muted">With the distance to the centre of their own class.{more}</p>'
            '<div class="scroll"><table><thead><tr><th></th><th class="number">row</th><th>class</th><th>predicted</th>'
            f'<th class="number">distance</th></tr></thead><tbody>{"".join(lines)}</tbody></table></div>')


def _origin(inspection: Inspection) -> str:
    """Where it all came from, for whoever wants the same again."""
    rows = [*flat(inspection.source), *flat(inspection.layout or {}, "layout ")]
    body = "".join(f"<tr><th>{escape(name)}</th><td><code>{escape(text)}</code></td></tr>" for name, text in rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in inspection.notes)
    return (f'<h2>Where this comes from</h2>{f"<ul>{notes}</ul>" if notes else ""}'
            f'<div class="scroll"><table><tbody>{body}</tbody></table></div><p class="muted">Made with LPC Lab.</p>')


def flat(value: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    """Nested facts as (name, text), empty ones left out."""
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield from flat(item, f"{before}{name} ")
        elif isinstance(item, (list, tuple)):
            yield f"{before}{name}", ", ".join(map(str, item)) or "none"
        elif item is not None and item != "":
            yield f"{before}{name}", str(item)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int]) -> str:
    right = set(numbers)

    def cell(tag: str, i: int, text: str) -> str:
        kind = ' class="number"' if i in right else ""
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    body = "".join("<tr>" + "".join(cell("td" if i else "th", i, text) for i, text in enumerate(row)) + "</tr>" for row in rows)
    return (f'<div class="scroll"><table><thead><tr>{"".join(cell("th", i, text) for i, text in enumerate(heads))}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


def _palette(classes: int) -> str:
    """Colours of the classes by style, for light and dark."""
    light, dark = svg.colours(classes, False), svg.colours(classes, True)
    rules = "".join(f".k{c}{{--k:{colour}}}" for c, colour in enumerate(light))
    night = "".join(f".k{c}{{--k:{colour}}}" for c, colour in enumerate(dark))
    return f"{rules}@media(prefers-color-scheme:dark){{{night}}}"


def export(source: Path, target: Path) -> None:
    """Write the page for the inspection at ``source`` to ``target``, and JSON and CSV beside it; each whole or not at all."""
    from lpc_core.inspection import load

    inspection = load(source)
    for ending, text in ((target.suffix or ".html", report_html(inspection)), (".json", report_json(inspection)),
                         (".csv", report_csv(inspection))):
        write_whole(target.with_suffix(ending), text.encode())


def main() -> None:
    """Two paths in; one line and status 2 for what is refused."""
    try:
        source, target = map(Path, sys.argv[1:])
        export(source, target)
    except (ValueError, OSError) as error:
        print(f"inspect_report: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
