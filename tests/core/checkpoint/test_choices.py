"""Files with more than one network in them: raw and averaged weights, objects beside tensors, nothing at all."""

import argparse
import collections
import dataclasses
import datetime
import enum
import functools
import io

import pytest
import safetensors.torch
import torch
from torch import nn

from lpc_core.checkpoint import FileRefused, Limits, averaged
from lpc_core.checkpoint._read import read
from lpc_core.checkpoint._results import result
from lpc_core.checkpoint.formats.torch_pickle import TorchPickle
from tests.core.checkpoint._files import legacy, model, npz, onnx_model, read_here, saved, tree_here

STATE = model().state_dict()
EMA = {name: value * 2 for name, value in STATE.items()}


def under(prefix, state):
    return {prefix + name: value for name, value in state.items()}


def chosen(raw, weights=None, name=""):
    job = {"name": name, "picked": {}, "tree": False, "weights": weights}
    return result(read(memoryview(bytearray(raw)), job, Limits()))


BOTH = [
    ({"epoch": 3, "state_dict": STATE, "state_dict_ema": under("module.", EMA)}, "state_dict", "state_dict_ema"),
    ({"model": STATE, "model_ema": EMA}, "model", "model_ema"),
    ({"model": STATE, "ema": under("module.", EMA), "optimizer": {}}, "model", "ema"),
    ({"model_state_dict": STATE, "ema_state_dict": EMA}, "model_state_dict", "ema_state_dict"),
    ({"state_dict": STATE, "swa_state_dict": {"n_averaged": torch.tensor(3), **under("module.", EMA)}}, "state_dict",
     "swa_state_dict"),
    ({"student": STATE, "teacher": EMA}, "student", "teacher"),
    ({"net": STATE, "net_ema": EMA}, "net", "net_ema"),
    ({**under("model.", STATE), **under("ema_model.module.", EMA)}, "model", "ema_model"),
    ({"state_dict": {**under("net.", STATE), **under("net_ema.", EMA)}}, "net", "net_ema"),
    ({**under("online_model.", STATE), **under("ema_model.", EMA), "initted": torch.tensor(True)}, "online_model",
     "ema_model"),
]


@pytest.mark.parametrize(("given", "raw", "average"), BOTH)
@pytest.mark.parametrize("save", [saved, legacy])
def test_raw_or_averaged_weights_are_a_choice(save, given, raw, average):
    content = save(given)
    for wish, name, expected in ((None, raw, STATE), ("raw", raw, STATE), (raw, raw, STATE), ("averaged", average, EMA),
                                 (average, average, EMA)):
        found = chosen(content, wish)
        assert list(found.tensors) == list(STATE)
        assert torch.equal(found.tensors["0.weight"], expected["0.weight"])
        assert found.weights[0] == name
        assert set(found.weights) == {raw, average}
        assert any(note.startswith(f"read {name!r}; left out: ") for note in found.notes)
        assert ("these are averaged weights" in found.notes) == (expected is EMA)
    with pytest.raises(FileRefused, match=f"^expected one of the file's weights, .*{average}.*, got 'best'"):
        chosen(content, "best")


def test_the_same_in_a_safetensors_file():
    content = safetensors.torch.save({**under("model.", STATE), **under("model_ema.", EMA)})
    assert torch.equal(chosen(content).tensors["0.weight"], STATE["0.weight"])
    assert torch.equal(chosen(content, "averaged").tensors["0.weight"], EMA["0.weight"])


@pytest.mark.parametrize("given", [
    under("encoder.", STATE) | under("decoder.", STATE), {"0.weight": torch.ones(2, 2), "1.weight": torch.ones(2, 2)},
    under("ema.", STATE) | {"fc.weight": torch.ones(2, 4)},
    under("a.", STATE) | under("ema.", STATE) | {"b": torch.ones(3)}])
def test_equal_branches_of_one_network_are_no_choice(given):
    found = chosen(saved(given))
    assert len(found.tensors) == len(given)
    assert found.weights == ()


def test_a_wish_that_the_file_cannot_follow_is_refused():
    with pytest.raises(FileRefused, match=r"^expected weights of one kind only, .*, got a wish for 'averaged';"):
        chosen(saved(STATE), "averaged")


@pytest.mark.parametrize(("name", "is_one"), [
    ("ema", True), ("model_ema", True), ("teacher", True), ("swa_state_dict", True), ("schema", False),
    ("model", False)])
def test_names_of_averages(name, is_one):
    assert averaged(name) == is_one


class Mode(enum.Enum):
    FAST = 1


@dataclasses.dataclass
class Settings:
    rate: float = 0.1


class Strange(dict):
    pass


OBJECTS = {
    "a module": nn.MSELoss(), "a module with weights": nn.CrossEntropyLoss(weight=torch.ones(3)), "an enum": Mode.FAST,
    "a dataclass": Settings(), "a class": Settings, "a function": torch.nn.functional.relu,
    "a date": datetime.date(2024, 1, 2),
    "a partial": functools.partial(torch.nn.functional.relu, inplace=True), "a dictionary of its own": Strange(a=1),
    "a queue": collections.deque([1]), "a stream": io.BytesIO(b"x"), "a nested one": [{"deep": (nn.ReLU(), 1)}],
    "an old object": argparse.ArgumentError(None, "x")}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("save", [saved, legacy])
@pytest.mark.parametrize("protocol", [2, 4])
def test_objects_beside_the_tensors_are_left_out_by_name_and_never_built(name, save, protocol, monkeypatch):
    content = save({"state_dict": under("model.", STATE), "hyper_parameters": {"lr": 0.1, "thing": OBJECTS[name]}},
                   pickle_protocol=protocol) if save is saved else \
        save({"state_dict": under("model.", STATE), "hyper_parameters": {"lr": 0.1, "thing": OBJECTS[name]}})
    monkeypatch.setattr(Settings, "__init__", None)
    found = chosen(content)
    assert list(found.tensors) == list(STATE)
    assert found.metadata["hyper_parameters"]["lr"] == 0.1
    assert any(note.startswith("left out, never built: objects of ") for note in found.notes)


def test_the_note_names_the_class():
    found = chosen(saved({"state_dict": STATE, "hyper_parameters": {"loss": nn.MSELoss()}}))
    assert found.notes == ("left out, never built: objects of torch.nn.modules.loss.MSELoss",)
    assert found.metadata == {"hyper_parameters": {"loss": "an object of torch.nn.modules.loss.MSELoss, not built"}}


@pytest.mark.parametrize("given", [
    model(), {"model": model(), "epoch": 1}, {"model": model(), "optimizer": {"a": torch.ones(2)}},
    {"model": model(), "best": torch.ones(2)}, {"state_dict": {"a.weight": torch.ones(2, 2), "b.weight": nn.ReLU()}},
    {"a.weight": torch.ones(2, 2), "b.bias": nn.ReLU()}, {"w": torch.ones(2, 2), "weight": nn.ReLU()}])
def test_an_object_in_the_place_of_tensors_is_refused_with_its_name(given):
    with pytest.raises(FileRefused, match=r"got a pickle with the name 'torch\.nn\.modules\..*, which plain data does"):
        chosen(saved(given))


@pytest.mark.parametrize(("raw", "name"), [
    (b'\x1b\0\0\0\0\0\0\0{"__metadata__":{"a":"b"}} ', "a.safetensors"), (b"\x02\0\0\0\0\0\0\0{}", "b.safetensors"),
    (saved({}), "c.pt"), (saved({"state_dict": {}}), "d.pt"), (saved({"epoch": 1, "lr": 0.1}), "e.pt"),
    (legacy({}), "f.pth"), (saved(collections.OrderedDict()), "g.pt"), (npz(), "h.npz"),
    (onnx_model({}, nodes=[]), "i.onnx")])
def test_a_file_without_tensors_says_so(raw, name):
    with pytest.raises(FileRefused, match=r"no tensors|with weights, got none"):
        read_here(raw, name)


def test_the_tree_follows_the_choice():
    job = {"name": "", "picked": {}, "tree": True, "weights": "averaged"}
    names = [entry["name"] for entry in read(memoryview(saved(BOTH[0][0])), job, Limits()).facts["entries"]]
    assert names == list(STATE)
    assert [entry.name for entry in tree_here(saved(BOTH[0][0]))] == list(STATE)


OTHERS = {
    "stats": {"mean": torch.ones(3)}, "hyper_parameters": {"lr": 0.1, "class_weights": torch.ones(3)},
    "criterion": {"weight": torch.ones(10)}, "history": {"loss": [torch.ones(()), torch.ones(())]},
    "ema": {"decay": 0.9, "shadow_params": list(EMA.values())}}


@pytest.mark.parametrize("name", OTHERS)
def test_tensors_beside_a_state_dict_do_not_hide_it_and_are_named(name):
    found = chosen(saved({"epoch": 3, "state_dict": under("module.", STATE), name: OTHERS[name]}))
    assert list(found.tensors) == list(STATE)
    assert found.notes == (f"left out: {name!r} (tensors beside the state dict)",)
    assert found.metadata["epoch"] == 3


def test_other_networks_of_the_same_form_are_a_choice_too():
    content = saved({"model": STATE, "best": EMA})
    assert chosen(content).weights == ("model", "best")
    assert "read 'model'; left out: 'best', also in the file" in chosen(content).notes
    assert torch.equal(chosen(content, "best").tensors["0.weight"], EMA["0.weight"])
    assert "model.0.weight" in chosen(saved({"model": STATE, "head": {"weight": torch.ones(2, 2)}})).tensors


def optimiser():
    net = model()
    found = torch.optim.Adam(net.parameters())
    net(torch.ones(4, 3)).sum().backward()
    found.step()
    return found.state_dict()


@pytest.mark.parametrize("save", [saved, legacy])
def test_an_optimiser_is_no_network_whatever_it_is_called(save):
    with pytest.raises(FileRefused, match=r"^expected the weights of a network, got the state of an optimiser; "):
        chosen(save(optimiser()))
    found = chosen(save({"state_dict": STATE, "optim_d": optimiser()}))
    assert list(found.tensors) == list(STATE)
    assert "left out: 'optim_d' (training state)" in found.notes
    assert list(chosen(save({"net_a": {"w": torch.ones(2)}, "optim_d": optimiser()})).tensors) == ["net_a.w"]


@pytest.mark.parametrize("thing", [slice(3), 1 + 2j, range(3), collections.defaultdict(float, a=1.0), frozenset((1,))])
@pytest.mark.parametrize("save", [saved, legacy])
def test_python_s_own_small_things_refuse_nothing(thing, save):  # torch.save writes their old names
    assert list(chosen(save({"state_dict": STATE, "thing": thing})).tensors) == list(STATE)


@pytest.mark.parametrize("name", ["__builtin__ eval", "builtins getattr", "__builtin__ __import__", "__builtin__ open"])
def test_older_names_of_what_acts_stay_refused(name):
    raw = b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\n(K\x01tR."
    with pytest.raises(ValueError, match=r"the name 'builtins\..*', which plain data does not need"):
        TorchPickle(1000).run(io.BytesIO(raw))


@pytest.mark.parametrize("keys", [("state_dict", "head"), ("model_state_dict", "classifier_state_dict"),
                                  ("state_dict", "linear_probe")])
def test_a_head_that_lies_beside_the_state_dict_belongs_to_it(keys):
    body, head = keys
    found = read_here(saved({"epoch": 3, body: STATE, head: {"weight": torch.ones(4, 2)}}), "a.pt")
    assert list(found.tensors) == [*STATE, f"{head}.weight"]
    assert (found.stripped, found.notes, found.metadata["epoch"]) == ((body,), (), 3)


def test_averaged_weights_beside_lightning_s_own_are_a_choice():
    state = under("model.", STATE) | under("ema_model.", EMA)
    given = saved({"state_dict": state, "pytorch-lightning_version": "2.1"})
    assert read_here(given, "a.ckpt").weights == ("model", "ema_model")


@pytest.mark.parametrize("wrap", ["_fsdp_wrapped_module.", "_checkpoint_wrapped_module."])
def test_what_wraps_modules_anywhere_comes_off(wrap):
    found = read_here(saved({f"block.{wrap}{name}": value for name, value in STATE.items()}), "a.pt")
    assert (list(found.tensors), found.stripped) == ([f"block.{name}" for name in STATE], (wrap,))
