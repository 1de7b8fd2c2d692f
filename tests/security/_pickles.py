"""Hostile pickles: opcodes and names that would execute, tensors that are not where they say, values without end."""

import builtins
import functools
import importlib
import io
import operator
import os
import pickle
import runpy
import subprocess
import sys
import webbrowser
import zipfile
from typing import ClassVar

import numpy as np
import torch

from tests.core.checkpoint._files import saved, zipped
from tests.security._hostile import FORMULA, SCRIPT, Hostile


class Calls:
    """Pickles as a call of ``function`` with ``arguments``."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Named:
    """Pickles as a global name that need not exist here."""

    def __init__(self, module, name):
        self.text = module, name


class Pickler(pickle._Pickler):
    """The pickler in Python, which also writes the names of `Named`."""

    dispatch: ClassVar[dict] = dict(pickle._Pickler.dispatch)

    def save_named(self, thing):
        module, name = thing.text
        if self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())

    dispatch[Named] = save_named


class CallsNamed(Calls):
    """Pickles as a call of a name that need not exist here."""


def _save_call(pickler, thing):
    function, arguments = thing.call
    pickler.save(function)
    pickler.save(arguments)
    pickler.write(pickle.REDUCE)


Pickler.dispatch[CallsNamed] = _save_call


def pickled(thing, protocol=2):
    stream = io.BytesIO()
    Pickler(stream, protocol).dump(thing)
    return stream.getvalue()


def torch_zip(data_pkl, storages=None, **more):
    """A zip file of torch.save with any pickle in it."""
    members = {"a/data.pkl": data_pkl, "a/byteorder": b"little", "a/version": b"3\n"}
    members |= {f"a/data/{key}": content for key, content in (storages or {}).items()}
    return zipped(members | more)


def tensor_pickle(*, storage="FloatStorage", count=4, offset=0, shape=(2, 2), strides=(2, 1), times=1):
    """A state dict whose tensors (``times`` of them) lie where the arguments say in the storage "0"."""
    identity = ("storage", Named("torch", storage), "0", "cpu", count)
    arguments = (Stored(identity), offset, shape, strides, False, CallsNamed(Named("collections", "OrderedDict")))
    rebuilt = [CallsNamed(Named("torch._utils", "_rebuild_tensor_v2"), *arguments) for _ in range(times)]
    return pickled({f"w{i}": tensor for i, tensor in enumerate(rebuilt)})


class Stored:
    """Pickles as a persistent id."""

    def __init__(self, identity):
        self.identity = identity


def _save_stored(pickler, thing):
    pickler.save(thing.identity)
    pickler.write(pickle.BINPERSID)


Pickler.dispatch[Stored] = _save_stored


REFUSED = "expected a torch file of tensors and plain values, got a pickle with "


def executing(canary):
    """{name: what to pickle}: each would run something if it were unpickled, most of them `touch canary`."""
    touch, code = f"touch {canary}", f"open({str(canary)!r}, 'w')"
    return {
        "os.system": Calls(os.system, touch),
        "os.popen": Calls(os.popen, touch),
        "os.execv": Calls(os.execv, "/bin/touch", ["touch", str(canary)]),
        "subprocess.Popen": Calls(subprocess.Popen, ["touch", str(canary)]),
        "subprocess.check_output": Calls(subprocess.check_output, ["touch", str(canary)]),
        "builtins.eval": Calls(eval, code),
        "builtins.exec": Calls(exec, code),
        "builtins.open": Calls(open, str(canary), "w"),
        "builtins.compile": Calls(compile, code, "x", "exec"),
        "builtins.getattr": Calls(getattr, Calls(importlib.import_module, "os"), "system"),
        "builtins.__import__": Calls(builtins.__import__, "os"),
        "builtins.globals": Calls(globals),
        "importlib.import_module": Calls(importlib.import_module, "antigravity"),
        "runpy._run_code": Calls(runpy._run_code, code, {}),
        "operator.attrgetter": Calls(operator.attrgetter, "system"),
        "functools.partial": Calls(functools.partial, os.system, touch),
        "types.FunctionType": CallsNamed(Named("types", "FunctionType"), 1, {}),
        "webbrowser.open": Calls(webbrowser.open, "file:///etc/passwd"),
        "sys.exit": Calls(sys.exit, 3),
        "numpy.load": Calls(np.load, str(canary)),
        "numpy.fromfile": CallsNamed(Named("numpy", "fromfile"), "/etc/passwd"),
        "numpy.testing.runstring": CallsNamed(Named("numpy.testing._private.utils", "runstring"), code, {}),
        "torch.load": Calls(torch.load, str(canary)),
        "torch.hub.load": Calls(torch.hub.load, "evil/repository", "model"),
        "torch.storage._load_from_bytes": CallsNamed(Named("torch.storage", "_load_from_bytes"), b"\x80\x02."),
        "torch.jit.load": CallsNamed(Named("torch.jit", "load"), "/etc/passwd"),
        "torch.utils.cpp_extension": CallsNamed(Named("torch.utils.cpp_extension", "load_inline"), "x", touch),
        "torch._utils dotted": CallsNamed(Named("torch._utils", "os.system"), touch),
        "torch._utils._rebuild_sparse": CallsNamed(Named("torch._utils", "_rebuild_sparse_tensor"), 1, (2,)),
        "torch._utils._import_dotted_name": CallsNamed(Named("torch._utils", "_import_dotted_name"), "os.system"),
        "torch.distributed": CallsNamed(Named("torch.distributed.rpc.internal", "_run_function"), b"x"),
        "torch class called": CallsNamed(Named("torch", "Tensor"), 10**12),
        "pip": CallsNamed(Named("pip._internal", "main"), ["install", "evil"]),
        "a class of the file's own": CallsNamed(Named("__main__", "Net")),
        "a name with a terminal's escapes": CallsNamed(Named("\x1b[2J\x1b]0;owned\x07", "\u202ename")),
        "a very long name": CallsNamed(Named("a" * 100_000, "b" * 100_000)),
    }


def pickles(canary):
    """Torch files and bare pickles that ask for something."""
    evil = executing(canary)["os.system"]
    yield from _calls(canary)
    yield from _in_old_files(evil)
    yield from _opcodes()
    yield from _bare(evil)


def _calls(canary):
    for number, (name, thing) in enumerate(executing(canary).items()):
        protocol = 2 + number % 4
        state = {"w": thing, "epoch": 1}
        wrapped = "a call of 'torch.Tensor'" if name == "torch class called" else "the name '"
        yield f"torch zip: {name}", Hostile("model.pt", torch_zip(pickled(state, protocol)), REFUSED + wrapped)


def _in_old_files(evil):
    magic = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    for place, name in enumerate(("protocol", "system", "state", "keys"), start=1):
        parts = [*magic, pickle.dumps({}, 2), pickle.dumps([], 2)]
        parts[place] = pickle.dumps(evil, 2)
        yield (
            f"torch legacy: os.system as the {name}",
            Hostile("model.pth", b"".join(parts), REFUSED + "the name 'posix"),
        )


def _opcodes():
    for name, code in {
        "INST": b"(S'touch x'\nios\nsystem\n.",
        "OBJ": b"(cos\nsystem\nX\x01\x00\x00\x00xo.",
        "EXT1": b"\x82\x01.",
        "PERSID": b"Pmodule\n.",
        "NEXT_BUFFER": b"\x97.",
        "NEWOBJ_EX": b"cos\n_wrap_close\n)}\x92.",
        "DUP": b"}2.",
        "GET": b"g0\n.",
        "STRING": b"S'a'\n.",
        "UNICODE": b"Va\n.",
    }.items():
        yield f"torch zip: opcode {name}", Hostile("model.pt", torch_zip(b"\x80\x02" + code), REFUSED)
    module = pickled({"w": Stored(("module", Named("torch.nn", "Linear"), "x.py", "import os"))})
    yield (
        "torch zip: source code in a persistent id",
        Hostile("model.pt", torch_zip(module), REFUSED + "the name 'torch.nn"),
    )
    state = pickle.PROTO + b"\x02" + b"ctorch\nTensor\n}(X\x0c\x00\x00\x00__setstate__K\x01ub."
    yield "torch zip: state for a class", Hostile("model.pt", torch_zip(state), REFUSED + "a state for a Name")


def _bare(evil):
    for name, content in {
        "pickle.pkl": pickle.dumps(evil, 4),
        "pickle.pt": pickle.dumps(evil, 2),
        "forest.joblib": b"\x80\x04\x95" + bytes(20),
        "old.pkl": b"cos\nsystem\n(S'touch x'\ntR.",
    }.items():
        yield (
            f"a bare pickle: {name}",
            Hostile(name, content, "expected safetensors, torch .*, got a (joblib )?pickle; "),
        )


def tensors(canary):
    """Torch files whose tensors are not where they say, or too many, or too large; and odd plain values."""
    yield from _misplaced()
    yield from _without_storage()
    yield from _odd_names()
    yield from _unfolding()
    yield from _endless()
    objects = pickled({"w": np.array([{}, Calls(os.system, f"touch {canary}")], object)})
    yield "pickle: a NumPy array of objects", Hostile("model.pt", torch_zip(objects), REFUSED)


def _misplaced():
    four, beyond = {"0": bytes(16)}, REFUSED + "a tensor that reaches beyond its storage"
    for name, options, message in (
        ("beyond its storage", {"shape": (2, 3), "strides": (3, 1)}, beyond),
        ("an offset beyond its storage", {"offset": 1}, beyond),
        ("10^12 elements", {"shape": (10**6, 10**6), "strides": (10**6, 1)}, beyond),
        (
            "10^12 elements in one (strides 0)",
            {"shape": (10**6, 10**6), "strides": (0, 0)},
            "expected arrays of at most .* together, got a claim of 4,000,000,000,000 bytes",
        ),
        ("negative sizes", {"shape": (-2, -2)}, REFUSED + "a tensor with impossible sizes"),
        ("negative strides", {"strides": (-2, 1), "offset": 3}, REFUSED + "a tensor with impossible sizes"),
        ("a negative offset", {"offset": -1}, REFUSED + "a tensor with impossible sizes"),
        ("sizes of 10^300", {"shape": (10**300, 1)}, REFUSED + "a tensor with impossible sizes"),
        ("sizes that are no numbers", {"shape": ("2", 2)}, REFUSED + "a tensor with impossible sizes"),
        ("sizes without strides", {"strides": (1,)}, REFUSED + "a tensor with impossible sizes"),
        ("a thousand dimensions", {"shape": (1,) * 1000, "strides": (1,) * 1000}, REFUSED + "a tensor with imposs"),
        ("a storage of 4 GB in 16 bytes", {"count": 2**30}, "expected 4,294,967,296 bytes in the storage of 'w0',"),
        ("a storage of negative size", {"count": -4}, REFUSED + "a storage of an unknown kind"),
        ("quantised values", {"storage": "QInt8Storage"}, REFUSED + "the name 'torch.QInt8Storage'"),
    ):
        yield f"tensor: {name}", Hostile("model.pt", torch_zip(tensor_pickle(**options), four), message)


def _without_storage():
    four = {"0": bytes(16)}

    def blow_up():
        views = tensor_pickle(count=250_000, shape=(250_000,), strides=(1,), times=3_000)
        return torch_zip(views, {"0": bytes(10**6)})

    yield (
        "tensor: quadratic blow-up of views of one storage",
        Hostile(
            "model.pt", blow_up, "expected arrays of at most 268,435,456 bytes together, got a claim of 3,000,000,000"
        ),
    )
    yield (
        "tensor: no storage in the file",
        Hostile("model.pt", torch_zip(tensor_pickle()), "expected the storage '0' in the file, got none"),
    )
    yield (
        "tensor: a storage that is a path",
        Hostile(
            "model.pt",
            torch_zip(tensor_pickle().replace(b"X\x01\x00\x00\x000", b"X\x0d\x00\x00\x00../etc/passwd"), four),
            r"expected the storage '../etc/passwd' in the file, got none",
        ),
    )


def _odd_names():
    yield (
        "tensor: names with escapes",
        Hostile(
            "model.pt", saved({"\x1b[2Jw": torch.ones(1)}), "expected printable tensor names of at most 500 characters"
        ),
    )
    yield "tensor: NaN and infinity", Hostile("model.pt", saved({"w": torch.tensor([np.nan, np.inf, -np.inf])}), None)
    yield (
        "tensor: script in names and metadata",
        Hostile(
            "model.pt",
            saved({"state_dict": {SCRIPT: torch.ones(1)}, FORMULA: SCRIPT, "a": [SCRIPT, {SCRIPT: FORMULA}]}),
            None,
        ),
    )


def _unfolding():
    laughs = b"\x80\x02}X\x01\x00\x00\x00aX\x03\x00\x00\x00lolq\x02" + b"0h\x02h\x02\x86q\x02" * 1_000 + b"s."
    yield (
        "pickle: a billion laughs",
        Hostile("model.pt", torch_zip(laughs), "expected a state dict with tensors, got none"),
    )
    yield (
        "pickle: laughs as a key",
        Hostile(
            "model.pt",
            torch_zip(b"\x80\x02})" + b"q\x01h\x01\x86" * 1_000 + b"Ns."),
            "expected a state dict with tensors",
        ),
    )
    yield (
        "pickle: itself within itself",
        Hostile(
            "model.pt", torch_zip(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."), "expected a state dict with tensors"
        ),
    )
    yield (
        "pickle: nested 100,000 deep",
        Hostile(
            "model.pt",
            torch_zip(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."),
            "expected a state dict with tensors",
        ),
    )


def _endless():
    yield (
        "pickle: a number of a million digits",
        Hostile("model.pt", torch_zip(b"\x80\x02I" + b"9" * 1_000_000 + b"\n."), REFUSED + "Exceeds the limit"),
    )
    yield (
        "pickle: a large number",
        Hostile("model.pt", saved({"w": torch.ones(1), "n": 2**2000, "k": {2**2000: 1}}), None),
    )
    yield (
        "pickle: 4 GB of text in 20 bytes",
        Hostile(
            "model.pt",
            torch_zip(b"\x80\x02X\xff\xff\xff\xff."),
            REFUSED + "expected 4294967295 bytes in a unicodestring4",
        ),
    )
    yield (
        "pickle: a dictionary copied again and again",
        Hostile(
            "model.pt",
            torch_zip(
                b"\x80\x02ccollections\nOrderedDict\nq\x00}q\x01("
                + b"".join(b"K%cK\x00" % (i,) for i in range(200))
                + b"u0"
                + b"h\x00h\x01\x85R0" * 20_000
                + b"."
            ),
            REFUSED + "values that unfold to more",
        ),
    )
    yield (
        "pickle: endless opcodes",
        Hostile("model.pt", torch_zip(b"\x80\x02" + b"]0" * 1_100_000 + b"."), REFUSED + "more than 2000000 opcodes"),
    )
    yield (
        "pickle: of 40 MB",
        Hostile(
            "model.pt",
            lambda: zipped({"a/data.pkl": bytes(40 * 2**20)}, zipfile.ZIP_DEFLATED),
            "expected at most 33,554,432 bytes beside the tensors of a torch file",
        ),
    )
