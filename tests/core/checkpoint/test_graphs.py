"""ONNX and torch.export: weights equal those of the model, the graph as plain data; oracle: the onnx package, torch."""

import io
import json
import re
import zipfile

import numpy as np
import onnx
import onnx.numpy_helper
import pytest
import torch
from onnx import helper

from lpc_core.checkpoint import FileRefused, Limits
from tests.core.checkpoint._files import exported, model, onnx_model, read_here, saved, zipped

WEIGHT, BIAS = np.arange(8, dtype=np.float32).reshape(2, 4), np.ones(2, np.float32)


def test_an_onnx_model_is_read_with_its_graph():
    checkpoint = read_here(onnx_model({"w": WEIGHT, "b": BIAS}))
    assert checkpoint.format == "onnx"
    np.testing.assert_array_equal(checkpoint.tensors["w"].numpy(), WEIGHT)
    np.testing.assert_array_equal(checkpoint.tensors["b"].numpy(), BIAS)
    assert checkpoint.metadata["nodes"] == [["Gemm", ["x", "w", "b"], ["y"]]]
    assert checkpoint.metadata["inputs"] == {"x": ["n", 4]}
    assert checkpoint.metadata["outputs"] == ["y"]
    assert checkpoint.metadata["producer"] == "a test"
    assert checkpoint.metadata["opset"][0].startswith("ai.onnx ")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8",
                                   "uint16", "uint32", "uint64", "bool", "complex64", "complex128"])
@pytest.mark.parametrize("raw", [True, False])
def test_every_type_raw_and_as_a_list(dtype, raw):
    values = np.array([[0, 1, 2], [3, 120, 7]]).astype(dtype)
    if np.dtype(dtype).kind in "if":
        values[0, 1] *= -1
    number = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    given = onnx.numpy_helper.from_array(values, "a") if raw else helper.make_tensor("a", number, (2, 3), values)
    read = read_here(onnx_model({"a": given})).tensors["a"]
    np.testing.assert_array_equal(read.numpy(), onnx.numpy_helper.to_array(given))
    assert str(read.dtype) == f"torch.{dtype}"


def test_constants_unknown_sizes_and_weights_that_are_inputs_too():
    nodes = [helper.make_node("Constant", [], ["c"], value=onnx.numpy_helper.from_array(WEIGHT)),
             helper.make_node("MatMul", ["x", "c"], ["y"])]
    checkpoint = read_here(onnx_model({"w": BIAS}, nodes, inputs=("x", "w"), sizes=(None, 4)))
    np.testing.assert_array_equal(checkpoint.tensors["c"].numpy(), WEIGHT)
    assert checkpoint.metadata["inputs"] == {"x": [None, 4]}


def test_subgraphs_are_left_out_and_noted():
    body = helper.make_graph([], "body", [], [])
    nodes = [helper.make_node("If", ["x"], ["y"], then_branch=body, else_branch=body)]
    assert read_here(onnx_model({"w": BIAS}, nodes)).notes == ("left out: 2 subgraphs",)


def changed(change):
    proto = onnx.ModelProto.FromString(onnx_model({"w": WEIGHT, "b": BIAS}))
    change(proto)
    return proto.SerializeToString()


def outside(proto):
    onnx.external_data_helper.set_external_data(proto.graph.initializer[0], "/etc/passwd")


def of_type(number):
    def change(proto):
        proto.graph.initializer[0].data_type = number
    return change


def of_shape(*sizes):
    def change(proto):
        del proto.graph.initializer[0].dims[:]
        proto.graph.initializer[0].dims.extend(sizes)
    return change


@pytest.mark.parametrize(("raw", "message"), [
    (changed(outside), "expected an ONNX model with its weights inside, got 'w' in another file; save it as one file"),
    (changed(of_type(8)), "expected one of the types float32, .*, got number 8 for 'w'"),
    (changed(of_type(99)), "got number 99 for 'w'"),
    (changed(of_shape(-2, -4)), "expected at most 32 sizes from 0 to 2\\^62, got others for 'w'"),
    (changed(of_shape(*[1] * 40)), "expected at most 32 sizes"),
    (changed(of_shape(2**31, 2**31)), "expected arrays of at most 2,147,483,648 bytes together, got a claim of"),
    (changed(of_shape(2, 5)), "expected 40 bytes for the tensor 'w', got 32"),
    (changed(lambda proto: proto.graph.initializer.append(proto.graph.initializer[0])), "expected each tensor name on"),
    (changed(lambda proto: proto.graph.ClearField("initializer")), "expected an ONNX model with weights, got none"),
    (changed(lambda proto: proto.ClearField("graph")), "expected an ONNX model with one graph, got 0"),
    (changed(lambda proto: proto.graph.sparse_initializer.add()), "expected an ONNX model with dense weights, got spa"),
    (b"\x08\x08\x12\xff\xff\xff\xff\x0f", "expected an ONNX model with whole fields, got one that reaches beyond its "),
    (b"\x08\xff", "expected an ONNX model with whole fields, got one that ends within a number"),
    (b"\x08" + b"\xff" * 12, "expected an ONNX model, got a number of more than ten bytes"),
    (b"\x0b\x0c", "expected an ONNX model, got bytes that are no protobuf message"),
])
def test_onnx_models_that_are_refused(raw, message):
    with pytest.raises(FileRefused, match=message):
        read_here(raw, "model.onnx")


def test_an_onnx_model_of_endless_fields_is_given_up():
    with pytest.raises(FileRefused, match=r"^expected at most 500,000 fields in an ONNX model, got more"):
        read_here(b"\x08\x01" * 510_000, "model.onnx")


@pytest.fixture(scope="module")
def archive():
    return exported()


def test_an_exported_program_is_read_with_its_graph(archive):
    checkpoint = read_here(archive)
    assert checkpoint.format == "torch.export"
    state = model().state_dict()
    assert set(checkpoint.tensors) == set(state)
    for name, tensor in state.items():
        assert torch.equal(checkpoint.tensors[name], tensor)
    nodes = checkpoint.metadata["nodes"]
    assert nodes[0] == ["torch.ops.aten.linear.default", ["input", "0.weight", "0.bias"], ["linear"]]
    assert nodes[-1][1] == [nodes[-2][2][0], "2.weight", "2.bias"]
    assert checkpoint.metadata["inputs"] == {"input": [5, 3]}
    assert any(note.startswith("left out, unopened: archive/data/sample_inputs/model.pt") for note in checkpoint.notes)


def test_weights_that_are_one_in_an_exported_program_stay_one():
    net = torch.nn.Sequential(torch.nn.Linear(3, 3, bias=False), torch.nn.Linear(3, 3, bias=False))
    net[1].weight = net[0].weight
    read = read_here(exported(net)).tensors
    read["0.weight"][0, 0] = 77.0
    assert read["1.weight"][0, 0] == 77.0


def rezipped(raw, change):
    """The archive with its members {name: bytes} changed."""
    with zipfile.ZipFile(io.BytesIO(raw)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    return zipped(members)


def test_archives_of_older_torch_hold_a_file_of_torch_save():
    state = model().state_dict()
    graph = json.dumps({"graph_module": {"graph": {"nodes": [], "tensor_values": {}}, "signature": {"input_specs": []}}})
    for members in ({"serialized_exported_program.json": graph.encode(), "serialized_state_dict.pt": saved(state)},
                    {"a/archive_format": b"pt2", "a/data/weights/model.pt": saved(state)}):
        read = read_here(zipped(members))
        assert read.format == "torch.export"
        assert torch.equal(read.tensors["0.weight"], state["0.weight"])


TABLE = "archive/data/weights/model_weights_config.json"


def pickled(members):
    members[TABLE] = members[TABLE].replace(b'"use_pickle": false', b'"use_pickle": true')


def no_table(members):
    del members[TABLE]


def too_large(members):
    members[TABLE] = members[TABLE].replace(b'"as_int": 3', b'"as_int": 3000000')


def not_a_table(members):
    members[TABLE] = b'{"config": [1, 2]}'


def missing(members):
    del members["archive/data/weights/weight_0"]


def no_json(members):
    members["archive/models/model.json"] = b"{" * 10_000


def no_graph(members):
    members["archive/models/model.json"] = b'{"graph_module": {"signature": 3}}'


@pytest.mark.parametrize(("change", "message"), [
    (pickled, "expected weights as plain bytes, got pickled ones for '0.weight'; in Python: torch.save"),
    (no_table, "expected weights in the torch.export archive, got none"),
    (too_large, "expected tensors no larger than their bytes in the file, got [0-9,]* bytes in 48 in the tensor '0.we"),
    (not_a_table, "expected a table of weights as torch.export writes it, got one without"),
    (missing, "expected a table of weights as torch.export writes it, got one without"),
    (no_json, "expected the exported graph in JSON, got text that is not"),
    (no_graph, "expected a graph as torch.export writes it, got one without"),
])
def test_archives_that_are_refused(archive, change, message):
    with pytest.raises(FileRefused, match=message):
        read_here(rezipped(archive, change))


def test_limits_of_an_archive(archive):
    with pytest.raises(FileRefused, match=re.escape("expected arrays of at most 100 bytes together")):
        read_here(archive, limits=Limits(tensor_bytes=100))
