"""Names in a torch file's pickle that nobody knows: harmless ones stand for an object, those that act are refused."""

from __future__ import annotations

from lpc_core.files.pickle_machine import unknown_name

ACTING = {  # first parts of names that reach files, processes, code or attributes; no object of a training loop is one
    "os", "posix", "nt", "posixpath", "subprocess", "_posixsubprocess", "sys", "importlib", "imp", "runpy",
    "operator", "_operator", "types", "webbrowser", "antigravity", "pip", "setuptools", "socket", "ssl", "shutil",
    "ctypes", "_ctypes", "pty", "code", "codeop", "pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib",
    "marshal", "shelve", "multiprocessing", "threading", "_thread", "asyncio", "signal", "io", "_io", "tempfile",
    "glob", "platform", "builtins", "__builtin__", "commands", "popen2", "timeit", "trace", "pdb", "bdb",
    "cProfile", "profile", "doctest", "inspect", "gc", "atexit", "site", "venv", "ensurepip", "zipimport",
    "pkgutil", "urllib", "urllib2", "requests", "http", "ftplib", "smtplib", "telnetlib", "xmlrpc", "sqlite3",
    "_sqlite3", "idlelib", "lib2to3", "tkinter", "readline", "faulthandler", "mmap", "resource", "linecache",
    "distutils", "torch.hub", "torch.jit", "torch.utils.cpp_extension", "torch.utils.model_zoo",
    "torch.utils.data.datapipes", "torch.distributed", "torch._inductor", "torch._dynamo", "torch.package",
    "torch.load", "torch.save", "torch.storage", "torch.ops", "torch.classes", "torch.fx", "torch.export",
    "numpy.load", "numpy.fromfile", "numpy.save", "numpy.loadtxt", "numpy.genfromtxt", "numpy.memmap",
    "numpy.testing", "numpy.distutils", "numpy.f2py", "numpy.lib"}  # fmt: skip
INERT = {  # names under those that plain objects are pickled with
    "_io.BytesIO", "io.BytesIO", "types.GenericAlias", "types.NoneType", "builtins.object", "builtins.type",
    "builtins.tuple", "builtins.bool", "builtins.complex", "builtins.slice", "builtins.range", "builtins.xrange"}
KINDS = {  # what makes a tensor of another kind: (beginning of the name, the kind, what to do)
    "torch._utils._rebuild_sparse": ("a sparse tensor", "save it dense, tensor.to_dense()"),
    "torch.serialization._get_layout": ("a sparse tensor", "save it dense, tensor.to_dense()"),
    "torch._utils._rebuild_q": ("a quantised tensor", "save the model before it is quantised, or tensor.dequantize()"),
    "torch.per_": ("a quantised tensor", "save the model before it is quantised, or tensor.dequantize()"),
    "torch.Q": ("a quantised tensor", "save the model before it is quantised, or tensor.dequantize()"),
    "torch.q": ("a quantised tensor", "save the model before it is quantised, or tensor.dequantize()"),
    "torch._utils._rebuild_meta": ("a tensor without values (meta)", "load the weights into the model before saving"),
    "torch._utils._rebuild_nested": ("a nested tensor", "save its parts"),
    "torch._utils._rebuild": ("a tensor of a kind of its own", "save plain tensors, tensor.detach().cpu().clone()"),
    "torch._utils": ("something that plain tensors do not need", "save plain tensors")}


OLDER = (  # beginnings of names as Python 2 (and protocol 2) and other releases write them
    ("__builtin__.", "builtins."), ("copy_reg.", "copyreg."), ("numpy.core.", "numpy._core."),
    ("pathlib._local.", "pathlib."))


def modern(text: str) -> str:
    """The name as this Python has it."""
    for old, new in OLDER:
        if text.startswith(old):
            return new + text.removeprefix(old)
    return text


def check_foreign(text: str) -> None:
    """Refuse, with `ValueError`, the name of what acts, and of kinds of tensors; other unknown classes pass."""
    for start, (what, do) in KINDS.items():
        if text.startswith(start):
            raise ValueError(f"the name {text[:80]!r}, which makes {what}: {do}")
    parts = text.split(".")
    acts = any(".".join(parts[:count]) in ACTING for count in range(1, len(parts) + 1))
    if (acts and text not in INERT) or not all(map(str.isidentifier, parts)):
        raise unknown_name(*text.rpartition(".")[::2])
