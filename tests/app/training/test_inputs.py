"""The input side of a run: places before the network, its word on the plane, and when a page is told of it."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from app.live.frames import decode, encode
from app.live.messages import View
from app.training.inputs import CELLS, InputSide
from app.training.panel import Panel
from lpc_core.config import unflatten
from lpc_core.engine.trainer import Trainer

SMALL = {"samples": 200, "test_samples": 20, "hidden": (8,), "steps": 50}


def trainer(**settings):
    run = Trainer(unflatten(SMALL | settings), "cpu")
    run.advance(20)
    return run


def test_of_the_plane_every_cell_has_the_class_that_the_network_gives_its_middle():
    run = trainer(dataset="moons", classes=3)
    side = InputSide(run)
    x, y, half = side.words()["window"]
    regions = side.regions()
    assert (side.kind, side.share, regions.shape, regions.dtype) == ("plane", 1.0, (CELLS, CELLS), np.uint8)
    for row, column in [(0, 0), (0, CELLS - 1), (CELLS - 1, 0), (17, 30)]:
        place = [x + half * ((column + 0.5) / CELLS * 2 - 1), y - half * ((row + 0.5) / CELLS * 2 - 1)]
        logits, _ = run.model(torch.tensor([place], dtype=torch.float32))
        assert regions[row, column] == int(logits.argmax())
    assert len(np.unique(regions)) > 1
    assert (np.abs(side.points - [x, y]) <= half).all()


def test_more_numbers_than_two_are_seen_through_their_largest_spread():
    run = trainer(dataset="hypercube", dim=7)
    side = InputSide(run)
    pca = PCA(2).fit(run.probe_inputs)
    assert side.kind == "projection"
    assert side.regions() is None
    assert side.share == pytest.approx(pca.explained_variance_ratio_.sum(), rel=1e-5)
    np.testing.assert_allclose(np.abs(side.points), np.abs(pca.transform(run.probe_inputs)), atol=1e-4)


def test_pictures_have_no_place():
    opening, arrays = Panel(trainer(dataset="digits")).opening()
    assert opening["inputs"] == {"kind": "pictures"}
    assert "inputs" not in arrays


def test_a_setup_brings_the_places_and_only_measured_frames_that_are_asked_for_them_the_regions():
    panel = Panel(trainer(dataset="xor", classes=2))
    _, info, arrays = decode(encode("setup", {}, [panel.opening()]))
    own = info["panels"][0]["inputs"]
    np.testing.assert_allclose(arrays["0.inputs"] * own["scale"], panel.trainer.probe_inputs, atol=own["scale"])
    for measure, regions in [(True, True), (True, False), (False, True)]:
        panel.look(measure=measure, running=True, regions=regions)
        _, arrays = panel.picture(View(type="view", regions=regions))
        assert ("regions" in arrays) == (measure and regions)


def test_where_it_is_asked_for_a_frame_says_each_sample_s_bar():
    panel = Panel(trainer(dataset="hypercube", latent_dim=3))
    _, arrays = panel.picture(View(type="view", large=[2, 0], bins=True))
    assert arrays["bins"].shape == (2, len(panel.trainer.probe_labels))
    for own, node in zip(arrays["bins"], (2, 0), strict=True):
        np.testing.assert_array_equal(np.bincount(own, minlength=48), arrays["hist"][node])
    assert "bins" not in panel.picture(View(type="view"))[1]
