"""Saved runs and films that somebody edited: every field in every wrong way gives the clear error, and nothing else."""

import json
import math
import zlib

import numpy as np
import pytest
import safetensors.numpy
import torch

from lpc_core.config import unflatten
from lpc_core.data import DataError
from lpc_core.engine.lockstep import Lockstep
from lpc_core.engine.state import StateError, pack, unpack
from lpc_core.engine.trainer import Trainer
from lpc_core.film import FilmError, film_bytes, open_film
from lpc_core.film.record import record
from lpc_core.run_group import compare
from lpc_core.saved_run import NotARun, open_run

SMALL = {"dataset": "moons", "classes": 2, "samples": 60, "test_samples": 20, "steps": 20, "ramp_steps": 10,
         "batch_size": 16, "hidden": (8,), "dim": 2}
RUNS = {
    "fused": ({}, "fused"), "sgd": ({"optimizer": "sgd"}, "autograd"), "autograd": ({}, "autograd"),
    "dropout": ({"dropout": 0.3}, "autograd"),
}
WRONG = [None, -1, -(10**400), 10**400, 1.5, math.nan, math.inf, -math.inf, "x", "", [], [1], {}, {"a": 1}, True,
         [[[]]], "1e3"]


@pytest.fixture(scope="module", params=RUNS)
def run(request):
    settings, engine = RUNS[request.param]
    made = Trainer(unflatten(SMALL | settings), "cpu", engine=engine)
    made.advance(7)
    return made


def again(run):
    """A run like it at its beginning."""
    return Trainer(run.config, "cpu", run.dataset, engine="fused" if "fused:" in run.engine_note else "autograd")


def told(run):
    """All of a run's state, to be compared."""
    tensors, info = unpack(run.state_bytes())
    return {name: tensor.tolist() for name, tensor in tensors.items()}, info


def tensor_edits(tensor):
    """The tensor as it must not be."""
    yield "shape", tensor.reshape(1, *tensor.shape)
    yield "scalar", torch.zeros((), dtype=tensor.dtype) if tensor.dim() else torch.zeros(2, dtype=tensor.dtype)
    yield "empty", tensor.new_empty((0,))
    yield "type", tensor.to(torch.float16 if tensor.dtype != torch.float16 else torch.float32)
    yield "whole", tensor.to(torch.int64)
    yield "bool", tensor.to(torch.bool)
    yield "complex", tensor.to(torch.complex64)
    if tensor.is_floating_point():
        for word in ("nan", "inf", "-inf"):
            yield word, torch.full_like(tensor, float(word))
    else:
        yield "ones", torch.full_like(tensor, 255)


def edits(tensors, info):
    """Every edited state as (what was done, tensors, info)."""
    for name, tensor in tensors.items():
        yield f"without {name}", {key: value for key, value in tensors.items() if key != name}, info
        yield f"renamed {name}", {f"{key}x" if key == name else key: value for key, value in tensors.items()}, info
        for what, edited in tensor_edits(tensor):
            yield f"{name} {what}", tensors | {name: edited}, info
    for name in ("model.more", "optim.99.exp_avg", "optim.x.y", "optim.0.", "optim.-1.step", "optim.²", "stream.other", ""):  # noqa: E501
        yield f"also {name}", tensors | {name: torch.zeros(3)}, info
    yield "nothing", {}, info
    for name in info:
        yield f"info without {name}", tensors, {key: value for key, value in info.items() if key != name}
        for wrong in WRONG:
            text = isinstance(wrong, str) or wrong in (math.inf, -math.inf)  # which are written as texts
            if not ((name == "reason" and text) or (name == "base_lr" and wrong == 1.5)):
                yield f"{name} = {str(wrong)[:9]}", tensors, info | {name: wrong}
    yield "more info", tensors, info | {"more": 1}
    for name in info["gamma"]:
        gamma = info["gamma"]
        yield f"gamma without {name}", tensors, info | {"gamma": {k: v for k, v in gamma.items() if k != name}}
        for wrong in WRONG:
            if not (name == "gliding" and wrong is True) and not (wrong == 1.5 and name not in ("mode", "gliding")):
                yield f"gamma {name} = {str(wrong)[:9]}", tensors, info | {"gamma": gamma | {name: wrong}}
    yield "more gamma", tensors, info | {"gamma": info["gamma"] | {"config": None}}
    for name in info["config"]:
        yield f"config without {name}", tensors, info | {"config": {k: v for k, v in info["config"].items() if k != name}}  # noqa: E501
        for wrong in WRONG:
            yield f"config {name} = {str(wrong)[:9]}", tensors, info | {"config": info["config"] | {name: wrong}}
    for step, limit in ((21, 20), (5, 4), (2**60, 2**60)):
        yield f"step {step} of {limit}", tensors, info | {"step": step, "limit": limit}
    yield "position behind the end", tensors, info | {"position": 61}


IRRELEVANT_TO_A_READER = ("stream.", "optim.")  # what `open_run` leaves out


def test_no_edited_state_is_taken_up_and_each_is_refused_in_words(run):
    tensors, info = unpack(run.state_bytes())
    fresh = again(run)
    before = told(fresh)
    allowed = [f"without {name}" for name in tensors if name == "stream.dropout"]
    odd = []
    for what, edited, facts in edits(tensors, info):
        if what in allowed:
            continue
        slots = {name.split(".")[1] for name in edited if name.startswith("optim.")}
        if what.startswith("without optim.") and what.split(".")[1] not in slots:
            continue  # the one quantity of that parameter: as before its first step
        try:
            fresh.load_state_bytes(pack(edited, facts))
            odd.append(f"{what}: taken up")
        except StateError as error:
            if "\n" in str(error) or "expected" not in str(error):
                odd.append(f"{what}: {error}")
        except Exception as error:  # which is what is looked for
            odd.append(f"{what}: {type(error).__name__} {error}")
    assert not odd, "\n".join(odd)
    assert told(fresh) == before  # nothing of them was kept
    fresh.load_state_bytes(run.state_bytes())
    assert told(fresh) == told(run)


@pytest.mark.parametrize("run", ["fused", "dropout"], indirect=True)  # it looks at no optimiser
def test_a_reader_of_saved_runs_refuses_the_same(run):
    tensors, info = unpack(run.state_bytes())
    odd = []
    for what, edited, facts in edits(tensors, info):
        try:
            open_run(pack(edited, facts))
            used = not any(word in what for word in IRRELEVANT_TO_A_READER) and "also " not in what
            if used and not what.startswith(("config", "position")):
                odd.append(f"{what}: taken up")
        except NotARun as error:
            if "\n" in str(error) or "expected" not in str(error):
                odd.append(f"{what}: {error}")
        except DataError:
            pass  # settings that are well formed, of data that are not there
        except Exception as error:
            odd.append(f"{what}: {type(error).__name__} {error}")
    assert not odd, "\n".join(odd)


def test_a_claim_of_a_huge_network_costs_nothing():
    made = Trainer(unflatten(SMALL), "cpu")
    tensors, info = unpack(made.state_bytes())
    huge = info["config"] | {"hidden": [8192] * 6}
    with pytest.raises(NotARun, match=r"expected the weights of this run|expected backbone"):
        open_run(pack(tensors, info | {"config": huge}))


@pytest.mark.parametrize("info", ["[1]", "1", "null", "{", "[" * 100_000, "", '"x"', "NaN"])
def test_info_that_is_no_table_of_facts_is_refused(info):
    made = Trainer(unflatten(SMALL), "cpu")
    tensors, _ = unpack(made.state_bytes())
    from safetensors.torch import save

    raw = save(tensors, {"format": "lpc-run-1", "info": info})
    for read, refusal in ((made.load_state_bytes, StateError), (open_run, NotARun)):
        with pytest.raises(refusal, match="expected"):
            read(raw)


def test_comparisons_refuse_edited_members_too():
    both = compare(unflatten(SMALL), [{}, {"lr": 0.1}], ["a", "b"])

    def group():
        return Lockstep(both, lambda config: Trainer(config, "cpu"))

    from safetensors.numpy import load, save

    states = load(group().state_bytes())
    for edited in ({"0": states["0"]}, states | {"2": states["0"]}, states | {"1": states["0"]},
                   states | {"1": states["1"][:-9]}, states | {"1": states["1"].astype(np.float32)},
                   states | {"1": np.zeros(0)}):
        with pytest.raises(ValueError, match="expected"):
            group().load_state_bytes(save(edited))


# ---- films -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film():
    """A film's bytes, its arrays and its info."""
    raw = film_bytes(record(unflatten(SMALL), [0.1, 10.0], frames=3, points=30, device="cpu"))
    metadata = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
    return raw, safetensors.numpy.load(raw), json.loads(metadata["info"])


def film_of(arrays, info):
    """A film's bytes with their checksum right, whatever is in them."""
    metadata = {"kind": "film", "info": info if isinstance(info, str) else json.dumps(info), "crc32": "0" * 8}
    made = safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata)
    start = made.find(b'"crc32":"00000000"') + len('"crc32":"')
    return made[:start] + f"{zlib.crc32(made):08x}".encode() + made[start + 8 :]


FREE = {"codes", "hist", "predictions", "node_peak_distance", "metrics", "collapse_points", "forces", "onset",
        "total"}  # any values will do


def film_edits(arrays, info):
    for name, array in arrays.items():
        if name != "phase":  # films of older versions bring none
            yield f"without {name}", {key: value for key, value in arrays.items() if key != name}, info
        for edited in (array[None], array[:0], array.ravel()[:1], array.astype(np.float16), array.astype(np.bool_)):
            yield f"{name} {edited.dtype} {edited.shape}", arrays | {name: edited}, info
        if name not in FREE | {"means"}:
            yield f"{name} low", arrays | {name: np.full_like(array, 255 if array.dtype == np.uint8 else -9)}, info
        if name not in FREE and array.dtype.kind == "f":
            yield f"{name} nan", arrays | {name: np.full_like(array, np.nan)}, info
            yield f"{name} infinite", arrays | {name: np.full_like(array, np.inf)}, info
    yield "codes -128", arrays | {"codes": np.full_like(arrays["codes"], -128)}, info
    yield "more", arrays | {"more": np.zeros(3)}, info
    yield "info is text", arrays, "{"
    yield "info is deep", arrays, "[" * 100_000
    for name, value in info.items():
        if name != "words":  # films of older versions bring none
            yield f"info without {name}", arrays, {key: kept for key, kept in info.items() if key != name}
        for wrong in [*WRONG, [None], [[1]], ["x" * 300]]:
            same_kind = name in ("title", "theory_note") and isinstance(wrong, str)
            if not (wrong == value or same_kind or (name == "diverged" and wrong == [])
                    or (name == "config" and wrong == {})):
                yield f"{name} = {str(wrong)[:9]}", arrays, info | {name: wrong}
    for name in info["config"]:
        for wrong in (None, -1, 10**400, math.nan, {}, [[1]]):
            yield f"config {name} = {str(wrong)[:9]}", arrays, info | {"config": info["config"] | {name: wrong}}


def test_no_edited_film_is_opened_and_each_is_refused_in_words(film):
    raw, arrays, info = film
    assert open_film(film_of(arrays, info)).config == open_film(raw).config
    odd = []
    for what, edited, facts in film_edits(arrays, info):
        try:
            open_film(film_of(edited, facts))
            odd.append(f"{what}: opened")
        except FilmError as error:
            if "\n" in str(error) or "expected" not in str(error):
                odd.append(f"{what}: {error}")
        except Exception as error:
            odd.append(f"{what}: {type(error).__name__} {error}")
    assert not odd, "\n".join(odd)
