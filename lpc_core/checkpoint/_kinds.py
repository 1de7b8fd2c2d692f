"""What kind of file this is, by its first bytes and then its name; and what to do with kinds that are not read."""

from __future__ import annotations

import re
from pathlib import PurePath

from lpc_core.checkpoint._base import FileRefused, refusal
from lpc_core.checkpoint._wrappers import CONVERT
from lpc_core.checkpoint.formats import safetensors_file
from lpc_core.checkpoint.formats.archive import Archive
from lpc_core.checkpoint.formats.torch_files import LEGACY_START
from lpc_core.files.impostors import HEAD, named
from lpc_core.files.words import printable

READ = "safetensors, torch (.pt, .pth, .ckpt, .bin), ONNX, torch.export (.pt2), npz, npy, csv or parquet"
ARRAYS = "save latents and labels with numpy.savez(file, latents=…, labels=…)"

STARTS = ((b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"\x93NUMPY", "npy"), (LEGACY_START, "torch (legacy)"),
          (b"PAR1", "parquet"))
ONNX_START = re.compile(rb"\x08[\x01-\x1f][\x12\x1a\x3a\x42]")  # the IR's version, then a name, the graph or an opset
PICKLE_START = re.compile(rb"\x80[\x02-\x05]")  # the opcode PROTO and a protocol
MAGIC = (  # (first bytes, what it is, what to do)
    (b"\x89HDF\r\n", "an HDF5 file (.h5, .hdf5, Keras)", "load it where it was made and " + ARRAYS),
    (b"\x89PNG", "a PNG picture", ARRAYS),
    (b"\xff\xd8\xff", "a JPEG picture", ARRAYS),
    (b"GIF8", "a GIF picture", ARRAYS),
    (b"RIFF", "a RIFF file (sound, film or picture)", ARRAYS),
    (b"%PDF", "a PDF", ARRAYS),
    (b"\x7fELF", "a program (ELF)", "choose a file of weights or embeddings"),
    (b"MZ", "a program (Windows)", "choose a file of weights or embeddings"),
    (b"#!", "a script", "choose a file of weights or embeddings"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"BZh", "a bzip2 file", "unpack it first"),
    (b"\xfd7zXZ", "an xz file", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"Rar!", "a rar archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstandard file", "unpack it first"),
    (b"GGUF", "a GGUF file", "convert it to safetensors"),
    (b"ARROW1", "an Arrow file", "save it as parquet"),
    (b"FEA1", "a Feather file", "save it as parquet"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"MATLAB 5.0", "a MATLAB file", "load it with scipy.io.loadmat and " + ARRAYS),
)
SUFFIXES = {
    ".h5": MAGIC[0][1:], ".hdf5": MAGIC[0][1:], ".keras": ("a Keras archive", "load it with Keras and " + ARRAYS),
    ".pkl": ("a pickle", "unpickle it where you trust it and " + ARRAYS),
    ".pickle": ("a pickle", "unpickle it where you trust it and " + ARRAYS),
    ".joblib": ("a joblib pickle", "load it where you trust it and " + ARRAYS),
    ".msgpack": ("a msgpack file (Flax)", "convert it to safetensors"),
    ".jsonl": ("lines of JSON", "save the table as CSV, or " + ARRAYS),
    ".json": ("a JSON text", "save the table as CSV, or " + ARRAYS), ".xml": ("an XML text", ARRAYS),
    ".svg": ("a picture", ARRAYS), ".html": ("a web page", "download the file itself, not the page about it"),
    ".py": ("a Python program", "run it where you trust it and save the model's state_dict"),
    ".tflite": ("a TFLite model", "convert it to ONNX"), ".pb": ("a TensorFlow graph", "convert it to ONNX"),
    ".mat": ("a MATLAB file", "load it with scipy.io.loadmat and " + ARRAYS), ".xlsx": ("a spreadsheet", "save as CSV"),
}  # fmt: skip


def kind_of(raw: memoryview, name: str) -> str:
    """"safetensors", "zip", "torch (legacy)", "npy", "parquet", "onnx" or "csv"; refuses other kinds by name."""
    head, suffix = bytes(raw[:512]), PurePath(name.lower()).suffix
    if impostor := named(bytes(raw[:HEAD])):
        raise FileRefused(f"expected {READ}, got {impostor}")
    for start, kind in STARTS:
        if head.startswith(start):
            return kind
    for start, what, do in MAGIC:
        if head.startswith(start):
            raise refused_kind(what, do)
    if suffix == ".safetensors" and head[:8].isascii() and head[:8].decode().isprintable():  # no length of a header
        raise refused_kind(f"a text, beginning {printable(repr(head[:40].decode('latin1')), 50)}",
                           "download or copy the file itself: a link may lie in its place")
    if suffix == ".safetensors" or safetensors_file.looks_like(raw):
        return "safetensors"
    if suffix == ".onnx" or ONNX_START.match(head):
        return "onnx"
    _refuse_unread(head, name.lower(), suffix)
    return "csv"


def zip_kind(archive: Archive) -> str:
    """"npz", "torch" or "torch.export" for a zip archive, by the names of its members; refuses others."""
    names = list(archive.members)
    ends = {name.rpartition("/")[2] for name in names}
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    if "archive_format" in ends or "serialized_exported_program.json" in ends:
        return "torch.export"
    if "constants.pkl" in ends:
        raise refused_kind("a TorchScript archive, which is a program", CONVERT)
    if "data.pkl" in ends:
        return "torch"
    if any(name.endswith(".h5") for name in names):
        raise refused_kind(*SUFFIXES[".keras"])
    if not names:
        raise refused_kind("an empty zip archive, which holds no tensors", "save the file again")
    raise refused_kind(f"a zip archive with {printable(repr(names[0]), 60)}", "unpack it and choose the file itself")


def _refuse_unread(head: bytes, name: str, suffix: str) -> None:
    """Refuse what has another name or content than a table of text."""
    if name.endswith("index.json"):
        raise refused_kind("the index of a checkpoint in parts", "add the parts: choose all of them, or their folder")
    if suffix in SUFFIXES:
        raise refused_kind(*SUFFIXES[suffix])
    if head.lstrip().lower().startswith((b"<!doctype", b"<?xml", b"<svg")):
        raise refused_kind(*SUFFIXES[".html"])
    if PICKLE_START.match(head):
        raise refused_kind("a pickle", f"if it is a model, {CONVERT}; if it is data, {ARRAYS}")
    if head[257:262] == b"ustar":
        raise refused_kind("a tar archive", f"unpack it first; for a model of torch 0.1, {CONVERT}")
    if suffix in (".pt", ".pth", ".ckpt", ".bin", ".tar"):
        raise refused_kind("something else (cut short?)", CONVERT)
    if suffix in (".npz", ".npy", ".pt2", ".parquet"):
        raise refused_kind(f"something else named {suffix} (cut short?)", "save or copy it again")
    control = any(byte < 9 or 13 < byte < 32 for byte in head)
    if suffix not in (".csv", ".tsv", ".txt") and (control or not any(mark in head for mark in b",;\t")):
        shown = f"a file of another kind, beginning {head[:8].hex(' ')}"
        raise refused_kind(shown, "convert it to one of these")


def refused_kind(what: str, do: str) -> FileRefused:
    """The refusal of a kind of file that is not read."""
    return refusal(READ, printable(what, 120), do)
