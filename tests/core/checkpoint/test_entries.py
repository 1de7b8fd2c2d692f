"""The tensor tree: every number of every type against NumPy and torch."""

import math

import numpy as np
import pytest
import safetensors.torch
import torch

from lpc_core.checkpoint import TensorEntry
from tests.core.checkpoint._files import LATENTS, good_files, model, npz, saved, tree_here
from tests.core.checkpoint.test_torch_files import DTYPES


def checked(entry, values):
    """The entry says of ``values`` (float64, flat) what NumPy says."""
    finite = values[np.isfinite(values)]
    assert entry.norm == pytest.approx(np.linalg.norm(finite), rel=1e-12)
    assert (entry.minimum, entry.maximum) == (finite.min(), finite.max())
    assert entry.zeros == pytest.approx((values == 0).mean())
    assert (entry.nans, entry.infinities) == (np.isnan(values).sum(), np.isinf(values).sum())
    histogram = np.histogram(finite, 32)[0] if np.ptp(finite) else np.eye(32, dtype=int)[16] * len(finite)
    assert sum(entry.histogram) == len(finite)
    places = (finite - finite.min()) / max(np.ptp(finite), 1e-300) * 32
    on_edges = (np.abs(places - places.round()) < 1e-9).sum()  # may fall to either side
    assert np.abs(np.array(entry.histogram) - histogram).sum() <= 2 * on_edges


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_type_in_numbers(dtype):
    torch.manual_seed(1)
    values = (torch.randn(37, 5) * 20).round().abs().to(dtype) if not dtype.is_complex else torch.randn(37, dtype=dtype)
    [entry] = tree_here(saved({"a": values}))
    assert (entry.name, entry.shape, entry.bytes) == ("a", tuple(values.shape), values.numel() * values.element_size())
    assert f"torch.{entry.dtype}" == str(dtype)
    wide = np.abs(values.numpy()).astype(np.float64) if dtype.is_complex else values.double().numpy()
    checked(entry, wide.reshape(-1))


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.float16, torch.bfloat16], ids=str)
def test_every_code_of_a_small_float(dtype):
    """All 256 values of the 8-bit types, all 65,536 of the others, as torch understands them."""
    codes = torch.arange(256, dtype=torch.uint8) if dtype.itemsize == 1 else torch.arange(65_536, dtype=torch.int32).to(
        torch.int16)
    values = codes.view(dtype)
    [entry] = tree_here(saved({"a": values}))
    checked(entry, values.double().numpy())


def test_large_strided_constant_empty_and_extreme_tensors():
    torch.manual_seed(2)
    given = {"large": torch.randn(300, 1000), "turned": torch.randn(40, 30).T, "part": torch.randn(50, 50)[::3, 1::7],
             "same": torch.full((5,), 2.5), "huge": torch.tensor([-1.7e308, 0, 1.7e308], dtype=torch.float64),
             "nothing": torch.empty(0, 4), "no number": torch.full((3,), math.nan)}
    found = {entry.name: entry for entry in tree_here(saved(given))}
    for name in ("large", "turned", "part", "same"):
        checked(found[name], given[name].double().numpy().reshape(-1))
    assert found["huge"].histogram == (1, *[0] * 15, 1, *[0] * 14, 1)
    assert math.isnan(found["huge"].norm)
    for name in ("nothing", "no number"):
        assert found[name].histogram == ()
        assert math.isnan(found[name].minimum)
    assert found["no number"].nans == 3
    assert found["no number"].zeros == 0
    assert math.isnan(found["nothing"].zeros)


@pytest.mark.parametrize("name", good_files())
def test_every_format_has_a_tree(name):
    entries = tree_here(good_files()[name], name)
    assert entries
    assert all(isinstance(entry, TensorEntry) for entry in entries)


def test_names_are_those_of_the_state_dict_and_of_the_arrays():
    state = model().state_dict()
    assert [entry.name for entry in tree_here(saved({"state_dict": state}))] == list(state)
    names = [entry.name for entry in tree_here(safetensors.torch.save({"module.w": torch.ones(1)}))]
    assert names == ["module.w"]
    given = npz(x=LATENTS, anything=np.zeros(3), words=np.array(["a"]))
    assert [entry.name for entry in tree_here(given)] == ["x", "anything"]
