"""Hostile zip archives, and what can be hidden in them."""

import functools
import io
import pickle
import struct
import zipfile
import zlib

import numpy as np

from tests.core.checkpoint._files import LABELS, LATENTS, exported, npy, npz, zipped
from tests.security._hostile import HDF5, Hostile
from tests.security._pickles import executing, pickled, tensor_pickle, torch_zip


def archives(canary):
    """zip archives, and files within them, that are not what they seem."""
    evil, state = pickle.dumps(executing(canary)["os.system"], 2), pickled({"a": 1})
    yield from _escaping(state)
    yield from _doubled(evil, state)
    yield from _bombs()
    yield from _broken(state)
    yield from _other_archives(evil)
    yield from _exports(evil)


def _escaping(state):
    for name, member in {
        "path traversal": "../../../../tmp/evil",
        "an absolute path": "/etc/cron.d/evil",
        "a drive": "C:\\evil",
        "backslashes": "..\\evil",
        "a line end": "a\nb",
    }.items():
        yield (
            f"zip: {name}",
            Hostile(
                "model.pt",
                torch_zip(state, **{member: b"evil"}),
                "expected names of archive members that stay in a folder",
            ),
        )
    link = zipfile.ZipInfo("a/data/0")
    link.external_attr = 0o120777 << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("a/data.pkl", tensor_pickle())
        file.writestr(link, "/etc/passwd")
    yield (
        "zip: a symbolic link as storage",
        Hostile("model.pt", stream.getvalue(), "expected files in the archive, got the"),
    )


def _doubled(evil, state):
    twice = torch_zip(state, **{"a/data.pkX": evil}).replace(b"a/data.pkX", b"a/data.pkl")
    yield "zip: two pickles of one name", Hostile("model.pt", twice, "expected each member of the archive once")
    yield (
        "zip: another archive before it",
        Hostile("model.pt", torch_zip(evil) + torch_zip(state), "expected the zip dir"),
    )
    yield "zip: a script before it", Hostile("model.pt", b"#!/bin/sh\ntouch x\n" + torch_zip(state), "got a script")
    yield (
        "zip: a pickle in a pickle's archive",
        Hostile(
            "model.pt", torch_zip(pickled({"w": 1}), **{"a/b/data.pkl": evil}), "expected a state dict with tensors"
        ),
    )
    yield (
        "zip: an archive in an archive",
        Hostile("model.zip", zipped({"model.pt": torch_zip(evil)}), "got a zip archive with 'model.pt'; unpack it"),
    )


def _bombs():
    def layers(size):
        packed = zipped({f"a{i}.npy": bytes(5 * 10**6) for i in range(2)}, zipfile.ZIP_DEFLATED)
        return packed.replace(struct.pack("<I", 5 * 10**6), struct.pack("<I", size))

    yield (
        "zip: a bomb",
        Hostile("a.npz", lambda: layers(5_010_000), "expected 5,010,000 bytes in 'a0.npy', got another number"),
    )
    yield (
        "zip: a bomb that grows more than deflate can",
        Hostile("a.npz", lambda: layers(2**31), "expected sizes that agree in the"),
    )
    yield "zip: a true bomb of 4 GB", Hostile("a.npz", lambda: _bomb(1000), "got a claim of 4,194,304,000 bytes")
    yield (
        "zip: a bomb that understates its size",
        Hostile("a.npz", _understated, "expected 128 bytes in 'latents.npy', got another number unpacked"),
    )


def _understated():
    bomb = zipped({"latents.npy": npy(np.zeros(10**6)), "labels.npy": npy(LABELS)}, zipfile.ZIP_DEFLATED)
    return bomb.replace(struct.pack("<I", 8 * 10**6 + 128), struct.pack("<I", 128))


def _broken(state):
    yield (
        "zip: an encrypted member",
        Hostile("a.npz", _flagged(npz(latents=LATENTS, labels=LABELS)), "without a password"),
    )
    yield (
        "zip: 4 GB claimed in 100 bytes",
        Hostile(
            "a.npz", _archive([(b"a.npy", b"\x03\x00", 0, 2**32 - 2)]), "expected sizes that agree in the zip directory"
        ),
    )
    yield "zip: without an end", Hostile("model.pt", torch_zip(state)[:-30], "expected a whole zip archive")
    yield (
        "zip: 30,000 members",
        Hostile("a.npz", lambda: zipped({f"{i}.npy": b"" for i in range(21_000)}), "expected at most 20,100"),
    )


def _other_archives(evil):
    yield (
        "zip: a TorchScript program",
        Hostile(
            "model.pt",
            zipped({"a/data.pkl": evil, "a/constants.pkl": evil, "a/code/x.py": b"import os"}),
            "got a TorchScript archive, which is a program",
        ),
    )
    yield (
        "zip: a Keras archive",
        Hostile("m.keras", zipped({"config.json": b"{}", "model.weights.h5": HDF5}), "got a Keras"),
    )
    yield "zip: a spreadsheet", Hostile("a.xlsx", zipped({"xl/workbook.xml": b"<x/>"}), "got a zip archive with 'xl/")
    yield "zip: nothing in it", Hostile("a.npz", zipped({}), "got an empty zip archive")


def _flagged(raw):
    content = bytearray(raw)
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def _archive(members):
    """A zip archive of (name, deflated bytes, checksum, stated size)."""
    body, directory = bytearray(), b""
    for name, packed, crc, size in members:
        sizes, head = (crc, len(packed), size, len(name)), (20, 0, 8, 0, 0)
        directory += struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *head, *sizes, 0, 0, 0, 0, 0, len(body)) + name
        body += struct.pack("<4s5H3I2H", b"PK\x03\x04", *head, *sizes, 0) + name + packed
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return bytes(body) + directory + end


def _bomb(count):
    """``count`` members that all unpack to 4 MB of zeros."""
    zeros = bytes(2**22)
    stream = zlib.compressobj(9, wbits=-15)
    packed = stream.compress(zeros) + stream.flush()
    crc = zlib.crc32(zeros)
    return _archive([(b"%d.npy" % i, packed, crc, len(zeros)) for i in range(count)])


@functools.cache
def _exported():
    """The members of a real archive of `torch.export`, and the name of its table of weights."""
    with zipfile.ZipFile(io.BytesIO(exported())) as source:
        members = {name: source.read(name) for name in source.namelist()}
    return members, next(name for name in members if name.endswith("weights_config.json"))


def _with(**more):
    return zipped(_exported()[0] | more)


def _edited(old, new, **more):
    members, table = _exported()
    return _with(**{table: members[table].replace(old, new)}, **more)


def _exports(evil):
    programs = {"archive/data/aotinductor/model/evil.so": b"\x7fELF", "archive/data/sample_inputs/model.pt": evil}
    yield "torch.export: programs and pickles beside the weights", Hostile("m.pt2", lambda: _with(**programs), None)
    pickles = {"archive/data/weights/weight_0": evil}
    yield (
        "torch.export: pickled weights",
        Hostile(
            "m.pt2",
            lambda: _edited(b'"use_pickle": false', b'"use_pickle": true', **pickles),
            "expected weights as plain bytes, got pickled ones",
        ),
    )
    yield (
        "torch.export: weights at a path",
        Hostile("m.pt2", lambda: _edited(b'"weight_0"', b'"../../../etc/passwd"'), "expected a table of weig"),
    )
    yield (
        "torch.export: an evil state dict of older torch",
        Hostile(
            "m.pt2",
            zipped({"serialized_exported_program.json": b"{}", "serialized_state_dict.pt": torch_zip(evil)}),
            "expected a torch file of tensors and plain values, got a pickle with the name 'posix.system'",
        ),
    )
