"""Hostile arrays, safetensors, ONNX models and tables, and files of other kinds under false names."""

import gzip
import json
import os
import pickle
import struct
import zlib

import numpy as np
import onnx
import onnx.helper
import safetensors.numpy

from tests.core.checkpoint._files import LABELS, LATENTS, csv, npy, npz, onnx_model, parquet, zipped
from tests.core.checkpoint.test_arrays import npy_of
from tests.core.checkpoint.test_safetensors import file_of
from tests.security._hostile import FORMULA, HDF5, SCRIPT, Hostile
from tests.security._pickles import Calls

ONE = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}


HEADER = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}


def arrays(canary):
    """npy and npz files."""
    yield from _objects(canary)
    yield from _claims()
    yield from _headers(canary)
    yield from _odd_arrays()


def _objects(canary):
    evil = np.array([Calls(os.system, f"touch {canary}")], object)
    yield (
        "npz: objects",
        Hostile("a.npz", npz(latents=evil, labels=LABELS[:1]), "expected numbers, truth values or texts"),
    )
    yield "npy: objects", Hostile("a.npy", npy(evil), "expected numbers, truth values or texts in the array")


def _claims():
    yield (
        "npy: 10^12 elements in 100 bytes",
        Hostile("a.npy", npy_of(HEADER, bytes(8)), "got a claim of 4,000,000,000,000"),
    )
    yield (
        "npy: 4 GB in 100 bytes",
        Hostile("a.npy", npy_of(HEADER | {"shape": (2**30 - 1,)}, bytes(8)), "got a claim of 4,29"),
    )
    yield (
        "npy: negative sizes",
        Hostile("a.npy", npy_of(HEADER | {"shape": (-1, 4)}, bytes(8)), "expected at most 32 sizes"),
    )


def _headers(canary):
    yield (
        "npy: a program as header",
        Hostile(
            "a.npy", npy_of(f"__import__('os').system('touch {canary}')"), "expected descr, fortran_order and shape"
        ),
    )
    yield (
        "npy: a program within a header",
        Hostile(
            "a.npy",
            npy_of("{'descr': open(" + repr(str(canary)) + ", 'w'), 'fortran_order': False, 'shape': ()}"),
            "expected descr, fortran_order and shape in the header",
        ),
    )
    yield "npy: a header of brackets", Hostile("a.npy", npy_of(b"[" * 9_999), "expected descr, fortran_order and shape")
    yield (
        "npy: a header of minus signs",
        Hostile("a.npy", npy_of(b"-" * 9_999 + b"1"), "expected descr, fortran_order and"),
    )


def _odd_arrays():
    yield (
        "npy: texts of 400 MB each",
        Hostile(
            "a.npy",
            npy_of(HEADER | {"descr": "<U99999999", "shape": (9,)}, bytes(8)),
            "got a claim of 3,599,999,964 bytes",
        ),
    )
    yield (
        "npz: NaN rows",
        Hostile("a.npz", npz(latents=LATENTS * np.nan, labels=LABELS), "30 of 30 rows with NaN or infin"),
    )
    yield (
        "npz: as many classes as samples",
        Hostile(
            "a.npz",
            npz(latents=np.ones((20_000, 1)), labels=np.arange(20_000)),
            "expected at most 10,000 classes, got 20,000",
        ),
    )
    yield (
        "npz: script and formulas as class names",
        Hostile(
            "a.npz",
            npz(
                latents=LATENTS,
                labels=LABELS,
                class_names=np.array([SCRIPT, FORMULA, "\x1b[2J", "@SUM(1)"]),
                texts=np.array([f"<img src=x onerror=alert({i})>" for i in range(30)]),
            ),
            None,
        ),
    )
    yield (
        "npz: an array with an escape in its name",
        Hostile(
            "a.npz", zipped({"\x1b[2J.npy": npy(LATENTS)}), "expected names of archive members that stay in a folder"
        ),
    )
    yield (
        "npz: with a pickle beside the arrays",
        Hostile(
            "a.npz",
            zipped({"latents.npy": npy(LATENTS), "evil.pkl": pickle.dumps(1)}),
            "got a zip archive with 'latents.npy'",
        ),
    )


def safetensors_files(_):
    """safetensors files, films and runs."""
    for name, content, message in (*_damaged_headers(), *_claiming_headers(), *_false_kinds()):
        yield f"safetensors: {name}", Hostile("model.safetensors", content, message)
    metadata = {"__metadata__": {"note": SCRIPT, FORMULA: "\x1b[2J", "class_names": json.dumps([SCRIPT] * 4)}}
    yield (
        "safetensors: script in the metadata",
        Hostile("m.safetensors", file_of(metadata | {SCRIPT: ONE["a"]}, bytes(4)), None),
    )
    weights = {"w": np.array([np.nan, np.inf, 1.0], np.float32)}
    yield "safetensors: NaN and infinity", Hostile("m.safetensors", safetensors.numpy.save(weights), None)
    named = safetensors.numpy.save({"latents": LATENTS, "labels": LABELS}, {"class_names": json.dumps([SCRIPT] * 4)})
    yield "safetensors: script as class names", Hostile("e.safetensors", named, None)
    yield (
        "safetensors: class names of brackets",
        Hostile(
            "e.safetensors",
            safetensors.numpy.save({"latents": LATENTS, "labels": LABELS}, {"class_names": "[" * 10**5}),
            "expected class_names as a JSON list of texts",
        ),
    )


def _damaged_headers():
    return (
        ("a header of 2^63 bytes", struct.pack("<Q", 2**63) + b"{}", "expected a safetensors file with its whole "),
        ("a header longer than the file", struct.pack("<Q", 500) + b"{}", "expected a safetensors file with its w"),
        ("a header of 20 MB", file_of(b"{" + b" " * (20 * 2**20) + b"}"), "expected a safetensors header of at mo"),
        (
            "names given twice",
            file_of(
                b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
                b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
                b"x",
            ),
            "'a' twice",
        ),
        (
            "keys given twice",
            file_of(b'{"a":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,1]}}', b"x"),
            "the name 'shape' twice",
        ),
    )


def _claiming_headers():
    return (
        ("overlapping offsets", file_of({"a": ONE["a"], "b": ONE["a"]}, bytes(4)), "expected tensors that follow "),
        (
            "offsets beyond the file",
            file_of({"a": {"dtype": "F32", "shape": [2**30], "data_offsets": [0, 2**32]}}),
            "expected tensors that follow each other within the file",
        ),
        ("negative sizes", file_of({"a": {**ONE["a"], "shape": [-1, -1]}}, bytes(4)), "expected sizes and offsets"),
        ("sizes that overflow", file_of({"a": {**ONE["a"], "shape": [2**61, 2**61, 4]}}, bytes(4)), "expected 10."),
        ("10^12 elements", file_of({"a": {**ONE["a"], "shape": [10**6, 10**6]}}, bytes(4)), "expected 4,000,000,0"),
        ("brackets, 1,000,000 deep", file_of(b'{"a":' + b"[" * 1_000_000), "expected a safetensors header in JSON"),
        ("a number of 100,000 digits", file_of(b'{"a":' + b"9" * 100_000 + b"}"), "expected a safetensors header "),
        ("NaN for a size", file_of(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', bytes(4)), "in JS"),
        (
            "half a surrogate in a name",
            file_of(b'{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
            "expected a safetensors header in JSON, got text that is not .*surrogates",
        ),
        ("bytes that are no UTF-8", file_of(b'{"\xff\xfe":1}'), "expected a safetensors header in JSON"),
        ("truth values of 7", file_of({"a": {"dtype": "BOOL", "shape": [1], "data_offsets": [0, 1]}}, b"\7"), "0 "),
        (
            "30,000 tensors",
            file_of({str(i): {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(30_000)}),
            "expected at most 20,000 tensors, got 30,000",
        ),
    )


def _false_kinds():
    return (
        ("a film of nothing", file_of({"__metadata__": {"kind": "film", "info": "{}", "crc32": "0"}}), "expected "),
        (
            "a film of brackets",
            file_of({"__metadata__": {"kind": "film", "info": "[" * 10**5, "crc32": "0"}}),
            "expected .*film|expected the checksum",
        ),
        (
            "a run of nothing",
            file_of({"__metadata__": {"format": "lpc-run-1", "info": "{}"}} | ONE, bytes(4)),
            "expected the settings of a run in its info",
        ),
        (
            "a run of brackets",
            file_of({"__metadata__": {"format": "lpc-run-1", "info": "[" * 10**5}} | ONE, bytes(4)),
            "expected the run's info in JSON",
        ),
    )


def onnx_files(_):
    """ONNX models."""
    proto = onnx.ModelProto.FromString(onnx_model({"w": np.ones((2, 2), np.float32)}))
    onnx.external_data_helper.set_external_data(proto.graph.initializer[0], "../../../../etc/passwd")
    yield (
        "onnx: weights at a path",
        Hostile("m.onnx", proto.SerializeToString(), "expected an ONNX model with its weights in"),
    )
    proto = onnx.ModelProto.FromString(onnx_model({"w": np.ones((2, 2), np.float32)}))
    proto.graph.initializer[0].dims[0] = 10**12
    yield "onnx: 10^12 elements", Hostile("m.onnx", proto.SerializeToString(), "got a claim of 8,000,000,000,000 bytes")
    yield (
        "onnx: a field of 4 GB in 7 bytes",
        Hostile("m.onnx", b"\x08\x08\x3a\xff\xff\xff\xff\x0f", "reaches beyond its end"),
    )
    yield "onnx: endless fields", Hostile("m.onnx", b"\x08\x01" * 600_000, "expected at most 500,000 fields")
    deep = b""
    for _ in range(2_000):
        size = len(deep)
        deep = b"\x0a" + bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + deep
    yield (
        "onnx: groups 2,000 deep",
        Hostile(
            "m.onnx",
            b"\x08\x08\x3a" + bytes([len(deep) & 127 | 128, len(deep) >> 7]) + deep,
            "expected an ONNX model with weights, got none",
        ),
    )
    names = onnx_model({SCRIPT: np.ones((2, 2), np.float32)}, [onnx.helper.make_node(SCRIPT, ["\x1b[2J"], [FORMULA])])
    yield "onnx: script as names", Hostile("m.onnx", names, None)


def tables(_):
    """CSV and parquet tables, and what pretends to be one."""
    yield (
        "csv: formulas and script",
        Hostile("t.csv", csv("z0,label,text", [(1, FORMULA, SCRIPT), (2, "+1+1", "@x"), (3, SCRIPT, "-1")]), None),
    )
    yield "csv: an escape in a cell", Hostile("t.csv", csv("z0,label", [(1, "\x1b[2J"), (2, "b")]), None)
    yield (
        "csv: a quote that never ends",
        Hostile("t.csv", b'z0,label\n1,"' + b"a" * 10**6, "expected a table of UTF-8 text"),
    )
    yield "csv: one line of 8 MB", Hostile("t.csv", b"z0,label\n" + b"1" * 2**23, "expected lines of at most 4,194,304")
    yield (
        "csv: a million columns",
        Hostile("t.csv", b"z0," * 10**6, "expected 2 to 20,000 columns in a CSV table, got 1,000"),
    )
    yield "csv: NUL bytes", Hostile("t.csv", b"z0,label\n1,a\0b\n2,c\n", None)
    yield (
        "csv: numbers of 1,000 digits",
        Hostile("t.csv", csv("z0,label", [("9" * 1000, "a")]), "1 of 1 rows with NaN or inf"),
    )
    yield (
        "csv: a header of escapes",
        Hostile("t.csv", b"z0,\x1b[2J,label\n1,2,a\n", "expected column names that are printable"),
    )
    yield "csv: a link in a cell", Hostile("t.csv", csv("z0,label", [(1, "=HYPERLINK(1)"), (2, "b")]), None)
    yield (
        "parquet: a bomb",
        Hostile(
            "t.parquet",
            lambda: parquet(**{f"z{i}": np.zeros(4_000_000, np.uint8) for i in range(9)}),
            "expected arrays of at most 268,435,456 bytes together, got a claim of 288,000,000",
        ),
    )
    yield (
        "parquet: a broken footer",
        Hostile("t.parquet", b"PAR1" + bytes(64) + b"\xff\xff\xff\x7fPAR1", "expected a parquet"),
    )


def other_kinds(canary):
    """Files of kinds that are not read, also under false names."""
    for name, content, kind in (
        ("m.h5", HDF5, "an HDF5 file"),
        ("m.pt", HDF5, "an HDF5 file"),
        ("m.safetensors", HDF5, "an HDF5 file"),
        ("m.npz", HDF5, "an HDF5 file"),
        ("userblock.h5", bytes(512) + HDF5, "an HDF5 file"),
        ("m.safetensors", b"\x89PNG\r\n\x1a\n" + bytes(20), "a PNG picture"),
        ("m.pt", b"\xff\xd8\xff\xe0" + bytes(20), "a JPEG picture"),
        ("m.onnx", b"MZ" + bytes(99), "a program .Wi"),
        ("m.pt", b"\x7fELF" + bytes(99), "a program .ELF."),
        ("m.csv", b"#!/bin/sh\ntouch x\n", "a script"),
        ("m.csv", f"<!DOCTYPE html><html>{SCRIPT}</html>".encode(), "a web page"),
        ("m", b"<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol 'lol'>]>", "a web page"),
        ("m.svg", b"<svg onload='alert(1)'/>", "a picture"),
        ("m.html", b"hello, you", "a web page"),
        ("m.py", f"open({str(canary)!r}, 'w'), 1".encode(), "a Python program"),
        ("m.json", b'{"a": 1}', "a JSON text"),
        ("m.pt.gz", gzip.compress(bytes(10**7)), "a gzip file"),
        ("m.msgpack", b"\x81\xa1a\x01", "a msgpack file"),
        ("m.gguf", b"GGUF" + bytes(20), "a GGUF file"),
        ("m.pt", b"a" * 257 + b"ustar" + bytes(300), "a tar archive"),
        ("m.pdf", b"%PDF-1.7", "a PDF"),
        ("m.mat", b"MATLAB 5.0 MAT-file" + bytes(200), "a MATLAB file"),
        ("m.pt", b"short", "something else .cut "),
        ("m.db", b"SQLite format 3\0", "an SQLite database"),
        ("m.npz", b"PAR", "something else named .npz"),
        ("m.bin", bytes(range(8)) * 60, "something else .cut short"),
        ("m.dat", zlib.compress(bytes(1000)) * 3, "a file of another kind, beginning 78 9c"),
    ):
        yield f"another kind: {kind} as {name}", Hostile(name, content, kind)
