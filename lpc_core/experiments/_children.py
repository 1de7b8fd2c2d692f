"""Child processes of an experiment: begun afresh, deaf to Ctrl-C, and gone with whoever wanted them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from typing import Any

CONTEXT: SpawnContext = multiprocessing.get_context("spawn")


@contextlib.contextmanager
def children(count: int, begin: Callable[..., None] | None = None, *given: Any) -> Iterator[ProcessPoolExecutor]:
    """A pool of ``count`` processes, each of which calls ``begin(*given)`` first. An error ends them at once."""
    pool = ProcessPoolExecutor(count, CONTEXT, initializer=_deaf, initargs=(begin, given))
    try:
        yield pool
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()  # a run is kept to the step, then it ends
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """Processes that begin here do not run the caller's main module again: a page, or a script without a guard."""
    own = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = own


def _deaf(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    """Ctrl-C is the parent's affair: it asks the others to stop. One that was killed could not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if begin is not None:
        begin(*given)


def _end_with_the_parent() -> None:
    """A pool's own processes would wait for ever: each holds the queue open for the others."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)
