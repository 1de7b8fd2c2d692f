"""An inspection as one page that opens anywhere (``lpc inspect FILE --html OUT``).

The page has no script at all: its pictures are SVG drawn here, and its content security policy forbids everything but
its own styles and embedded pictures. Whatever came from a file is escaped. Beside it go the same numbers as JSON and
CSV. The input is checked by `lpc_core.inspection.load`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from app.charts import code_matrix, foretold, histograms
from app.charts.findings import findings, value
from app.charts.words import count, number
from app.looks import report_svg as svg
from app.looks.bundling import html_page
from app.looks.cloud import Sight, look, own_distances
from app.looks.cloud_theory import Prediction, predict_for
from lpc_core.files.plain_json import dumps
from lpc_core.files.writing import write_whole
from lpc_core.inspection import Inspection, load, readings_csv, report
from lpc_core.inspection.inspecting import predictions_of
from lpc_core.metrics import METRICS, Reading

STYLE = Path(__file__).parent / "report.css"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
MOST_DRAWN = 4_000  # samples of the page's picture
MOST_LISTED = 40  # of each list of samples
MOST_CODE = 1_200  # cells of the code's picture
MOST_WEIGHTS = 400  # numbers of the head that are printed
MOST_CLASSES = 200  # rows of the table of classes
MOST_CAPTION = 200  # characters


def report_html(inspection: Inspection) -> str:
    """The page; one with neither samples nor head says so."""
    sight = look(inspection, MOST_DRAWN)
    prediction = predict_for(inspection, sight.means)
    name = str(inspection.source.get("file", "embeddings"))
    parts = (
        _head(inspection, name), _picture(inspection, sight, prediction), _nodes(inspection),
        _foretold(inspection, prediction), _code(inspection), _readings(inspection.readings),
        _classes(inspection, sight), _weights(inspection),
        _samples(inspection, sight, "Misclassified samples", inspection.misclassified),
        _samples(inspection, sight, "Most ambiguous samples", inspection.ambiguous), _origin(inspection))
    style = STYLE.read_text("utf-8") + _palette(len(inspection.embeddings.class_names))
    return html_page(f"{escape(name)} · LPC Lab", POLICY, style, "".join(parts))


def report_json(inspection: Inspection) -> str:
    """The same as JSON: `lpc_core.inspection.report`, with the findings in words."""
    return dumps({"findings": findings(inspection), **report(inspection)}, ensure_ascii=False, indent=1)


def report_csv(inspection: Inspection) -> str:
    """The readings as CSV; texts that a spreadsheet would run as a formula are disarmed."""
    return readings_csv(inspection)


# ---- sections --------------------------------------------------------------------------------------------------------


def _head(inspection: Inspection, name: str) -> str:
    found = inspection.embeddings
    told = " ".join(escape(text) for text in findings(inspection)) or "Nothing could be said about these latents."
    size = (f"{count(len(found.labels))} samples, {count(found.latents.shape[1])} nodes, "
            f"{count(len(found.class_names))} classes")
    warnings = "".join(f"<li>{escape(text)}</li>" for text in found.warnings)
    return (f'<h1>{escape(name)}</h1><p class="muted">{size}</p><p class="findings">{told}</p>'
            f'{f"""<ul class="warnings">{warnings}</ul>""" if warnings else ""}')


def _picture(inspection: Inspection, sight: Sight, prediction: Prediction) -> str:
    found, rows = inspection.embeddings, sight.rows
    seen, crosses, titles = _seen(inspection, sight, prediction)
    if seen is None or not len(rows):
        return ""
    guesses = predictions_of(found)
    wrong = np.zeros(len(rows), bool) if guesses is None else guesses[rows] != found.labels[rows]
    drawn = svg.cloud(seen[rows], found.labels[rows], wrong, crosses, titles)
    words = ["Hollow marks are predicted wrongly."]
    if len(rows) < len(found.labels):
        words.append(f"{count(len(rows))} of {count(len(found.labels))} samples are drawn.")
    if crosses is not None and prediction.best is not None:
        gamma = number(float(prediction.gammas[prediction.best]))
        words.append(f"Crosses: where this head's classes would fall under γ = {gamma}.")
    return f'<h2>The latents</h2>{drawn}{_legend(found.class_names)}<p class="muted">{" ".join(words)}</p>'


def _seen(inspection: Inspection, sight: Sight, prediction: Prediction,
          ) -> tuple[np.ndarray | None, np.ndarray | None, tuple[str, str]]:
    """Coordinates (N, 2), predicted points (K, 2) at the γ that fits best, and the axes' titles."""
    latents = inspection.embeddings.latents
    points = None if prediction.best is None else prediction.collapse_points[prediction.best]
    if latents.shape[1] == 2:
        return latents, points, ("node 1", "node 2")
    if sight.axes is None:
        return None, None, ("", "")
    crosses = None if points is None else ((points - sight.mean) @ sight.axes)[:, :2]
    return inspection.coordinates["pca"][:, :2], crosses, ("PC 1", "PC 2")


def _legend(names: Sequence[str]) -> str:
    items = [f'<li class="k{c}"><svg viewBox="-4 -4 8 8" aria-hidden="true"><g class="s k{c}">{svg.mark(c)}</g></svg>'
             f"{escape(name)}</li>" for c, name in enumerate(names[:MOST_CLASSES])]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _nodes(inspection: Inspection) -> str:
    found = inspection.embeddings
    if not len(found.labels):
        return ""
    drawn = histograms.info(found.latents, found.labels, found.class_names)
    charts = "".join(svg.histogram(edges, counts, f"z{node + 1}")
                     for node, edges, counts in zip(drawn.nodes, drawn.edges, drawn.counts, strict=True))
    told = histograms.sentence(drawn, value(inspection, "gmm_peak_distance"))
    return f'<h2>What each node does</h2><p>{escape(told)}</p><div class="grid4">{charts}</div>'


def _foretold(inspection: Inspection, prediction: Prediction) -> str:
    if not len(prediction.gammas):
        return f'<h2>What the head foretells</h2><p class="muted">{escape(prediction.note)}</p>'
    measured = value(inspection, "norm_mean")
    told = foretold.sentence(foretold.ForetoldInfo(prediction.gammas, prediction.radii, prediction.errors, measured,
                                                   prediction.critical, prediction.known))
    titles = "γ (factor of ‖z‖², summed over nodes)", "mean ‖z*‖"
    drawn = svg.curve(prediction.gammas, prediction.radii, measured, titles, "measured ‖z‖")
    note = f'<p class="muted">{escape(prediction.note)}</p>' if prediction.note else ""
    return f"<h2>What the head foretells</h2><p>{escape(told)}</p>{note}{drawn}"


def _code(inspection: Inspection) -> str:
    if not inspection.code:
        return ""
    drawn = code_matrix.info(inspection.code, inspection.embeddings.class_names)
    told = f"{code_matrix.sentence(drawn)} {code_matrix.nearest(drawn)}"
    picture = svg.code(drawn.signs, drawn.names, drawn.nodes) if 0 < drawn.signs.size <= MOST_CODE else ""
    return f'<h2>The binary code</h2><p>{escape(told)}</p><div class="scroll">{picture}</div>'


def _readings(readings: Mapping[str, Reading]) -> str:
    rows = "".join(_reading_row(name, reading) for name, reading in readings.items())
    heads = ('<tr><th>quantity</th><th class="number">value</th><th class="number">floor</th>'
             "<th>note, formula, source</th></tr>")
    return ('<h2>All numbers</h2><p class="muted">Floor: what rounding of the latents alone can give; at or below it a '
            f'value says nothing.</p><div class="scroll"><table class="numbers"><thead>{heads}</thead>'
            f"<tbody>{rows}</tbody></table></div>")


def _reading_row(name: str, reading: Reading) -> str:
    about = METRICS.get(name)
    shown = "undefined" if math.isnan(reading.value) else number(reading.value, 4)
    mark = ' <span class="floor">at the floor</span>' if reading.at_floor else ""
    floor = "" if reading.floor is None or not math.isfinite(reading.floor) else number(reading.floor)
    note = f"<div>{escape(reading.reason)}</div>" if reading.reason else ""
    words = "" if about is None else (f'<div class="explain"><span class="formula">{escape(about.formula)}</span><br>'
                                      f"{escape(about.meaning)}<br>{escape(about.source)}</div>")
    title = escape(name if about is None else about.title)
    breakable = escape(name).replace("_", "_<wbr>")
    return (f'<tr><th>{title}<br><code class="explain">{breakable}</code></th><td class="number">{shown}{mark}</td>'
            f'<td class="number">{floor}</td><td>{note}{words}</td></tr>')


def _classes(inspection: Inspection, sight: Sight) -> str:
    found = inspection.embeddings
    classes = len(found.class_names)
    counts, radii = np.bincount(found.labels, minlength=classes), np.linalg.norm(sight.means, axis=1)
    guesses = predictions_of(found) if len(found.labels) else None
    right = np.zeros(classes) if guesses is None else np.bincount(found.labels[guesses == found.labels],
                                                                  minlength=classes)
    rows = []
    for c, name in enumerate(found.class_names[:MOST_CLASSES]):
        share = "" if guesses is None or not counts[c] else f"{100 * right[c] / counts[c]:.4g} %"
        rows.append([name, count(int(counts[c])), share, number(float(radii[c]))])
    return "<h2>Classes</h2>" + _table(("class", "samples", "right", "‖μ‖ from the origin"), rows)


def _weights(inspection: Inspection) -> str:
    weight, names = inspection.embeddings.weight, inspection.embeddings.class_names
    if weight is None:
        return ""
    norms = [number(float(norm), 3) for norm in np.linalg.norm(weight, axis=1)]
    if weight.size > MOST_WEIGHTS:
        few = list(zip(names, norms, strict=True))[:MOST_CLASSES]
        return "<h2>The head's rows</h2>" + _table(("class", "‖W_k‖"), few)
    heads = ("class", *(f"z{j + 1}" for j in range(weight.shape[1])), "‖W_k‖")
    rows = [[name, *(number(float(w), 3) for w in row), norm]
            for name, row, norm in zip(names, weight, norms, strict=True)]
    return "<h2>The head's rows</h2>" + _table(heads, rows)


def _samples(inspection: Inspection, sight: Sight, title: str, rows: np.ndarray) -> str:
    found, shown = inspection.embeddings, rows[:MOST_LISTED]
    if not len(shown):
        return ""
    distances, guesses = own_distances(found, shown, sight.means), predictions_of(found)
    lines = "".join(_sample_row(inspection, int(row), float(distance), None if guesses is None else int(guesses[row]))
                    for row, distance in zip(shown, distances, strict=True))
    more = f" The first {len(shown)} of {len(rows)}." if len(rows) > len(shown) else ""
    heads = ('<tr><th></th><th class="number">row</th><th>class</th><th>predicted</th><th class="number">distance</th>'
             "</tr>")
    return (f'<h2>{title}</h2><p class="muted">With the distance to the centre of their own class.{more}</p>'
            f'<div class="scroll"><table><thead>{heads}</thead><tbody>{lines}</tbody></table></div>')


def _sample_row(inspection: Inspection, row: int, distance: float, guess: int | None) -> str:
    found = inspection.embeddings
    image = "" if found.images is None else f'<img alt="" src="{svg.data_uri(found.images[row])}">'
    caption = "" if found.texts is None else found.texts[row][:MOST_CAPTION]
    predicted = "" if guess is None else found.class_names[guess]
    return (f'<tr><td>{image}{escape(caption)}</td><td class="number">{count(row)}</td>'
            f"<td>{escape(found.class_names[found.labels[row]])}</td><td>{escape(predicted)}</td>"
            f'<td class="number">{number(distance, 3)}</td></tr>')


def _origin(inspection: Inspection) -> str:
    """Where it all came from, for whoever wants the same again."""
    rows = [*flat(inspection.source), *flat(inspection.layout or {}, "layout ")]
    body = "".join(f"<tr><th>{escape(name)}</th><td><code>{escape(text)}</code></td></tr>" for name, text in rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in inspection.notes)
    return (f'<h2>Where this comes from</h2>{f"<ul>{notes}</ul>" if notes else ""}'
            f'<div class="scroll"><table><tbody>{body}</tbody></table></div><p class="muted">Made with LPC Lab.</p>')


def flat(facts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Nested facts as (name, text), empty ones left out."""
    for name, item in facts.items():
        if isinstance(item, Mapping):
            yield from flat(item, f"{before}{name} ")
        elif isinstance(item, (list, tuple)):
            yield f"{before}{name}", ", ".join(map(str, item)) or "none"
        elif item is not None and item != "":
            yield f"{before}{name}", str(item)


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Names in the first column, numbers in the others."""

    def line(tag: str, texts: Iterable[str]) -> str:
        first, *others = map(escape, texts)
        return f"<tr><th>{first}</th>" + "".join(f'<{tag} class="number">{text}</{tag}>' for text in others) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return f'<div class="scroll"><table><thead>{line("th", heads)}</thead><tbody>{body}</tbody></table></div>'


def _palette(classes: int) -> str:
    """Colours of the classes by style, for light and dark."""
    light, dark = ("".join(f".k{c}{{--k:{colour}}}" for c, colour in enumerate(svg.colours(classes, night)))
                   for night in (False, True))
    return f"{light}@media(prefers-color-scheme:dark){{{dark}}}"


def export(source: Path, target: Path) -> None:
    """Write the page for the inspection at ``source`` to ``target``, JSON and CSV beside it; whole or not at all."""
    inspection = load(source)
    for ending, text in ((target.suffix or ".html", report_html(inspection)), (".json", report_json(inspection)),
                         (".csv", report_csv(inspection))):
        write_whole(target.with_suffix(ending), text.encode())
