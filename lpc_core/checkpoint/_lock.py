"""How the reading process locks itself in, before it looks at the file. `sandbox` says what holds on which system."""

from __future__ import annotations

import ctypes
import math
import platform
import struct
import sys
from typing import Any

from lpc_core.checkpoint._base import Limits

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SIGKILL = 9
CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
# Python's events that stay allowed. compile without exec makes a tree of a text, for npy headers; the kernel has files
# truncated that are open, no others.
EVENTS = {"mmap.__new__", "compile", "builtins.id", "os.truncate", "sys._getframe", "array.__new__",
          "object.__getattr__", "sys.unraisablehook", "sys.excepthook"}
OPEN_FILES = 64
# What reading needs of the kernel: memory, the two open files, signals, clocks, the end. (x86-64, arm64) numbers.
CALLS = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "newfstatat": (262, 79), "lseek": (8, 62),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "madvise": (28, 233), "pread64": (17, 67), "fcntl": (72, 25), "dup": (32, 23), "ftruncate": (77, 46),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "futex": (202, 98), "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "membarrier": (324, 283),
    "clock_gettime": (228, 113), "clock_nanosleep": (230, 115), "getpid": (39, 172), "gettid": (186, 178),
    "getrandom": (318, 278), "getrusage": (98, 165), "exit": (60, 93), "exit_group": (231, 94),
    "rseq": (334, 293), "set_robust_list": (273, 99),  # of a thread that a library began just before the lock
}  # fmt: skip
MACHINES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}  # column, kernel's name, number of seccomp
SET_FILTER, ALL_THREADS = 1, 1
LOAD, EQUAL, BITS, RETURN = 0x20, 0x15, 0x45, 0x06  # BPF: load a word, jump if equal, jump if bits are set, return
ALLOW, DENY = 0x7FFF0000, 0x00050001  # the latter: the call fails with EPERM
PROT_EXEC = 4


def limit_use(limits: Limits, output_bytes: int) -> None:
    """Limit processor time, written bytes, open files, new processes and core dumps, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    seconds = math.ceil(limits.seconds)
    _lower(resource, resource.RLIMIT_CPU, seconds, seconds + 1)  # the first is a signal that says why
    for name, value in (("FSIZE", output_bytes), ("NOFILE", OPEN_FILES), ("CORE", 0)):
        _lower(resource, getattr(resource, f"RLIMIT_{name}"), value, value)


def lock_down(limits: Limits) -> tuple[str, ...]:
    """Take away what is left: memory beyond the limit, network, files, processes. Returns which locks hold."""
    held = []
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        if libc.unshare(CLONE_NEWNET) == 0 or libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
            held.append("network")
        held.extend(_limit_memory(limits))
        if _filter_calls(libc):
            held.append("seccomp")
    sys.addaudithook(_refuse_events)
    return (*held, "audit")


def _lower(resource: Any, which: int, soft: int, hard: int) -> None:
    """Set a limit for good, unless there is a lower one already."""
    _, before = resource.getrlimit(which)
    most = hard if before == resource.RLIM_INFINITY else min(hard, before)
    resource.setrlimit(which, (min(soft, most), most))


def _limit_memory(limits: Limits) -> list[str]:
    """Limit the address space to what is in use now and ``memory_bytes``; and allow no new process or thread."""
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    _lower(resource, resource.RLIMIT_AS, *[used + limits.memory_bytes] * 2)
    _lower(resource, resource.RLIMIT_NPROC, 0, 0)
    return ["memory"]


def _filter_calls(libc: Any) -> bool:
    """Let the kernel refuse every system call but `CALLS`, and memory that is to be executed, in all threads."""
    if platform.machine() not in MACHINES or sys.maxsize < 2**32:
        return False
    column, machine, number = MACHINES[platform.machine()]
    program = filter_program(machine, [numbers[column] for numbers in CALLS.values()],
                             {CALLS[name][column] for name in ("mmap", "mprotect")})
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))  # struct sock_fprog
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    failed: int = libc.syscall(number, SET_FILTER, ALL_THREADS, ctypes.create_string_buffer(header, len(header)))
    return failed == 0


def filter_program(machine: int, allowed: list[int], mapping: set[int]) -> bytes:
    """The filter in BPF: calls in ``allowed`` pass, those in ``mapping`` unless they ask for executable memory.

    The kernel's record of a call: its number at byte 0, the machine at 4, its third argument at 32.
    """
    count = len(allowed)
    deny, look, permit = count + 3, count + 4, count + 6  # places of instructions; jumps count from the next one
    lines = [(LOAD, 0, 0, 4), (EQUAL, 0, deny - 2, machine), (LOAD, 0, 0, 0)]
    lines += [(EQUAL, (look if number in mapping else permit) - place - 1, 0, number)
              for place, number in enumerate(allowed, start=3)]
    lines += [(RETURN, 0, 0, DENY), (LOAD, 0, 0, 32), (BITS, 1, 0, PROT_EXEC), (RETURN, 0, 0, ALLOW),
              (RETURN, 0, 0, DENY)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _refuse_events(event: str, _: tuple[Any, ...]) -> None:
    """Refuse what Python is about to do, unless it is on the list."""
    if event not in EVENTS:
        raise PermissionError(f"{event} while reading a file")
