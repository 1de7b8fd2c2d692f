"""Good files of every format, and the reader in this process: what the locked process runs, without its start."""

import io
import zipfile

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import pyarrow
import pyarrow.parquet
import safetensors.torch
import torch

from lpc_core.checkpoint import Limits
from lpc_core.checkpoint._read import read
from lpc_core.checkpoint._results import result, tree
from lpc_core.checkpoint._wire import pack, unpack

RNG = np.random.default_rng(0)
LATENTS = RNG.normal(size=(30, 3)).astype(np.float32)
LABELS = np.arange(30) % 4


def _message(raw, name, limits, picked, *, as_tree):
    pieces = []
    job = {"name": name, "picked": picked or {}, "tree": as_tree}
    pack(read(memoryview(raw), job, limits), lambda piece: pieces.append(bytes(piece)))
    return unpack(memoryview(bytearray(b"".join(pieces))), limits)


def read_here(raw, name="", limits=Limits(), picked=None):  # noqa: B008
    """`open_file` without the process around it."""
    return result(_message(raw, name, limits, picked, as_tree=False))


def tree_here(raw, name="", limits=Limits()):  # noqa: B008
    """`open_tree` without the process around it."""
    return tree(_message(raw, name, limits, None, as_tree=True))


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))


def saved(thing, **options):
    """The bytes that torch.save writes."""
    stream = io.BytesIO()
    torch.save(thing, stream, **options)
    return stream.getvalue()


def legacy(thing):
    return saved(thing, _use_new_zipfile_serialization=False)


def npz(compressed=False, **arrays):
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def csv(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]).encode() + b"\n"


def table():
    pairs = zip(LATENTS.tolist(), LABELS, strict=True)
    return csv("z0,z1,z2,label", [(*row, f"class {label}") for row, label in pairs])


def parquet(**columns):
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), stream)
    return stream.getvalue()


def onnx_model(weights, nodes=None, inputs=("x",), sizes=("n", 4)):
    """An ONNX file with ``weights`` {name: array} and a Gemm, if no other nodes are given."""
    nodes = nodes or [onnx.helper.make_node("Gemm", ["x", *weights][:3], ["y"], transB=1)]
    graph = onnx.helper.make_graph(
        nodes, "net", [onnx.helper.make_tensor_value_info(name, 1, list(sizes)) for name in inputs],
        [onnx.helper.make_tensor_value_info("y", 1, ["n", 2])],
        [weight if isinstance(weight, onnx.TensorProto) else onnx.numpy_helper.from_array(weight, name)
         for name, weight in weights.items()])
    return onnx.helper.make_model(graph, producer_name="a test").SerializeToString()


def exported(module=None, example=None):
    """A torch.export archive as this torch writes it."""
    program = torch.export.export((module or model()).eval(), (torch.zeros(5, 3) if example is None else example,))
    stream = io.BytesIO()
    torch.export.save(program, stream)
    return stream.getvalue()


def zipped(members, method=zipfile.ZIP_STORED):
    """A zip archive of ``members`` {name: bytes}."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def good_files():
    """{name: bytes} with one small good file of every format."""
    state = model().state_dict()
    return {
        "model.safetensors": safetensors.torch.save(state, {"made": "by a test"}),
        "embeddings.safetensors": safetensors.torch.save(
            {"latents": torch.tensor(LATENTS), "labels": torch.tensor(LABELS)},
            {"class_names": '["a", "b", "c", "d"]'}),
        "model.pt": saved({"state_dict": state, "epoch": 3}),
        "model.pth.tar": legacy({"state_dict": state, "epoch": 3}),
        "embeddings.npz": npz(latents=LATENTS, labels=LABELS, class_names=np.array(["a", "b", "c", "d"])),
        "packed.npz": npz(compressed=True, latents=LATENTS, labels=LABELS),
        "fields.npy": npy(np.array([(row, label) for row, label in zip(LATENTS, LABELS, strict=True)],
                                   [("latents", "f4", 3), ("labels", "i8")])),
        "table.csv": table(),
        "table.parquet": parquet(**{f"z{i}": LATENTS[:, i] for i in range(3)}, label=LABELS),
        "model.onnx": onnx_model({"w": LATENTS[:4].T.copy(), "b": np.ones(3, np.float32)}),
    }
