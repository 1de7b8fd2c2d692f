"""A process of its own that reads one file and can do nothing else.

`call` opens the file, starts a fresh interpreter (no shell, isolated mode, an environment of a few names, no
inherited descriptors) with the file as its standard input and an unlinked temporary file as its standard output. What
to do lies in the latter; once the process has ended, the answer does. `_lock`, in the child, sets limits before the
file is looked at. What holds where:

* everywhere: wall-clock limit (the child is killed); the file's size is checked first; an audit hook refuses every
  event that Python reports after the lock (opening files, importing, starting processes, sockets, ctypes, exec, …)
  but a short list; nothing that can execute is in the reader in the first place
* where there is the module ``resource`` (Linux, macOS): limits on processor time, written bytes, open files, new
  processes, core dumps; on Linux also on address space (macOS does not enforce it)
* on Linux: the child dies with its parent; no network (an empty namespace of its own, where that is permitted); and a
  seccomp filter on x86-64 and arm64 that knows only the system calls that reading needs: no opening of any file, no
  sockets, no new processes or programs, no tracing, no executable memory

An audit hook alone does not stop machine code that a flaw in NumPy or pyarrow let in; the seccomp filter does. On
macOS and Windows that last wall is missing.

A child that crashes, runs out of memory or time, or answers something else becomes `FileRefused`.
"""

from __future__ import annotations

import mmap
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from lpc_core.checkpoint._base import FileRefused, Limits, refusal
from lpc_core.checkpoint._message import Message
from lpc_core.checkpoint._wire import MAX_TEXT, unpack
from lpc_core.files.plain_json import dumps
from lpc_core.files.words import amount

ROOT = Path(__file__).parents[2]  # what the child must be able to import from
CHILD = Path(__file__).with_name("_child.py")
START_SECONDS = 30.0  # for the interpreter to start, on a busy machine; not the file's fault
MAX_ERRORS = 2**16  # bytes of the child's complaints that are looked at
KEPT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # of the environment: needed to start at all
OUT_OF_TIME = (None, -getattr(signal, "SIGXCPU", 24))  # how a process ends whose time is up


class ReaderFailed(RuntimeError):
    """The reading process ended without an answer; the text is its last words. The cause of a `FileRefused`."""


def call(module: str, source: str | Path | bytes, job: dict[str, Any], limits: Limits,
         roots: Sequence[Path] = (ROOT,)) -> Message:
    """Run ``module.read(view of the file, job, limits)`` in a locked process; returns its message.

    ``module`` is imported from ``roots`` before the lock; its ``prepare(first bytes)`` may import more.
    """
    with ExitStack() as stack:
        file = stack.enter_context(_opened(source, limits))
        answer = stack.enter_context(tempfile.TemporaryFile())  # 0600, and without a name where the system can
        errors = stack.enter_context(tempfile.TemporaryFile())
        path = [*map(str, roots), *filter(os.path.isabs, sys.path)]
        order = {"module": module, "path": path, "job": job, "limits": asdict(limits),
                 "output": limits.tensor_bytes + limits.tensors * 128 + 2 * MAX_TEXT}
        answer.write(dumps(order).encode())
        answer.flush()
        code = _run(file, answer, errors, limits.seconds + START_SECONDS)
        if code != 0:
            raise _failure(code, errors, limits)
        return unpack(_mapped(answer), limits)


def locks() -> tuple[str, ...]:
    """The locks that hold in the reading process on this system: network, memory, seccomp, audit (all, on Linux)."""
    message = call("lpc_core.checkpoint._read", b"z0,label\n1,a\n", {"name": "", "picked": {}, "tree": True}, Limits())
    return tuple(map(str, message.facts["locks"]))


def _opened(source: str | Path | bytes, limits: Limits) -> IO[bytes]:
    """The file, open for reading and at its start; refuses what is no file of an allowed size."""
    if isinstance(source, bytes):
        _check_size(len(source), limits)
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        file.write(source)
        file.seek(0)
        return file
    try:  # without waiting for a writer, should it be a pipe
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "a name that no file can have"
        raise refusal(f"a file at {Path(source).name!r}", f"{why}", "check the name and that you may read it") from None
    status = os.fstat(descriptor)
    try:
        if not stat.S_ISREG(status.st_mode):
            raise refusal("a file", "a folder or a device", "choose the file itself")
        _check_size(status.st_size, limits)
    except FileRefused:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _check_size(size: int, limits: Limits) -> None:
    if size == 0:
        raise refusal("a file with something in it", "an empty one", "save or copy it again")
    if size > limits.file_bytes:
        raise refusal(f"a file of at most {limits.file_bytes:,} bytes", amount(size), "raise the limit file_bytes")


def _run(file: IO[bytes], answer: IO[bytes], errors: IO[bytes], seconds: float) -> int | None:
    """Run the child to its end; its exit status, or None when time was up."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
    environment["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    command = [sys.executable, "-I", str(CHILD)]
    process = subprocess.Popen(command, stdin=file, stdout=answer, stderr=errors, env=environment, close_fds=True)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:  # also when whoever waits is interrupted
        process.kill()
        process.wait()


def _failure(code: int | None, errors: IO[bytes], limits: Limits) -> FileRefused:
    """The refusal of a file on which the reading process failed."""
    errors.seek(0)
    words = errors.read(MAX_ERRORS).decode("utf-8", "replace").strip()
    last = re.match(r"[A-Za-z_.]{1,60}(?=:|$)", words.rpartition("\n")[2])
    do = "save it as safetensors or npz and try again"
    if code in OUT_OF_TIME:
        got, do = f"one that takes longer than {limits.seconds:g} s", f"{do}, or raise the limit seconds"
    elif code is not None and code < 0:
        got = f"one on which the reading process was ended by signal {-code} (memory, or a flaw in a library)"
    else:
        what = "it is damaged in a way the reader did not foresee" if words else "without a word"
        what = last[0] if last and last[0] != "PermissionError" else what  # that is the lock's word, not the file's
        got = f"one on which it failed ({what})"
    refused = refusal("a file that the reading process can read", got, do)
    refused.__cause__ = ReaderFailed(words[-2_000:])
    return refused


def _mapped(answer: IO[bytes]) -> memoryview:
    """The answer's bytes, private and writable; they live as long as something refers to them."""
    size = os.fstat(answer.fileno()).st_size
    if size == 0:
        raise refusal("an answer of the reading process", "none", "report this file: it may be an attack")
    return memoryview(mmap.mmap(answer.fileno(), size, access=mmap.ACCESS_COPY))
