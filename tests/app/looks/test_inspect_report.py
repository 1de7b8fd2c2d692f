"""The report of an inspection: without scripts, everything of a file's own escaped; its numbers as JSON and CSV."""

import csv
import io
import json
import re
import struct
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from app.looks import inspect_report, report_svg
from app.looks.inspect_report import report_html, report_json
from app.words import speaking
from lpc_core.inspection import InspectionError, readings_csv, save
from lpc_core.metrics import METRICS
from tests.app._inspections import made

EVIL = ("<script>alert(1)</script>", "\"'><img src=x onerror=alert(2)>", "=cmd|'/c calc'!A0", "</style><b>")


class Tags(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def names(self):
        return {tag for tag, _ in self.tags}


@pytest.fixture(scope="module")
def inspection():
    return made(n=300, d=2, classes=4, images=True, wrong=0.1)


@pytest.fixture(scope="module")
def page(inspection):
    return report_html(inspection)


def test_the_report_speaks_the_readers_language(inspection, page):
    with speaking("de"):
        german = report_html(inspection)
    assert '<html lang="de">' in german
    heads = [re.findall(r"<(?:h2|th|title)[^>]*>([^<]+)</", text) for text in (page, german)]
    assert {"Alle Zahlen", "Falsch klassifizierte Beispiele"} <= {*heads[1]}
    assert len(heads[0]) == len(heads[1])
    names = {*inspection.embeddings.class_names, *(name for name, _ in inspect_report.flat(inspection.source)),
             heads[0][0]}  # the file's
    same = {a for a, b in zip(*heads, strict=True) if a == b and re.search("[a-z]{4}", a)} - names
    assert same == set()


def test_the_page_holds_no_script_and_may_ask_for_nothing(page):
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    tags = Tags(page)
    assert not tags.names() & {"script", "iframe", "object", "link", "form", "a", "base"}
    for _, attributes in tags.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:").startswith("data:image/png;base64,") or "src" not in attributes
        assert attributes.get("href", "#").startswith("#")


def test_whatever_comes_from_a_file_is_escaped():
    evil = made(n=80, d=3, classes=4, texts=True, names=EVIL, wrong=0.2)
    captions = tuple(EVIL[i % 4] for i in range(80))
    evil = replace(evil, embeddings=replace(evil.embeddings, texts=captions), notes=EVIL,
                   source=evil.source | {"file": EVIL[1], "notes": list(EVIL), EVIL[0]: {EVIL[1]: EVIL[2]}},
                   layout={"name": EVIL[0], "missing": list(EVIL)})
    tags = Tags(report_html(evil))
    assert not tags.names() & {"script", "img", "b"}
    told = "".join(tags.texts)
    assert all(text in told for text in EVIL)


def test_every_number_stands_there_with_floor_reason_formula_and_source(inspection, page):
    text = " ".join("".join(Tags(page).texts).split())
    for name in inspection.readings:
        assert " ".join(METRICS[name].formula.split()) in text
        assert METRICS[name].source in text
    assert "at the floor" in text
    assert "no head was given" in text
    assert "undefined" in text
    assert "ab" * 32 in text  # the file's hash
    assert "lpc inspect made.npz" in text


def test_the_picture_shows_every_sample_and_where_the_head_puts_its_classes(inspection, page):
    uses = [attributes for tag, attributes in Tags(page).tags if tag == "use"]
    inside = len(uses) - 4  # the legend's
    assert 0.97 * 300 <= inside <= 300  # a few of the farthest may lie outside the picture
    assert page.count('class="cross') == 4
    assert re.search(r"would fall under γ = 0\.(4|5)", page)


def test_large_inspections_are_thinned_and_say_so():
    large = report_html(made(n=9_000, d=2))
    assert "4,000 of 9,000 samples are drawn." in large
    assert len(large) < 600_000


@pytest.mark.parametrize("more", [{"head": False}, {"d": 1, "classes": 2}, {"d": 20, "classes": 15},
                                  {"classes": 3, "d": 5}])
def test_whatever_an_inspection_lacks_leaves_a_page_without_it(more):
    text = report_html(made(n=120, **more))
    assert ("The file has no head" in text) == ("head" in more)
    assert not re.search(r"\b(nan|inf)\b", " ".join(Tags(text).texts).lower())


def test_json_keeps_values_floors_and_reasons_and_knows_no_nan(inspection):
    told = json.loads(report_json(inspection), parse_constant=pytest.fail)
    by_name = {row["name"]: row for row in told["readings"]}
    assert by_name["norm_mean"]["value"] == inspection.readings["norm_mean"].value
    assert by_name["sigma_w_trace"]["at_floor"] is True
    assert by_name["nc4_ncc_agreement"] | {"value": None, "reason": "no head was given"} == by_name["nc4_ncc_agreement"]
    assert told["findings"][0].endswith("of 300 samples are predicted right.")
    assert told["source"]["sha256"] == "ab" * 32


def test_csv_is_one_row_per_quantity_and_no_formula(inspection):
    evil = replace(inspection, source=inspection.source | {"file": "=cmd|'/c calc'!A0"})
    header, *rows = csv.reader(io.StringIO(readings_csv(evil)))
    assert len(rows) == len(inspection.readings)
    assert float(rows[0][header.index("value")]) == next(iter(inspection.readings.values())).value
    assert all(not cell.startswith(("=", "+", "@", "\t")) for row in rows for cell in row)
    assert rows[0][header.index("file")] == "'=cmd|'/c calc'!A0"


def test_page_json_and_csv_are_written_side_by_side_or_refused(inspection, tmp_path):
    save(inspection, tmp_path / "a.inspection.safetensors")
    inspect_report.export(tmp_path / "a.inspection.safetensors", tmp_path / "a.html")
    assert {path.name for path in tmp_path.iterdir()} == {"a.inspection.safetensors", "a.html", "a.json", "a.csv"}
    (tmp_path / "b.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0nonsense")
    with pytest.raises(InspectionError, match="expected"):
        inspect_report.export(tmp_path / "b.safetensors", tmp_path / "b.html")
    for taken in ("c.json", "c.csv"):  # where the numbers go
        with pytest.raises(ValueError, match=rf"html: expected a name that ends otherwise .*, got {taken}; end it in"):
            inspect_report.export(tmp_path / "a.inspection.safetensors", tmp_path / taken)
        assert not (tmp_path / taken).exists()
    assert not (tmp_path / "b.html").exists()


# ---- drawing -------------------------------------------------------------------------------------------------------


def unpacked(raw):
    """The pixels of a PNG without filters, by the specification."""
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(raw):
        length, kind = struct.unpack(">I4s", raw[at : at + 8])
        data = raw[at + 8 : at + 8 + length]
        assert struct.unpack(">I", raw[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        chunks[kind], at = data, at + 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert depth == 8
    channels = {0: 1, 2: 3}[colour]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, channels)


@pytest.mark.parametrize(("channels", "kept"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_pictures_come_back_from_their_png(channels, kept):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype(np.uint8)
    assert np.array_equal(unpacked(report_svg.png(pixels)), pixels[..., :kept])


def test_classes_have_the_colours_of_the_stage():
    text = (Path(report_svg.__file__).parents[1] / "static" / "kit" / "palette.js").read_text()
    for name, ours in (("LIGHT", report_svg.LIGHT), ("DARK", report_svg.DARK)):
        listed = re.search(rf"const {name} = \[(.*?)\]", text, re.DOTALL)[1]
        assert tuple(re.findall(r"#[0-9a-f]{6}", listed)) == ours
    assert len(set(report_svg.colours(100, False))) == 100


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.7, 12), (1e-9, 3e-9), (-1e6, 1e6), (99.9, 100.1)])
def test_ticks_are_round_and_inside(low, high):
    found = report_svg.ticks(low, high, 6)
    assert 3 <= len(found) <= 8
    assert low - 1e-9 * abs(low) <= found[0] < found[-1] <= high + 1e-9 * abs(high)
    steps = np.diff(found)
    assert np.allclose(steps, steps[0], rtol=1e-6)
    mantissa = steps[0] / 10 ** np.floor(np.log10(steps[0] * 1.0001))
    assert min(abs(mantissa - one) for one in (1, 2, 5, 10)) < 1e-6


def test_marks_of_the_classes_are_those_of_the_stage():
    text = (Path(report_svg.__file__).parents[1] / "static" / "kit" / "palette.js").read_text()
    shapes = re.findall(r'"([\w-]+)"', re.search(r"SHAPES = \[(.*?)\]", text, re.DOTALL)[1])
    regular = {name: (int(corners), float(turn), float(size)) for name, corners, turn, size in
               re.findall(r'"([\w-]+)": \[(\d+), (-?[\d.]+), ([\d.]+)\]', text)}
    assert len(shapes) - len(regular) == 3
    for shape, outline in zip(shapes, report_svg.OUTLINES, strict=True):
        if shape in regular:
            corners, turn, size = regular[shape]
            np.testing.assert_allclose(outline**corners, (size * 1j**turn) ** corners)
            np.testing.assert_allclose(outline[0], size * 1j**turn, atol=1e-12)
        else:
            assert len(outline) == {"star": 10, "x": 12, "cross": 12}[shape]
            assert np.abs(outline).max() == pytest.approx({"star": 1.35}.get(shape, 1.2 * np.hypot(1, 0.38)))
