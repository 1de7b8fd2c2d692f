"""The binary code matrix: signs, distances, and what is wrong with a code in words."""

import numpy as np
import pytest

from app.charts import Track, code_matrix, head_rows
from app.words import speaking
from lpc_core.metrics import code_report
from tests.app.charts import _study

CROWDED = np.array([[1, 1, 1], [1, -1, 1], [-1, 1, 1], [-1, 1, 1]], float)  # two classes on one vertex, z₃ idle


def info_of(code, names=_study.NAMES):
    labels = np.arange(12) % len(code)
    return code_matrix.info(code_report(code[labels], labels, len(code)).plain(), names)


def test_a_complete_code_is_drawn_as_it_is():
    info = info_of(_study.CODE)
    np.testing.assert_array_equal(info.signs, _study.CODE)
    np.testing.assert_array_equal(info.hamming, [[0, 1, 1, 2], [1, 0, 2, 1], [1, 2, 0, 1], [2, 1, 1, 0]])
    assert (info.names, info.nodes, info.unused, info.collisions) == (_study.NAMES, ("z₁", "z₂"), (), ())
    assert code_matrix.sentence(info).startswith("The code is complete: every class has a vertex of its own")
    assert code_matrix.nearest(info) == "The nearest classes differ in 1 node: A and B, A and C and 2 more."


def test_collisions_and_unused_nodes_are_named():
    info = info_of(CROWDED)
    assert info.collisions == ((2, 3),)
    assert info.unused == (2,)
    assert code_matrix.sentence(info) == ("The code is not complete: C and D share one vertex, so no sign tells them "
                                          "apart. z₃ tells no two classes apart.")
    assert "differ in 0 nodes: C and D" in code_matrix.nearest(info)
    assert [note.text for note in code_matrix.figure(info).layout.annotations] == ["unused"]


def test_samples_off_their_vertex_are_counted():
    labels = np.arange(40) % 4
    latents = _study.CODE[labels].copy()
    latents[:8] *= -1
    info = code_matrix.info(code_report(latents, labels, 4).plain())
    assert info.whole == pytest.approx(0.8)
    assert info.names == ("0", "1", "2", "3")
    assert "80 % of the samples lie on theirs" in code_matrix.sentence(info)


def test_an_empty_class_has_no_distances():
    info = code_matrix.info(code_report(_study.CODE[:3], np.arange(3), 4).plain(), _study.NAMES)
    assert np.isnan(info.hamming[3]).all()
    assert np.isfinite(info.hamming[:3, :3]).all()


def test_signs_are_written_only_where_there_is_room():
    few, many = info_of(_study.CODE), info_of(np.sign(np.random.default_rng(0).normal(size=(12, 64))), ())
    assert code_matrix.figure(few).data[0].texttemplate == "%{text}"
    assert code_matrix.figure(many).data[0].texttemplate is None


def test_all_axes_are_named_in_the_readers_language():
    with speaking("de"):
        charts = [made(info) for info in (info_of(_study.CODE), code_matrix.info(None))
                  for made in (code_matrix.figure, code_matrix.distances)]
    titles = [(chart.layout.xaxis.title.text, chart.layout.yaxis.title.text) for chart in charts]
    assert titles == [("Knoten", "Klasse"), ("Klasse", "Klasse")] * 2


def test_the_cards_carry_the_code_as_data():
    code, hamming = code_matrix.CHART.cards(Track(_study.study().moments, class_names=_study.NAMES))
    assert code.rows["class"] == ["A", "A", "B", "B", "C", "C", "D", "D"]
    assert code.rows["sign"] == [1, 1, 1, -1, -1, 1, -1, -1]
    assert list(hamming.rows) == ["class", "A", "B", "C", "D"]
    assert code.empty == ""


def test_a_head_of_zeros_reads_no_node():
    drawn = head_rows.info(np.zeros((2, 3)), ("A", "B"))
    assert np.isnan(drawn.node_cv)
    assert "the rows' lengths average 0.0 and differ by unknown." in head_rows.card(drawn).caption
