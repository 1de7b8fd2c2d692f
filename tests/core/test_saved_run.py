"""Runs from their files: the same model and data, and one line for anything else."""

import json

import numpy as np
import pytest
import torch

from lpc_core.data import load
from lpc_core.engine.state import pack, unpack
from lpc_core.engine.trainer import Trainer
from lpc_core.parsing import parse_run
from lpc_core.saved_run import NotARun, open_run


@pytest.fixture(scope="module")
def trained():
    run = Trainer(parse_run({"dataset": "digits", "steps": "30", "samples": "200", "test_samples": "60"}), "cpu")
    run.advance(30)
    return run


@pytest.fixture(scope="module")
def raw(trained):
    return trained.state_bytes()


def test_the_model_and_its_data_are_the_same(trained, raw, tmp_path):
    (tmp_path / "run.safetensors").write_bytes(raw)
    saved = open_run(tmp_path / "run.safetensors")
    assert (saved.config, saved.step) == (trained.config, 30)
    assert not saved.model.training
    assert saved.info["limit"] == 30
    inputs, labels = saved.samples("test")
    np.testing.assert_array_equal(labels, trained.dataset.test_labels)
    torch.testing.assert_close(inputs, trained.probe.everything[len(trained.probe.labels):])
    trained.model.eval()
    torch.testing.assert_close(saved.model(inputs)[0], trained.model(inputs)[0])


def test_bytes_will_do_and_so_will_other_data(raw, trained):
    other = load(parse_run({"dataset": "digits", "samples": "50", "test_samples": "20"}).data, 3)
    assert open_run(raw, other).dataset is other
    assert open_run(raw).dataset.name == "digits"


def test_a_folder_with_one_run_in_it(raw, tmp_path):
    (tmp_path / "a.safetensors").write_bytes(raw)
    (tmp_path / "film.safetensors").write_bytes(raw.replace(b"lpc-run-1", b"lpc-run-9"))
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "empty").touch()
    (tmp_path / "inner").mkdir()
    assert open_run(str(tmp_path)).step == 30
    (tmp_path / "b.safetensors").write_bytes(raw)
    with pytest.raises(NotARun, match=r"expected a folder with exactly one run .* got a.safetensors, b.safetensors"):
        open_run(tmp_path)


def test_samples_are_stratified_and_seeded(raw):
    saved = open_run(raw)
    (one, labels), (again, _), (other, _) = (saved.samples("train", 20, seed) for seed in (1, 1, 2))
    assert np.bincount(labels).tolist() == [2] * 10
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    with pytest.raises(ValueError, match="expected split to be one of train, test, got 'dev'"):
        saved.samples("dev")


def test_bounds_are_what_black_and_white_pixels_give(raw):
    saved = open_run(raw)
    low, high = saved.bounds
    inputs, _ = saved.samples("train")
    assert low.shape == high.shape == (1, 1, 1)
    assert inputs.min() == pytest.approx(float(low))  # black pixels are in every picture
    assert inputs.max() == pytest.approx(float(low + 240 / 255 * (high - low)))  # the brightest digit's are 240 of 255


def test_vectors_have_no_bounds():
    run = Trainer(parse_run({"dataset": "moons", "steps": "1", "samples": "40", "test_samples": "20"}), "cpu")
    assert open_run(run.state_bytes()).bounds is None


def broken(raw, **changes):
    """The run with some of its info replaced."""
    tensors, info = unpack(raw)
    return pack(tensors, info | changes)


@pytest.mark.parametrize(("change", "words"), [
    (lambda raw: b"", "expected the state of a run, got bytes that are not one"),
    (lambda raw: b"\x80\x04\x95not a pickle either", "make one with lpc train --out run.safetensors"),
    (lambda raw: raw[:-100], "expected the state of a run"),
    (lambda raw: raw.replace(b"lpc-run-1", b"lpc-run-9"), "in the format lpc-run-1, got 'lpc-run-9'"),
    (lambda raw: broken(raw, config={"latent_dim": 9}), r"expected backbone\.1\.weight \(32, 20\) torch\.float32, got \(64, 64\) torch\.float32"),  # noqa: E501
    (lambda raw: broken(raw, config={"steps": -1}), r"expected settings that this version knows, got others \(steps: exp"),  # noqa: E501
    (lambda raw: broken(raw, config={"no_such": 1}), r"got others \(no_such: expected a known setting"),
    (lambda raw: broken(raw, config={"steps": {"a": 1}}), r"expected settings that this version knows"),
    (lambda raw: broken(raw, config=[1]), r"expected the settings of a run by name, got \[1\]"),
    (lambda raw: broken(raw, step=None), "expected step to be a whole number from 0 to 30, got None"),
    (lambda raw: broken(raw, hidden=1), "expected the facts of this run, got a state also hidden"),
])
def test_anything_else_is_refused_in_one_line(change, words, raw):
    with pytest.raises(NotARun, match=words) as error:
        open_run(change(raw))
    assert str(error.value).startswith("the bytes: ")
    assert "\n" not in str(error.value)


def test_missing_weights_are_named(raw):
    tensors, info = unpack(raw)
    del tensors["model.head.weight"]
    with pytest.raises(NotARun, match=r"expected the weights of this run, got a state without head\.weight"):
        open_run(pack(tensors, info))


def test_nothing_there(tmp_path):
    with pytest.raises(NotARun, match="expected a run written by lpc train --out, got nothing there"):
        open_run(tmp_path / "no")
    with pytest.raises(NotARun, match=r"exactly one run .* got none; name the file"):
        open_run(tmp_path)


def test_a_file_that_lies_about_its_header(tmp_path):
    (tmp_path / "x").write_bytes((2**62).to_bytes(8, "little") + json.dumps({}).encode())
    with pytest.raises(NotARun, match="got none"):
        open_run(tmp_path)
