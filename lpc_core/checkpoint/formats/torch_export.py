"""torch.export archives (.pt2): weights and the graph, both as data. Programs and pickled extras inside stay shut.

Since torch 2.8 the weights are raw bytes beside a JSON table (``data/weights/…_weights_config.json``) and the graph is
JSON (``models/….json``); before, the weights were a file of torch.save within the archive, which is read as such. The
tables are those of torch._export.serde.schema (PayloadConfig, TensorMeta, ScalarType, Graph).
"""

from __future__ import annotations

from typing import Any

from lpc_core.checkpoint._base import Limits, refusal
from lpc_core.checkpoint._message import Buffer, Message, View, check_json, check_views
from lpc_core.checkpoint._wrappers import CONVERT
from lpc_core.checkpoint.formats.archive import Archive
from lpc_core.checkpoint.formats.torch_files import read_torch_zip
from lpc_core.files.words import printable

MAX_JSON = 16 * 2**20  # bytes; a graph of a hundred layers has about one million
SCALARS = {1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
           10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn",
           30: "float8_e5m2", 34: "uint32", 35: "uint64"}  # fmt: skip  # numbers of ScalarType
WEIGHTS = "data/weights/"
OLDER = ("serialized_state_dict.pt", "serialized_state_dict.json")  # up to torch 2.7: a file of torch.save, either way


def read_torch_export(archive: Archive, limits: Limits) -> Message:
    """The weights of an exported program; its graph becomes metadata (nodes, inputs)."""
    names = list(archive.members)
    tables = [name for name in names if f"/{WEIGHTS}" in f"/{name}" and name.endswith("_weights_config.json")]
    nested = [name for name in names if name in OLDER or (f"/{WEIGHTS}" in f"/{name}" and name.endswith(".pt"))]
    if tables:
        message = _weights(archive, tables[0], limits)
    elif nested:
        message = read_torch_zip(Archive(archive.read(nested[0]), limits), limits)
    else:
        raise refusal("weights in the torch.export archive", "none", CONVERT)
    notes = [*message.facts["notes"], *_left_out(names, tables[:1] or nested[:1])]
    if len(tables) > 1:
        notes.append(f"read {printable(tables[0], 60)}; {len(tables) - 1} more models in the archive left out")
    model = (tables or nested)[0].rpartition("/")[2].removesuffix("_weights_config.json").removesuffix(".pt")
    facts = {**message.facts, "format": "torch.export", "metadata": _graph(archive, model), "notes": notes}
    return Message("checkpoint", facts, message.views, message.storages)


def _left_out(names: list[str], read: list[str]) -> list[str]:
    """Notes on members that could hold something of interest, or a program, and were not opened."""
    shut = [name for name in names if name.endswith((".pt", ".so", ".pkl", ".cpp", ".cubin")) and name not in read]
    return [f"left out, unopened: {', '.join(printable(name, 60) for name in shut[:6])}"] if shut else []


def _weights(archive: Archive, table: str, limits: Limits) -> Message:
    """The tensors that the table lists; several may show one file of bytes."""
    folder = table[: table.index(WEIGHTS) + len(WEIGHTS)]
    config = check_json(bytes(archive.read(table)), MAX_JSON, "the table of weights")
    views: list[View] = []
    storages: list[Buffer] = []
    numbers: dict[str, int] = {}
    try:
        for name, entry in config["config"].items():
            path = f"{folder}{entry['path_name']}"
            if entry["use_pickle"]:
                raise refusal("weights as plain bytes", f"pickled ones for {printable(repr(name))}", CONVERT)
            if path not in numbers:
                numbers[path] = len(storages)
                storages.append(archive.read(path, strict=False))
            views.append(_view(name, entry["tensor_meta"], numbers[path]))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise refusal("a table of weights as torch.export writes it", f"one without {printable(error)}",
                      "export the program again") from None
    check_views(views, storages, limits)
    return Message("checkpoint", {"stripped": [], "notes": []}, views, storages)


def _view(name: str, meta: dict[str, Any], storage: int) -> View:
    dtype = SCALARS.get(meta["dtype"], f"number {meta['dtype']}")
    shape, strides = (tuple(size["as_int"] for size in meta[key]) for key in ("sizes", "strides"))
    return View(name, dtype, shape, strides, storage, meta["storage_offset"]["as_int"])


# ---- the graph -------------------------------------------------------------------------------------------------


def _graph(archive: Archive, model: str) -> dict[str, Any]:
    """Metadata: nodes [[operation, inputs, outputs], …], for each its arguments by name, inputs {name: sizes, free ones
    as texts} and outputs; {} without a graph.
    """
    names = [name for name in archive.members if f"/{name}".endswith(f"/models/{model}.json")
             or name == "serialized_exported_program.json"]
    if not names:
        return {}
    program = check_json(bytes(archive.read(names[0])), MAX_JSON, "the exported graph")
    try:
        module = program["graph_module"]
        given = _tensor_names(module["signature"]["input_specs"])
        values = module["graph"]["tensor_values"]
        nodes = [[printable(node["target"], 200), _arguments(node["inputs"], given),
                  _outputs(node["outputs"])] for node in module["graph"]["nodes"]]
        arguments = [{printable(entry["name"], 100): _value(entry["arg"], given) for entry in node["inputs"]}
                     for node in module["graph"]["nodes"]]
        outputs = _outputs(_given_back(module))
        inputs = {printable(name, 200): [_size(size) for size in values[name]["sizes"]]
                  for name in (spec["user_input"]["arg"]["as_tensor"]["name"]
                               for spec in module["signature"]["input_specs"]
                               if "as_tensor" in spec.get("user_input", {}).get("arg", {}))}
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise refusal("a graph as torch.export writes it", f"one without {printable(error)}",
                      "export the program again") from None
    return {"nodes": nodes, "arguments": arguments, "inputs": inputs, "outputs": outputs}


def _given_back(module: dict[str, Any]) -> list[dict[str, Any]]:
    """The graph's outputs without those that are new values of buffers."""
    outputs: list[dict[str, Any]] = module["graph"].get("outputs", [])
    specs = module["signature"].get("output_specs", [])
    if len(specs) != len(outputs):
        return outputs
    return [output for output, spec in zip(outputs, specs, strict=True) if "user_output" in spec]


def _tensor_names(specs: list[dict[str, Any]]) -> dict[str, str]:
    """{name in the graph: name of the weight}."""
    found = {}
    for spec in specs:
        for kind in ("parameter", "buffer"):
            if kind in spec:
                found[spec[kind]["arg"]["name"]] = spec[kind][f"{kind}_name"]
    return found


def _arguments(inputs: list[dict[str, Any]], given: dict[str, str]) -> list[str]:
    """The tensors that an operation takes, weights by their names in the checkpoint."""
    names = [name for entry in inputs for name in _names(entry["arg"])]
    return [printable(given.get(name, name), 200) for name in names]


def _outputs(outputs: list[dict[str, Any]]) -> list[str]:
    """What an operation gives: tensors, or a size."""
    sizes = [output["as_sym_int"]["as_name"] for output in outputs if "as_name" in output.get("as_sym_int", {})]
    return [printable(name, 200) for name in (*sizes, *(name for output in outputs for name in _names(output)))]


def _names(argument: dict[str, Any]) -> list[str]:
    """The tensors in one argument: one, or a list."""
    if "as_tensor" in argument:
        return [argument["as_tensor"]["name"]]
    return [item["name"] for item in argument.get("as_tensors", ())]


def _value(argument: dict[str, Any], given: dict[str, str]) -> Any:
    """An argument as plain data: a number, text or list as it is, what an operation gave as {"value": its name}."""
    kind, value = next(iter(argument.items()))
    if kind in ("as_tensor", "as_sym_int") and "as_int" not in value:
        name = value.get("name", value.get("as_name"))
        return {"value": printable(given.get(name, name), 200)}
    if kind in ("as_tensors", "as_sym_ints"):
        return [_value({kind[:-1]: item}, given) for item in value]
    if kind == "as_sym_int":
        return value["as_int"]
    plain = value if isinstance(value, list) else [value]
    if kind == "as_none" or not all(isinstance(item, int | float | str) for item in plain):
        return None
    return [printable(item, 200) if isinstance(item, str) else item for item in plain] if plain is value else value


def _size(size: dict[str, Any]) -> int | str:
    return size["as_int"] if type(size.get("as_int")) is int else printable(size["as_expr"]["expr_str"], 40)
