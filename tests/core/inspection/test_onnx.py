"""ONNX graphs run operation by operation, against onnxruntime."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from lpc_core.checkpoint import open_file
from lpc_core.inspection import embed, normalisation, recognise
from lpc_core.inspection.layouts._operations import OPERATIONS
from tests.core.inspection.networks import check_same

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
helper, numpy_helper = onnx.helper, onnx.numpy_helper
RNG = np.random.default_rng(0)


class Net(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.conv, self.norm, self.act = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), activation
        self.pool, self.more = nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.mean, self.narrow, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 4), nn.Linear(4, 5)
        with torch.no_grad():
            self.norm.running_mean.normal_()
            self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = self.pool(self.act(self.norm(self.conv(x))))
        return self.head(self.narrow(self.mean(x + self.act(self.more(x))).flatten(1)))


def exported(net, example, path, free):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own words about its successor
        torch.onnx.export(net, (example,), path, dynamo=False, input_names=["x"],
                          dynamic_axes={"x": {0: "n"}} if free else None)
    return open_file(path)


@pytest.mark.parametrize("free", [True, False], ids=["any number of samples", "exported for one sample"])
@pytest.mark.parametrize("activation", [nn.SiLU(), nn.GELU(), nn.ReLU6()],
                         ids=lambda layer: type(layer).__name__)
def test_what_torch_exports(activation, free, tmp_path):
    net, pictures = Net(activation).eval(), torch.randn(4, 3, 20, 20)
    network = recognise(exported(net, pictures[:1], tmp_path / "net.onnx", free))
    check_same(network, net, pictures)


def model(nodes, tensors, sizes, path, outputs=("y",), opset=20, others=()):  # noqa: PLR0917
    """A file with these operations."""
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("x", 1, list(sizes))],
        [helper.make_tensor_value_info(name, 1, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), *others], ir_version=9)
    path.write_bytes(made.SerializeToString())
    return path


HEAD = {"w": RNG.normal(size=(5, 6)).astype(np.float32), "b": RNG.normal(size=5).astype(np.float32)}
PICTURES = RNG.normal(size=(3, 2, 7, 6)).astype(np.float32)
POSITIVE = np.abs(PICTURES) + 0.5


def ints(*values):
    return np.array(values, np.int64)


def op(name, *inputs, out="v", **attributes):
    return helper.make_node(name, ["x", *inputs], [out], **attributes)


CASES = {  # name → (operations from x to v, their tensors)
    "Conv, uneven padding": ([op("Conv", "k", pads=[1, 0, 2, 1], strides=[2, 1])],
                             {"k": RNG.normal(size=(3, 2, 3, 3))}),
    "Conv, dilated": ([op("Conv", "k", dilations=[2, 2])], {"k": RNG.normal(size=(3, 2, 2, 2))}),
    "MaxPool, uneven padding": ([op("MaxPool", kernel_shape=[3, 2], pads=[0, 0, 1, 1], strides=[2, 2])], {}),
    "MaxPool, rounded up": ([op("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)], {}),
    "AveragePool": ([op("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])], {}),
    "AveragePool, padding counted": ([op("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1],
                                         count_include_pad=1)], {}),
    "GlobalAveragePool": ([op("GlobalAveragePool")], {}),
    "GlobalMaxPool": ([op("GlobalMaxPool")], {}),
    "ReduceMean": ([op("ReduceMean", "axes", keepdims=0)], {"axes": ints(2, 3)}),
    "Clip": ([op("Clip", "low", "high")], {"low": np.float32(-0.5), "high": np.float32(0.7)}),
    "Clip, below only": ([op("Clip", "low")], {"low": np.float32(-0.5)}),
    "Gelu, by tanh": ([op("Gelu", approximate="tanh")], {}),
    "LeakyRelu": ([op("LeakyRelu", alpha=0.3)], {}),
    "Elu": ([op("Elu", alpha=0.6)], {}),
    "HardSwish": ([op("HardSwish")], {}),
    "Sub and Div": ([op("Sub", "s", out="u"), helper.make_node("Div", ["u", "s"], ["v"])], {"s": np.float32(3)}),
    "Sqrt and Erf": ([op("Mul", "x", out="u"), helper.make_node("Sqrt", ["u"], ["t"]),
                      helper.make_node("Erf", ["t"], ["v"])], {}),
    "Sigmoid and Tanh": ([op("Sigmoid", out="u"), helper.make_node("Tanh", ["u"], ["v"])], {}),
    "Transpose": ([op("Transpose", perm=[0, 2, 3, 1])], {}),
    "Concat": ([op("Concat", "x", axis=1)], {}),
    "Unsqueeze and Squeeze": ([op("Unsqueeze", "a", out="u"), helper.make_node("Squeeze", ["u", "a"], ["v"])],
                              {"a": ints(1)}),
    "Unsqueeze, axes from the end": ([op("Unsqueeze", "a", out="u"),
                                      helper.make_node("Transpose", ["u"], ["v"], perm=[0, 1, 3, 2, 4, 5])],
                                     {"a": ints(-2, -1)}),
    "Squeeze, without axes": ([op("Unsqueeze", "a", out="u"), helper.make_node("Squeeze", ["u"], ["t"]),
                               helper.make_node("Transpose", ["t"], ["v"], perm=[0, 3, 1, 2])], {"a": ints(2)}),
    "Reshape": ([op("Reshape", "shape")], {"shape": ints(0, -1, 3)}),
    "Shape, Gather, Concat, Reshape": ([
        op("Shape", out="sizes"), helper.make_node("Gather", ["sizes", "zero"], ["n"], axis=0),
        helper.make_node("Unsqueeze", ["n", "first"], ["n1"]),
        helper.make_node("Concat", ["n1", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["v"])],
        {"zero": ints(0).reshape(()), "first": ints(0), "rest": ints(-1)}),
    "Gather, from the end": ([op("Gather", "places", axis=2)], {"places": ints(-1, 0, -7)}),
    "BatchNormalization": ([op("BatchNormalization", "g", "o", "m", "s", epsilon=1e-3)],
                           {"g": [1.5, 2], "o": [0.1, -1], "m": [0.3, 0.2], "s": [1, 2]}),
    "Cast": ([op("Cast", to=7, out="u"), helper.make_node("Cast", ["u"], ["v"], to=1)], {}),
    "Dropout and Identity": ([op("Dropout", out="u"), helper.make_node("Identity", ["u"], ["v"])], {}),
    "a Constant": ([helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.float32([2.0]))),
                    op("Mul", "c")], {}),
}


@pytest.mark.parametrize("name", CASES)
def test_each_operation_as_onnxruntime_does_it(name, tmp_path):
    nodes, tensors = CASES[name]
    tensors = {key: np.asarray(value) if np.asarray(value).dtype.kind == "i" and key not in "gosm" else
               np.asarray(value, np.float32) for key, value in tensors.items()}
    probe = runtime.InferenceSession(model(nodes, tensors, ("n", 2, 7, 6), tmp_path / "probe.onnx", ("v",)))
    values = probe.run(None, {"x": PICTURES})[0].reshape(3, -1)
    weight = RNG.normal(size=(values.shape[1], 5)).astype(np.float32)
    ending = [helper.make_node("Flatten", ["v"], ["z"]), helper.make_node("MatMul", ["z", "w"], ["q"]),
              helper.make_node("Add", ["q", "b"], ["l"]), helper.make_node("Softmax", ["l"], ["y"])]
    path = model([*nodes, *ending], {**tensors, "w": weight, "b": HEAD["b"]}, ("n", 2, 7, 6), tmp_path / "a.onnx")
    network = recognise(open_file(path))
    assert network.obstacle == ""
    logits, latents = network.build()(torch.from_numpy(PICTURES))
    np.testing.assert_allclose(latents, values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(logits, values @ weight + HEAD["b"], rtol=1e-3, atol=1e-4)
    assert np.array_equal(network.weight, weight.T)
    probabilities = runtime.InferenceSession(path).run(None, {"x": PICTURES})[0]
    np.testing.assert_allclose(torch.softmax(logits, 1), probabilities, rtol=1e-3, atol=1e-5)


def test_every_operation_is_tried():
    tried = {node.op_type for nodes, _ in CASES.values() for node in nodes}
    assert set(OPERATIONS) - tried <= {"Gemm", "MatMul", "Add", "Relu", "Flatten", "Softmax", "LogSoftmax", "Swish"}


@pytest.mark.parametrize("turned", [0, 1])
def test_both_ways_to_store_a_gemm(turned, tmp_path):
    weight = HEAD["w"] if turned else HEAD["w"].T.copy()
    nodes = [op("Gemm", "w", "b", out="l", transB=turned), helper.make_node("LogSoftmax", ["l"], ["y"])]
    network = recognise(open_file(model(nodes, {"w": weight, "b": HEAD["b"]}, ("n", 6), tmp_path / "a.onnx")))
    rows = RNG.normal(size=(4, 6)).astype(np.float32)
    np.testing.assert_allclose(network.build()(torch.from_numpy(rows))[0], rows @ HEAD["w"].T + HEAD["b"], rtol=1e-4)
    assert np.array_equal(network.weight, HEAD["w"])
    assert network.theory_note.startswith("No predicted points")


def test_an_operation_that_is_not_known_is_named(tmp_path):
    nodes = [op("Sin", out="v"), helper.make_node("Gemm", ["v", "w", "b"], ["y"], transB=1)]
    network = recognise(open_file(model(nodes, HEAD, ("n", 6), tmp_path / "a.onnx")))
    assert network.obstacle.startswith("expected operations among Add, AveragePool, ")
    assert "got Sin; save embeddings of it" in network.obstacle
    with pytest.raises(ValueError, match="got Sin; save embeddings"):
        network.build()


def test_what_the_logits_do_not_need_may_be_unknown(tmp_path):
    nodes = [op("Sin", out="unused"), op("Gemm", "w", "b", out="y", transB=1)]
    assert recognise(open_file(model(nodes, HEAD, ("n", 6), tmp_path / "a.onnx"))).obstacle == ""


def test_a_graph_that_doubles_its_values_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("lpc_core.inspection.layouts._graph.MOST_VALUES", 10_000)
    nodes = [op("Concat", "x", out="v0", axis=1)]
    nodes += [helper.make_node("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=1) for i in range(40)]
    nodes += [helper.make_node("Gemm", ["v40", "w", "b"], ["y"], transB=1)]
    network = recognise(open_file(model(nodes, HEAD, ("n", 6), tmp_path / "a.onnx")))
    with pytest.raises(ValueError, match="expected at most 10,000 values from Concat, got 12,288; choose fewer"):
        network.build()(torch.zeros(2, 6))


@pytest.mark.parametrize(("node", "message"), [
    (op("MaxPool", out="v", kernel_shape=[3, 3], auto_pad="SAME_UPPER"), "expected paddings in numbers, got auto_pad"),
    (op("MaxPool", out="v", kernel_shape=[3, 3], pads=[9999, 0, 0, 0]), "expected four paddings from 0 to 1024, got"),
    (op("AveragePool", out="v", kernel_shape=[3, 3], pads=[1, 0, 0, 0]), "expected average pooling with equal padding"),
    (op("AveragePool", out="v", kernel_shape=[2, 2], dilations=[2, 2]), "equal padding .* and without dilation, got"),
    (op("MaxPool", out="v", kernel_shape=[3], pads=[1, 1]), r"expected four paddings .*, got \[1, 1\]"),
    (op("Cast", out="v", to=9), "expected a cast to floats or whole numbers, got type 9"),
])
def test_what_an_operation_does_not_do(node, message, tmp_path):
    nodes = [node, helper.make_node("Flatten", ["v"], ["z"]),
             helper.make_node("Gemm", ["z", "w", "b"], ["y"], transB=1)]
    path = model(nodes, HEAD, ("n", 2, 7, 6), tmp_path / "a.onnx")
    with pytest.raises(ValueError, match=message):
        recognise(open_file(path)).build()(torch.from_numpy(PICTURES))


def test_latents_that_lose_the_axis_of_their_samples_are_refused(tmp_path):
    nodes = [op("Squeeze", "a", out="v"), helper.make_node("MatMul", ["v", "w"], ["y"])]
    network = recognise(open_file(model(nodes, {"a": ints(0), "w": HEAD["w"].T.copy()}, (1, 6), tmp_path / "a.onnx")))
    with pytest.raises(ValueError, match=r"expected logits \(n, K\), got \(5,\), without the axis of the samples"):
        embed(network, np.ones((1, 6), np.float32), np.zeros(1, int), normalisation=normalisation("none"))


def test_a_graph_without_a_fully_connected_end_is_not_recognised(tmp_path):
    nodes = [op("Gemm", "w", "b", out="l", transB=1), helper.make_node("Sin", ["l"], ["y"])]
    assert recognise(open_file(model(nodes, HEAD, ("n", 6), tmp_path / "a.onnx"))) is None


@pytest.mark.parametrize(("features", "outputs", "said"), [
    ("Identity", ("z", "y"), "the graph gives z, y; y is taken for the logits"),
    ("Relu", ("z", "y"), "the graph gives z, y; y is taken for the logits"),
    ("Relu", ("y", "z"), "the graph gives y, z; y is taken for the logits")])
def test_latents_that_a_graph_gives_beside_its_logits_are_not_taken_for_them(features, outputs, said, tmp_path):
    nodes = [op("Gemm", "k", out="h"), helper.make_node(features, ["h"], ["z"]),
             helper.make_node("Gemm", ["z", "w", "b"], ["y"], transB=1)]
    tensors = {**HEAD, "k": RNG.normal(size=(6, 6)).astype(np.float32)}
    network = recognise(open_file(model(nodes, tensors, ("n", 6), tmp_path / "a.onnx", outputs)))
    assert (network.head_weight, network.assumptions, network.warnings) == ("w", (said,), ())


def test_a_graph_with_two_heads_says_which_is_read(tmp_path):
    nodes = [op("Gemm", "w", "b", out="y", transB=1), op("Gemm", "k", out="other")]
    tensors = {**HEAD, "k": RNG.normal(size=(6, 3)).astype(np.float32)}
    network = recognise(open_file(model(nodes, tensors, ("n", 6), tmp_path / "a.onnx", ("y", "other"))))
    assert network.warnings == ("the graph gives y, other; y is taken for the logits",)


def test_what_a_graph_does_beside_its_layers_is_never_lost_by_their_names(tmp_path):
    tensors = {"fc1.weight": HEAD["w"], "fc1.bias": HEAD["b"], "t": np.float32(16)}
    nodes = [op("Gemm", "fc1.weight", "fc1.bias", out="l", transB=1), helper.make_node("Mul", ["l", "t"], ["y"])]
    assert recognise(open_file(model(nodes, tensors, ("n", 6), tmp_path / "a.onnx"))) is None


@pytest.mark.parametrize("axis", [{}, {"axis": 2}])
@pytest.mark.parametrize("opset", [11, 20])
def test_a_softmax_of_more_than_two_axes_as_its_opset_means_it(axis, opset, tmp_path):
    nodes = [op("Reshape", "shape", out="u"), helper.make_node("Softmax", ["u"], ["t"], **axis),
             helper.make_node("Flatten", ["t"], ["z"]), helper.make_node("Gemm", ["z", "w", "b"], ["y"], transB=1)]
    path = model(nodes, {**HEAD, "shape": ints(0, 2, 3)}, ("n", 6), tmp_path / "a.onnx", opset=opset)
    rows = RNG.normal(size=(4, 6)).astype(np.float32)
    [right] = runtime.InferenceSession(path).run(None, {"x": rows})
    np.testing.assert_allclose(recognise(open_file(path)).build()(torch.from_numpy(rows))[0], right, atol=1e-5)


def test_an_operation_of_another_library_is_not_taken_for_the_one_of_its_name(tmp_path):
    nodes = [op("Relu", domain="my.ops"), helper.make_node("Gemm", ["v", "w", "b"], ["y"], transB=1)]
    path = model(nodes, HEAD, ("n", 6), tmp_path / "a.onnx", others=[helper.make_opsetid("my.ops", 1)])
    assert "got my.ops.Relu; save embeddings" in recognise(open_file(path)).obstacle


@pytest.mark.parametrize("value", [{"value_float": 2.0}, {"value_floats": [2.0, 1, 3, 4, 5, 6]}])
def test_constants_written_as_numbers(value, tmp_path):
    nodes = [helper.make_node("Constant", [], ["c"], **value), op("Mul", "c", out="u"),
             helper.make_node("Constant", [], ["shape"], value_ints=[-1, 6]),
             helper.make_node("Reshape", ["u", "shape"], ["v"]),
             helper.make_node("Gemm", ["v", "w", "b"], ["y"], transB=1)]
    path = model(nodes, HEAD, ("n", 6), tmp_path / "a.onnx")
    rows = RNG.normal(size=(4, 6)).astype(np.float32)
    [right] = runtime.InferenceSession(path).run(None, {"x": rows})
    np.testing.assert_allclose(recognise(open_file(path)).build()(torch.from_numpy(rows))[0], right, atol=1e-5)


def test_a_bias_for_each_sample_makes_no_head(tmp_path):
    nodes = [op("Gemm", "w", "b", out="y", transB=1)]
    tensors = {"w": HEAD["w"], "b": np.zeros((2, 5), np.float32)}
    assert recognise(open_file(model(nodes, tensors, (2, 6), tmp_path / "a.onnx"))) is None


def test_logits_for_every_position_of_a_sample_are_refused(tmp_path):
    nodes = [op("Reshape", "shape"), helper.make_node("MatMul", ["v", "k"], ["y"])]
    tensors = {"shape": ints(0, 2, 3), "k": np.ones((3, 5), np.float32)}
    network = recognise(open_file(model(nodes, tensors, ("n", 6), tmp_path / "a.onnx")))
    with pytest.raises(ValueError, match=r"expected logits \(n, K\), got \(4, 2, 5\), as of a network that judges"):
        network.build()(torch.zeros(4, 6))
