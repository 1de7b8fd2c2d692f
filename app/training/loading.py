"""Loading: data sets are fetched in threads of the worker and kept; equal runs of many readers share one copy."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable

from lpc_core.config import DataConfig
from lpc_core.data import Dataset
from lpc_core.progress import Progress

MAX_SETS = 4
MAX_BYTES = 400 * 2**20
_AT_ONCE = threading.BoundedSemaphore(4)

Load = Callable[[DataConfig, int, Progress], Dataset]
_Key = tuple[DataConfig, int]


class DataCache:
    """The last few data sets, by configuration and seed. Two who ask for the same one at once wait for one load."""

    def __init__(self, load: Load, max_sets: int = MAX_SETS, max_bytes: int = MAX_BYTES) -> None:
        self._load, self._max_sets, self._max_bytes = load, max_sets, max_bytes
        self._sets: OrderedDict[_Key, Dataset] = OrderedDict()
        self._loading: dict[_Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, config: DataConfig, seed: int, progress: Progress) -> Dataset:
        """The data set, from memory if it is there; raises what loading it raises."""
        key = (dataclasses.replace(config, augment="none"), seed)  # pictures are changed while training, not here
        with self._lock:
            turn = self._loading.setdefault(key, threading.Lock())
        try:
            with turn:
                found = self._sets.get(key)
                if found is None:
                    with _AT_ONCE:
                        found = self._load(config, seed, progress)
                self._keep(key, found)
                return found
        finally:
            with self._lock:
                self._loading.pop(key, None)

    def _keep(self, key: _Key, dataset: Dataset) -> None:
        with self._lock:
            self._sets[key] = dataset
            self._sets.move_to_end(key)
            while len(self._sets) > 1 and (len(self._sets) > self._max_sets or self._bytes() > self._max_bytes):
                self._sets.popitem(last=False)

    def _bytes(self) -> int:
        return sum(s.train_inputs.nbytes + s.test_inputs.nbytes for s in self._sets.values())
