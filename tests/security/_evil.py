"""A reader that was taken over: whatever the order says, it tries. Only the lock around it can stop it."""

import ctypes
import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from lpc_core.checkpoint._message import Message, View

LIBC = ctypes.CDLL(None)
ERRNO = LIBC.__errno_location if sys.platform == "linux" else None
if ERRNO:
    ERRNO.restype = ctypes.POINTER(ctypes.c_int)
OPENED = {name: getattr(LIBC, name) for name in ("open", "socket", "fork", "execv", "kill", "ptrace", "unlink", "mmap",
                                                 "setrlimit", "unshare", "connect", "prctl")}
O_WRONLY_CREAT = os.O_WRONLY | os.O_CREAT
ADDRESS_SPACE = 9  # RLIMIT_AS


def prepare(head):
    """Nothing to import."""


def read(raw, job, limits):
    """Try what ``job`` names; the answer says how it went."""
    try:
        outcome = ATTEMPTS[job["attempt"]](job)
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    return outcome if isinstance(outcome, Message) else Message("tree", {"entries": [str(outcome)]})


def kernel(name, *arguments):
    """Call the system past Python: no audit hook sees it. "EPERM" if the kernel refuses."""
    result, number = OPENED[name](*arguments), ERRNO().contents.value
    return errno.errorcode.get(number, "?") if result == -1 else f"done: {result}"


def write_by_python(job):
    with open(job["canary"], "w") as file:
        return file.write("x")


def crash(job):
    ctypes.memset(1, 0, 1)


def busy(job):
    while True:
        pass


def endless_answer(job):
    block = bytes(2**20)
    while True:
        os.write(1, block)


def answer_and_leave(content):
    def attempt(job):
        os.write(1, content)
        os._exit(0)

    return attempt


def too_much_memory(job):
    kept = bytearray(4 * 2**30)
    return len(kept)


FACTS = {"format": "torch", "stripped": [], "metadata": {}, "notes": []}


def one_view(*view, name="w"):
    """A checkpoint of one tensor in 16 bytes, as a reader that lies would describe it."""
    return Message("checkpoint", FACTS, [View(name, *view)], [bytes(16)])


ATTEMPTS = {
    "open for writing": write_by_python,
    "open for reading": lambda job: Path("/etc/passwd").read_text(),
    "os.open": lambda job: os.open(job["canary"], O_WRONLY_CREAT),
    "socket": lambda job: socket.socket(),
    "name look-up": lambda job: socket.getaddrinfo("localhost", 80),
    "subprocess": lambda job: subprocess.run(["touch", job["canary"]], check=True),
    "os.system": lambda job: os.system(f"touch {job['canary']}"),
    "os.fork": lambda job: os.fork(),
    "exec of a text": lambda job: exec(f"open({job['canary']!r}, 'w')"),
    "eval of a text": lambda job: eval("1 + 1"),
    "import": lambda job: __import__("antigravity"),
    "ctypes.CDLL": lambda job: ctypes.CDLL("libm.so.6"),
    "os.listdir": lambda job: os.listdir("/"),
    "os.remove": lambda job: os.remove(job["victim"]),
    "kernel: open for writing": lambda job: kernel("open", job["canary"].encode(), O_WRONLY_CREAT, 0o600),
    "kernel: open for reading": lambda job: kernel("open", b"/etc/passwd", os.O_RDONLY),
    "kernel: socket": lambda job: kernel("socket", 2, 1, 0),
    "kernel: fork": lambda job: kernel("fork"),
    "kernel: execv": lambda job: kernel("execv", b"/bin/true", (ctypes.c_char_p * 2)(b"true", None)),
    "kernel: kill": lambda job: kernel("kill", os.getppid(), 0),
    "kernel: ptrace": lambda job: kernel("ptrace", 16, os.getppid(), 0, 0),
    "kernel: unlink": lambda job: kernel("unlink", job["victim"].encode()),
    "kernel: executable memory": lambda job: kernel("mmap", None, 4096, 7, 34, -1, 0),
    "kernel: a higher limit": lambda job: kernel("setrlimit", ADDRESS_SPACE, (ctypes.c_ulong * 2)(2**60, 2**60)),
    "kernel: another namespace": lambda job: kernel("unshare", 0x10000000),
    "kernel: prctl": lambda job: kernel("prctl", 4, 1, 0, 0, 0),
    "environment": lambda job: sorted(os.environ),
    "open files": lambda job: [number for number in range(64) if _is_open(number)],
    "crash": crash,
    "busy": busy,
    "asleep": lambda job: time.sleep(600),
    "endless answer": endless_answer,
    "exit without an answer": lambda job: os._exit(0),
    "exit with a status": lambda job: os._exit(7),
    "garbage": answer_and_leave(b"garbage" * 100),
    "another safetensors file": answer_and_leave(b"\x02\0\0\0\0\0\0\0{}"),
    "too much memory": too_much_memory,
    "a view beyond its storage": lambda job: one_view("float32", (1000,), (1,), 0),
    "a view of no storage": lambda job: one_view("float32", (1,), (1,), 5),
    "a view of -1": lambda job: one_view("float32", (2,), (-1,), 0),
    "a storage that is a text": lambda job: one_view("float32", (1,), (1,), "0"),
    "a name that is a list": lambda job: one_view("uint8", (1,), (1,), 0, name=["w"]),
    "sizes that are texts": lambda job: one_view("float32", ("1",), (1,), 0),
    "an unknown type": lambda job: one_view("__class__", (1,), (1,), 0),
    "facts that are missing": lambda job: Message("checkpoint", {}, [], []),
    "class names that are none": lambda job: Message("embeddings", {"class_names": [[]], "notes": []}, [], []),
    "a film that is none": lambda job: Message("film", {"config": "{}", "info": "{}"}, [], []),
    "an unknown kind": lambda job: Message("exec", {}, [], []),
    "a refusal of escapes": lambda job: Message("refused", {"why": "\x1b[2J\nline" * 1000}, [], []),
}


def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
