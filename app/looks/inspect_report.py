"""An inspection as one page that opens anywhere (``lpc inspect FILE --html OUT``).

The page has no script at all: its pictures are SVG drawn here, and its content security policy forbids everything but
its own styles and embedded pictures. Whatever came from a file is escaped. Beside it go the same numbers as JSON and
CSV. The input is checked by `lpc_core.inspection.load`. It speaks the reader's language, but
for what the file and `lpc_core` say themselves.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from app.charts import code_matrix, foretold, histograms
from app.charts.findings import findings, value
from app.charts.words import number
from app.looks import report_svg as svg
from app.looks.bundling import html_page
from app.looks.cloud import Sight, look, own_distances
from app.looks.cloud_theory import Prediction, predict_for
from app.words import _
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
        _samples(inspection, sight, _("Misclassified samples"), inspection.misclassified),
        _samples(inspection, sight, _("Most ambiguous samples"), inspection.ambiguous), _origin(inspection))
    style = STYLE.read_text("utf-8") + _palette(len(inspection.embeddings.class_names))
    return html_page(f"{escape(name)} · LPC Lab", POLICY, style, "".join(parts))


def report_json(inspection: Inspection) -> str:
    """The same as JSON: `lpc_core.inspection.report`, with the findings in words."""
    return dumps({"findings": findings(inspection), **report(inspection)}, ensure_ascii=False, indent=1)


# ---- sections --------------------------------------------------------------------------------------------------------


def _head(inspection: Inspection, name: str) -> str:
    found = inspection.embeddings
    told = escape(" ".join(findings(inspection)) or _("Nothing could be said about these latents."))
    size = escape(_("{n} samples, {nodes} nodes, {classes} classes", n=f"{len(found.labels):,}",
                    nodes=f"{found.latents.shape[1]:,}", classes=f"{len(found.class_names):,}"))
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
    words = [_("Hollow marks are predicted wrongly.")]
    if len(rows) < len(found.labels):
        words.append(_("{n} of {all} samples are drawn.", n=f"{len(rows):,}", all=f"{len(found.labels):,}"))
    if crosses is not None and prediction.best is not None:
        gamma = number(float(prediction.gammas[prediction.best]))
        words.append(_("Crosses: where this head's classes would fall under γ = {gamma}.", gamma=gamma))
    return _heading(_("The latents")) + f'{drawn}{_legend(found.class_names)}{_muted(" ".join(words))}'


def _heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _muted(text: str) -> str:
    return f'<p class="muted">{escape(text)}</p>'


def _seen(inspection: Inspection, sight: Sight, prediction: Prediction,
          ) -> tuple[np.ndarray | None, np.ndarray | None, tuple[str, str]]:
    """Coordinates (N, 2), predicted points (K, 2) at the γ that fits best, and the axes' titles."""
    latents = inspection.embeddings.latents
    points = None if prediction.best is None else prediction.collapse_points[prediction.best]
    if latents.shape[1] == 2:
        return latents, points, (_("node {n}", n=1), _("node {n}", n=2))
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
    return _heading(_("What each node does")) + f'<p>{escape(told)}</p><div class="grid4">{charts}</div>'


def _foretold(inspection: Inspection, prediction: Prediction) -> str:
    if not len(prediction.gammas):
        return _heading(_("What the head foretells")) + _muted(prediction.note)
    measured = value(inspection, "norm_mean")
    told = foretold.sentence(foretold.ForetoldInfo(prediction.gammas, prediction.radii, prediction.errors, measured,
                                                   prediction.critical, prediction.known))
    titles = _("γ (factor of ‖z‖², summed over nodes)"), _("mean ‖z*‖")
    drawn = svg.curve(prediction.gammas, prediction.radii, measured, titles, _("measured ‖z‖"))
    note = _muted(prediction.note) if prediction.note else ""
    return _heading(_("What the head foretells")) + f"<p>{escape(told)}</p>{note}{drawn}"


def _code(inspection: Inspection) -> str:
    if not inspection.code:
        return ""
    drawn = code_matrix.info(inspection.code, inspection.embeddings.class_names)
    told = f"{code_matrix.sentence(drawn)} {code_matrix.nearest(drawn)}"
    picture = svg.code(drawn.signs, drawn.names, drawn.nodes) if 0 < drawn.signs.size <= MOST_CODE else ""
    return _heading(_("The binary code")) + f'<p>{escape(told)}</p><div class="scroll">{picture}</div>'


def _readings(readings: Mapping[str, Reading]) -> str:
    rows = "".join(_reading_row(name, reading) for name, reading in readings.items())
    titles = _("quantity"), _("value"), _("floor"), _("note, formula, source")
    about = _muted(_("Floor: what rounding of the latents alone can give; at or below it a value says nothing."))
    return _heading(_("All numbers")) + about + _framed(titles, (1, 2), rows, ' class="numbers"')


def _reading_row(name: str, reading: Reading) -> str:
    about = METRICS.get(name)
    shown = escape(_("undefined")) if math.isnan(reading.value) else number(reading.value, 4)
    low = escape(_("at the floor"))
    mark = f' <span class="floor">{low}</span>' if reading.at_floor else ""
    floor = "" if reading.floor is None or not math.isfinite(reading.floor) else number(reading.floor)
    note = f"<div>{escape(reading.reason)}</div>" if reading.reason else ""
    words = "" if about is None else (f'<div class="explain"><span class="formula">{escape(about.formula)}</span><br>'
                                      f"{escape(_(about.meaning))}<br>{escape(about.source)}</div>")
    title = escape(name if about is None else _(about.title))
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
        rows.append([name, f"{int(counts[c]):,}", share, number(float(radii[c]))])
    return _heading(_("Classes")) + _table((_("class"), _("samples"), _("right"), _("‖μ‖ from the origin")), rows)


def _weights(inspection: Inspection) -> str:
    weight, names = inspection.embeddings.weight, inspection.embeddings.class_names
    if weight is None:
        return ""
    norms = [number(float(norm), 3) for norm in np.linalg.norm(weight, axis=1)]
    few = weight if weight.size <= MOST_WEIGHTS else weight[:MOST_CLASSES, :0]
    titles = (_("class"), *(f"z{j + 1}" for j in range(few.shape[1])), "‖W_k‖")
    rows = [[name, *(number(float(w), 3) for w in row), norm]
            for name, row, norm in zip(names, few, norms, strict=False)]
    return _heading(_("The head's rows")) + _table(titles, rows)


def _samples(inspection: Inspection, sight: Sight, title: str, rows: np.ndarray) -> str:
    found, shown = inspection.embeddings, rows[:MOST_LISTED]
    if not len(shown):
        return ""
    distances, guesses = own_distances(found, shown, sight.means), predictions_of(found)
    lines = "".join(_sample_row(inspection, int(row), float(distance), None if guesses is None else int(guesses[row]))
                    for row, distance in zip(shown, distances, strict=True))
    more = _("The first {n} of {all}.", n=len(shown), all=len(rows)) if len(rows) > len(shown) else ""
    titles = "", _("row"), _("class"), _("predicted"), _("distance")
    about = _("With the distance to the centre of their own class.")
    return f'{_heading(title)}{_muted(f"{about} {more}".strip())}{_framed(titles, (1, 4), lines)}'


def _sample_row(inspection: Inspection, row: int, distance: float, guess: int | None) -> str:
    found = inspection.embeddings
    image = "" if found.images is None else f'<img alt="" src="{svg.data_uri(found.images[row])}">'
    caption = "" if found.texts is None else found.texts[row][:MOST_CAPTION]
    predicted = "" if guess is None else found.class_names[guess]
    return (f'<tr><td>{image}{escape(caption)}</td><td class="number">{row:,}</td>'
            f"<td>{escape(found.class_names[found.labels[row]])}</td><td>{escape(predicted)}</td>"
            f'<td class="number">{number(distance, 3)}</td></tr>')


def _origin(inspection: Inspection) -> str:
    """Where it all came from, for whoever wants the same again."""
    rows = [*flat(inspection.source), *flat(inspection.layout or {}, "layout ")]
    body = "".join(f"<tr><th>{escape(name)}</th><td><code>{escape(text)}</code></td></tr>" for name, text in rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in inspection.notes)
    return (_heading(_("Where this comes from")) + (f"<ul>{notes}</ul>" if notes else "")
            + f'<div class="scroll"><table><tbody>{body}</tbody></table></div>' + _muted(_("Made with LPC Lab.")))


def flat(facts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Nested facts as (name, text), empty ones left out."""
    for name, item in facts.items():
        if isinstance(item, Mapping):
            yield from flat(item, f"{before}{name} ")
        elif isinstance(item, (list, tuple)):
            yield f"{before}{name}", ", ".join(map(str, item)) or "none"
        elif item is not None and item != "":
            yield f"{before}{name}", str(item)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Names in the first column, numbers in the others."""
    body = "".join(f"<tr><th>{escape(name)}</th>" + "".join(f'<td class="number">{escape(text)}</td>' for text in texts)
                   + "</tr>" for name, *texts in rows)
    return _framed(titles, range(1, len(titles)), body)


def _framed(titles: Sequence[str], numbers: Container[int], body: str, kind: str = "") -> str:
    """The rows ``body`` below the ``titles`` of their columns; at the places ``numbers`` are columns of numbers."""
    heads = "".join(f'<th class="number">{escape(title)}</th>' if place in numbers else f"<th>{escape(title)}</th>"
                    for place, title in enumerate(titles))
    return (f'<div class="scroll"><table{kind}><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>')


def _palette(classes: int) -> str:
    """Colours of the classes by style, for light and dark."""
    light, dark = ("".join(f".k{c}{{--k:{colour}}}" for c, colour in enumerate(svg.colours(classes, night)))
                   for night in (False, True))
    return f"{light}@media(prefers-color-scheme:dark){{{dark}}}"


def export(source: Path, target: Path) -> None:
    """Write the page for the inspection at ``source`` to ``target``, JSON and CSV beside it; whole or not at all.

    `ValueError` for a ``target`` that would be one of these.
    """
    if target.suffix in (".json", ".csv"):
        raise ValueError(f"html: expected a name that ends otherwise than the numbers beside it, got {target.name}; "
                         "end it in .html")
    inspection = load(source)
    for ending, text in ((target.suffix or ".html", report_html(inspection)), (".json", report_json(inspection)),
                         (".csv", readings_csv(inspection))):
        write_whole(target.with_suffix(ending), text.encode())
