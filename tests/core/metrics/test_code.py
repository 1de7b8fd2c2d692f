"""The binary code report: perfect cubes, unused nodes, collisions, classes by name, and slow loops."""

import itertools
import json

import numpy as np
import pytest

from lpc_core.metrics import code_report


def cube(d):
    return np.array(list(itertools.product([-1.0, 1], repeat=d)))


def test_a_perfect_cube():
    labels = np.repeat(np.arange(8), 5)
    found = code_report(0.3 * cube(3)[labels], labels)
    np.testing.assert_array_equal(found.code, cube(3))
    np.testing.assert_array_equal(found.hamming, [[(a != b).sum() for b in cube(3)] for a in cube(3)])
    np.testing.assert_array_equal(found.separates, [16, 16, 16])
    assert found.unused == found.collisions == ()
    assert found.indispensable == (0, 1, 2)
    assert found.on_vertex_share == 1
    np.testing.assert_array_equal(found.majority, 1)
    assert found.note == "8 classes need 3 of 3 nodes at least"


def test_unused_nodes_and_collisions():
    points = np.array([[1.0, 1, -1], [1, 1, -1], [-1, 1, -1], [-1, 1, 1]])
    labels = np.repeat(np.arange(4), 3)
    found = code_report(points[labels], labels)
    assert found.unused == (1,)
    assert found.collisions == ((0, 1),)
    assert found.hamming[0, 1] == 0
    assert found.indispensable == (0, 2)
    np.testing.assert_array_equal(found.separates, [4, 0, 3])


def test_more_classes_than_vertices():
    found = code_report(np.array([[1.0], [-1], [2]]), ["a", "b", "c"])
    assert found.collisions == ((0, 2),)
    assert found.note == "3 classes on 2 vertices: some must share one (K > 2^d)"


def test_agrees_with_loops_on_noise():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 333)
    latents = rng.normal(size=(5, 4))[labels] + rng.normal(size=(333, 4))
    found = code_report(latents, labels)
    for c in range(5):
        own = latents[labels == c]
        code = np.sign((own > 0).sum(axis=0) - (own < 0).sum(axis=0))  # node 3 of one class is a tie: 0
        np.testing.assert_array_equal(found.code[c], code)
        assert found.on_vertex[c] == pytest.approx(np.mean([(np.sign(z) == code).all() for z in own]))
    np.testing.assert_allclose(found.majority, (np.sign(latents) == found.code[labels]).mean(axis=0))
    whole = (np.sign(latents) == found.code[labels]).all(axis=1)
    assert found.on_vertex_share == pytest.approx(whole.mean())


def test_a_dead_node_has_no_sign():
    found = code_report(np.array([[1.0, 0], [-1, 0]]), [0, 1])
    np.testing.assert_array_equal(found.code, [[1, 0], [-1, 0]])
    assert found.unused == (1,)
    assert found.hamming[0, 1] == 1
    np.testing.assert_array_equal(found.majority, [1, 0])
    assert found.on_vertex_share == 0


def test_empty_classes_stay_as_rows():
    found = code_report(np.array([[1.0, 1], [-1, 1]]), [2, 0], classes=4)
    assert found.classes == (0, 1, 2, 3)
    np.testing.assert_array_equal(found.counts, [1, 0, 1, 0])
    assert found.hamming[1].tolist() == [-1] * 4
    assert np.isnan(found.on_vertex).tolist() == [False, True, False, True]
    assert found.note == "2 classes need 1 of 2 nodes at least"


def test_classes_by_name():
    latents = np.array([[1.0], [-1], [-1]])
    assert code_report(latents, ["cat", "dog", "dog"], classes=["dog", "cat"]).code.tolist() == [[-1], [1]]
    numbered = code_report(latents, [1, 0, 0], classes=["dog", "cat"])
    assert numbered.classes == ("dog", "cat")
    assert numbered.code.tolist() == [[-1], [1]]
    with pytest.raises(ValueError, match=r"expected labels among the 2 classes, got 'cow'; name every class"):
        code_report(latents, ["cat", "cow", "dog"], classes=["dog", "cat"])
    with pytest.raises(ValueError, match=r"expected labels among the 2 classes, got 2 and 1 others; name every class"):
        code_report(latents, [0, 3, 2], classes=2)


def test_plain_is_json():
    found = code_report(np.array([[1.0, 1], [-1, 1]]), np.array(["x", "y"]), classes=["x", "y", "z"])
    plain = json.loads(json.dumps(found.plain(), allow_nan=False))
    assert plain["code"] == [[1, 1], [-1, 1], [0, 0]]
    assert plain["classes"] == ["x", "y", "z"]
    assert plain["on_vertex"] == [1, 1, None]
    assert plain["unused"] == [1]
