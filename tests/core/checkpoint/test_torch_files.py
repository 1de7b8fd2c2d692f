"""What torch.save writes is read as torch.load(weights_only=True) reads it; wrappers and prefixes come off, listed."""

import argparse
import collections
import io
import pathlib
import re

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from lpc_core.checkpoint import Embeddings, FileRefused
from tests.core.checkpoint._files import LABELS, LATENTS, legacy, model, read_here, saved, zipped

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2,
          torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64,
          torch.bool, torch.complex64, torch.complex128]
NOT_IN_LEGACY = DTYPES[4:6] + DTYPES[11:14]  # which has no storages of these types
BOTH = pytest.mark.parametrize("save", [saved, legacy])


def same(read, given):
    """Equal names in order, types, shapes, strides and bits."""
    assert list(read) == list(given)
    for name, tensor in given.items():
        other = read[name]
        assert (other.dtype, other.shape, other.stride()) == (tensor.dtype, tensor.shape, tensor.stride())
        assert other.contiguous().view(torch.uint8).tolist() == tensor.contiguous().view(torch.uint8).tolist()


def oracle(raw):
    return torch.load(io.BytesIO(raw), weights_only=True)


@BOTH
def test_a_state_dict_is_read_as_torch_reads_it(save):
    raw = save(model().state_dict())
    checkpoint = read_here(raw)
    same({name: tensor.reshape(-1) for name, tensor in checkpoint.tensors.items()},
         {name: tensor.reshape(-1) for name, tensor in oracle(raw).items()})
    assert checkpoint.format == ("torch" if save is saved else "torch (legacy)")
    assert (checkpoint.stripped, checkpoint.notes, checkpoint.metadata) == ((), (), {})


@pytest.mark.parametrize(("save", "dtype"), [(save, dtype) for dtype in DTYPES for save in (saved, legacy)
                                             if save is saved or dtype not in NOT_IN_LEGACY])
def test_every_type_is_kept(save, dtype):
    given = {"a": torch.arange(6).reshape(2, 3).to(dtype), "empty": torch.empty(0, 3, dtype=dtype),
             "single": torch.ones((), dtype=dtype)}
    read = read_here(save(given)).tensors
    assert [tensor.shape for tensor in read.values()] == [tensor.shape for tensor in given.values()]
    for name in ("a", "single"):
        same({name: read[name].reshape(-1)}, {name: given[name].reshape(-1)})


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_pickle_protocol_since_2(protocol):
    given = {"a": torch.arange(6.0).reshape(2, 3), "note": "x", "number": 1.5}
    assert read_here(saved(given, pickle_protocol=protocol)).tensors["a"].tolist() == given["a"].tolist()


@BOTH
def test_shared_storages_stay_shared_and_strides_stay(save):
    whole = torch.arange(24.0).reshape(4, 6)
    given = {"whole": whole, "turned": whole.T, "part": whole[1:3, ::2], "row": whole[2],
             "wide": whole[0, :1].expand(5)}
    read = read_here(save(given)).tensors
    same(read, oracle(save(given)))
    read["whole"][2, 0] = -1.0
    assert read["row"][0] == read["turned"][0, 2] == read["part"][1, 0] == -1.0


def test_a_list_of_tensors_and_a_single_tensor():
    assert list(read_here(saved([torch.ones(2), torch.zeros(1)])).tensors) == ["0", "1"]
    assert list(read_here(saved(torch.ones(2))).tensors) == ["tensor"]


def test_a_nested_dictionary_gets_dotted_names():
    given = {"encoder": {"w": torch.ones(2), "deep": {"b": torch.zeros(1)}}, "head": {"w": torch.ones(3)}, "epoch": 4}
    checkpoint = read_here(saved(given))
    assert list(checkpoint.tensors) == ["encoder.w", "encoder.deep.b", "head.w"]
    assert checkpoint.metadata == {"epoch": 4}


STATE = model().state_dict()
NAMES = list(STATE)


def prefixed(prefix, state=STATE):
    return collections.OrderedDict((prefix + name, tensor) for name, tensor in state.items())


@BOTH
@pytest.mark.parametrize(("given", "stripped"), [
    *(({key: STATE, "epoch": 1}, (key,)) for key in ("state_dict", "model", "model_state_dict", "net", "network", "ema",
                                                     "state_dict_ema", "model_ema")),
    ({"state_dict": {"model": STATE}}, ("state_dict", "model")),
    (prefixed("module."), ("module.",)),
    (prefixed("_orig_mod."), ("_orig_mod.",)),
    (prefixed("module._orig_mod."), ("module.", "_orig_mod.")),
    (prefixed("_orig_mod.module."), ("_orig_mod.", "module.")),
    ({"state_dict": prefixed("model.")}, ("state_dict", "model.")),
    ({"state_dict": prefixed("net.")}, ("state_dict", "net.")),
    ({"n_averaged": torch.tensor(3), **prefixed("module.")}, ("n_averaged", "module.")),
    ({"model": {"n_averaged": torch.tensor(3), **prefixed("module.module.")}},
     ("model", "n_averaged", "module.", "module.")),
])
def test_wrappers_come_off_and_are_listed(save, given, stripped):
    checkpoint = read_here(save(given))
    assert list(checkpoint.tensors) == NAMES
    assert checkpoint.stripped == stripped
    assert torch.equal(checkpoint.tensors["0.weight"], STATE["0.weight"])


def test_wrappers_that_torch_itself_makes():
    assert list(read_here(saved(torch.nn.DataParallel(model()).state_dict())).tensors) == NAMES
    averaged = read_here(saved(AveragedModel(model()).state_dict()))
    assert list(averaged.tensors) == NAMES
    assert averaged.stripped == ("n_averaged", "module.")


def test_a_part_that_was_compiled():
    given = {f"{'0._orig_mod.weight' if name == '0.weight' else name}": tensor for name, tensor in STATE.items()}
    checkpoint = read_here(saved(given))
    assert list(checkpoint.tensors) == NAMES
    assert checkpoint.stripped == ("_orig_mod.",)


def test_a_lightning_checkpoint():
    checkpoint = read_here(saved({
        "epoch": 7, "global_step": 99, "pytorch-lightning_version": "2.4.0", "hyper_parameters": {"lr": 0.1},
        "state_dict": {**prefixed("model."), "criterion.weight": torch.ones(2)}, "callbacks": {"EarlyStopping": {}},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}], "lr_schedulers": [], "loops": {}}))
    assert list(checkpoint.tensors) == [*NAMES, "criterion.weight"]
    assert checkpoint.stripped == ("state_dict", "model.")
    assert checkpoint.metadata == {"epoch": 7, "global_step": 99, "pytorch-lightning_version": "2.4.0",
                                   "hyper_parameters": {"lr": 0.1}}
    assert "left out: 'optimizer_states' (training state)" in checkpoint.notes


def test_nothing_comes_off_where_two_names_would_become_one():
    given = {"a._orig_mod.w": torch.ones(1), "a.w": torch.zeros(1)}
    checkpoint = read_here(saved(given))
    assert list(checkpoint.tensors) == list(given)
    assert checkpoint.stripped == ()


def test_several_wrappers_and_what_lies_beside_are_noted():
    optimizer = torch.optim.AdamW(model().parameters())
    checkpoint = read_here(saved({"model": STATE, "ema": prefixed("module."), "optimizer": optimizer.state_dict(),
                                  "best_acc1": torch.tensor(0.9), "arch": "resnet18"}))
    assert checkpoint.stripped == ("model",)
    assert set(checkpoint.notes) == {
        "read 'model'; left out: 'ema', also in the file", "left out: 'optimizer' (training state)",
        "left out: 'best_acc1' (a tensor beside the state dict)"}
    assert checkpoint.metadata == {"arch": "resnet18"}


def test_two_modules_side_by_side_are_both_kept():
    checkpoint = read_here(saved({"model": STATE, "head": {"weight": torch.ones(2, 2)}}))
    assert list(checkpoint.tensors) == [*(f"model.{name}" for name in NAMES), "head.weight"]


@BOTH
def test_plain_values_become_metadata(save):
    counts = collections.defaultdict(list)
    counts["a"].append(1)
    values = {
        "args": argparse.Namespace(lr=0.1, layers=[1, 2]), "path": pathlib.PurePosixPath("/tmp/x"),
        "device": torch.device("cuda", 1), "dtype": torch.float16, "size": torch.Size([2, 3]),
        "counts": counts, "ordered": collections.OrderedDict(a=1), "set": {3}, "bytes": b"abc",
        "numpy": np.float32(0.5), "whole": np.int64(-7), "truth": np.bool_(True), "big": 2**70, "none": None, "text": "é\x1b[31m", 3: "three",
        "nan": float("nan"), "tuple": (1, (2, 3))}
    metadata = read_here(save({"state_dict": STATE, **values})).metadata
    assert metadata == {
        "args": {"lr": 0.1, "layers": [1, 2]}, "path": "//tmp/x", "device": "cuda:1", "dtype": "torch.float16",
        "size": [2, 3], "counts": {"a": [1]}, "ordered": {"a": 1}, "set": [3], "bytes": "3 bytes", "numpy": 0.5,
        "whole": -7, "truth": True, "big": "a whole number of 71 bits", "none": None, "text": "é\ufffd[31m",
        "3": "three", "nan": "nan", "tuple": [1, [2, 3]]}


def test_numpy_arrays_are_tensors_too():
    given = {"w": np.arange(6.0).reshape(2, 3), "turned": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
             "big_endian": np.arange(3, dtype=">f4")}
    read = read_here(saved(given)).tensors
    for name, array in given.items():
        np.testing.assert_array_equal(read[name].numpy(), array)


def test_parameters_and_tensors_with_attributes():
    parameter = torch.nn.Parameter(torch.ones(2))
    noted = torch.ones(3)
    noted.note = "kept out"
    assert list(read_here(saved({"p": parameter, "n": noted})).tensors) == ["p", "n"]


def test_self_references_and_deep_dictionaries_are_bounded():
    given = {"w": torch.ones(1)}
    given["self"] = given
    deep = {"w": torch.ones(1)}
    for _ in range(200):
        deep = {"down": deep}
    assert list(read_here(saved(given)).tensors) == ["w"]
    assert list(read_here(saved({"w": torch.ones(1), "deep": deep})).tensors) == ["w"]
    with pytest.raises(FileRefused, match=r"^expected a state dict with tensors, got none in the file; save model"):
        read_here(saved(deep))


def test_a_model_saved_whole_is_refused_with_its_class():
    with pytest.raises(FileRefused, match=re.escape(
            "expected a torch file of tensors and plain values, got a pickle with the name "
            "'torch.nn.modules.container.Sequential', which plain data does not need; in Python: torch.save(model.")):
        read_here(saved(model()))


@pytest.mark.parametrize("tensor", [torch.eye(3).to_sparse(), torch.empty(2, device="meta")], ids=["sparse", "meta"])
def test_tensors_that_are_not_plain_are_refused_by_name(tensor):
    with pytest.raises(FileRefused, match=r"got a pickle with the name '(torch\._utils|torch\.serialization)\.\w+', w"):
        read_here(saved({"a": tensor}))


def test_a_conjugate_view_is_refused():
    with pytest.raises(FileRefused, match="a conjugate, negated or annotated tensor"):
        read_here(saved({"a": torch.ones(2, dtype=torch.complex64).conj()}))


def test_big_endian_files_are_refused():
    message = "expected a little-endian torch file, got .*; save it again on a little-endian machine$"
    parts = {"a/data.pkl": b"\x80\x02}.", "a/byteorder": b"big"}
    with pytest.raises(FileRefused, match=message):
        read_here(zipped(parts))
    raw = legacy({"a": torch.ones(1)})
    place = raw.index(b"little_endian")
    place = raw.index(b"\x88", place)  # NEWTRUE
    with pytest.raises(FileRefused, match=message):
        read_here(raw[:place] + b"\x89" + raw[place + 1:])


def test_a_file_saved_without_checksums_is_read_and_noted():
    torch.serialization.set_crc32_options(False)
    try:
        raw = saved(STATE)
    finally:
        torch.serialization.set_crc32_options(True)
    checkpoint = read_here(raw)
    assert torch.equal(checkpoint.tensors["0.weight"], STATE["0.weight"])
    assert any(re.fullmatch(r"\d+ of the file's checksums are wrong: saved without them, or damaged", note)
               for note in checkpoint.notes)


def test_nan_and_infinity_in_weights_are_read_and_noted():
    given = {"a": torch.tensor([1.0, float("nan"), float("inf")]), "b": torch.ones(2, dtype=torch.bfloat16) / 0,
             "whole": torch.ones(2, dtype=torch.int64)}
    checkpoint = read_here(saved(given))
    assert checkpoint.notes == ("a: 2 values are NaN or infinite", "b: 2 values are NaN or infinite")
    assert checkpoint.tensors["a"].isnan().tolist() == [False, True, False]


def test_latents_and_labels_in_a_torch_file_are_embeddings():
    found = read_here(saved({"embeddings": torch.tensor(LATENTS).bfloat16(), "targets": torch.tensor(LABELS)}))
    assert isinstance(found, Embeddings)
    np.testing.assert_allclose(found.latents, LATENTS, rtol=0.01)
    assert found.labels.tolist() == LABELS.tolist()
    assert "'embeddings' was bfloat16; read as float32" in found.notes
