"""History: the measured rows of a run as columns, thinned so that they never grow past a fixed length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

MAX_ROWS = 1_000


class History:
    """Columns of equal length; when full, every other row is dropped, so that old rows get sparser."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max = max_rows
        self.columns: dict[str, list[float]] = {}

    def __len__(self) -> int:
        return len(self.columns.get("step", ()))

    def add(self, row: Mapping[str, float]) -> None:
        """Append ``row``; a second row for the last step replaces it. What a row does not name is NaN."""
        if len(self) and row.get("step") == self.columns["step"][-1]:
            for column in self.columns.values():
                column.pop()
        rows = len(self)
        for name in row.keys() - self.columns.keys():
            self.columns[name] = [math.nan] * rows
        for name, column in self.columns.items():
            column.append(float(row.get(name, math.nan)))
        if len(self) > self._max:
            for column in self.columns.values():
                column[:] = column[::-2][::-1]  # the newest row always stays

    def table(self) -> tuple[list[str], np.ndarray]:
        """Names and values (columns, rows), for the state file."""
        values = np.array(list(self.columns.values()), dtype=np.float64)
        return list(self.columns), values.reshape(len(self.columns), len(self))

    @classmethod
    def from_table(cls, names: Sequence[str], values: np.ndarray) -> History:
        """The inverse of `table`; `ValueError` for what is none with at least one row."""
        history = cls()
        if not (isinstance(names, list) and all(type(name) is str for name in names) and "step" in names
                and len(set(names)) == len(names) == len(values) and values.dtype == np.float64 and values.ndim == 2
                and 1 <= values.shape[1] <= history._max):
            raise ValueError(f"expected columns of numbers with their names, got {values.dtype} {values.shape}")
        history.columns = {name: column.tolist() for name, column in zip(names, values, strict=True)}
        return history
