"""Latents of any array kind and number format, read block by block in float64, and how exactly they are known."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray

BLOCK = 1 << 18  # values per block: 2 MB in float64, so that a block and what is made of it stay near the processor
STEPS = 2.0  # error of a computed and stored latent in units of eps·|z|, see `Rows.error`


class Rows:
    """A matrix (n, d) of real numbers that is never copied to float64 as a whole.

    Takes NumPy arrays and torch tensors of any real format, on any device, contiguous or not. Tensors elsewhere are
    brought to the CPU in their own format. ``name`` is what error messages call the matrix.
    """

    def __init__(self, values: Any, name: str) -> None:
        self.name = name
        self.values = _on_cpu(values, name)
        if self.values.ndim != 2:
            wanted = {"logits": "(n, K)", "weight": "(K, d)"}.get(name, "(n, d)")
            raise ValueError(f"expected {name} {wanted}, got shape {tuple(self.values.shape)}; pass one row per "
                             f"{'class' if name == 'weight' else 'sample'}")
        self.n, self.d = (int(size) for size in self.values.shape)
        if not self.n or not self.d:
            raise ValueError(f"expected {name} of at least one sample and one node, got shape ({self.n}, {self.d}); "
                             "pass the rows that were to be measured")
        self.format, self.eps, self.smallest = precision(self.values.dtype)
        self._refuse_non_finite()
        self._refuse_extremes()

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Runs of rows, as slices and as (rows, d) float64: to read, and only until the next is asked for.

        All blocks lie in one buffer, because fresh memory costs several times what is computed in it.
        """
        buffer = self.buffer()
        for start in range(0, self.n, len(buffer)):
            part = slice(start, min(start + len(buffer), self.n))
            block = buffer[:part.stop - start]
            if isinstance(self.values, torch.Tensor):
                torch.from_numpy(block).copy_(self.values[part])
            else:
                np.copyto(block, self.values[part])
            yield part, block

    def buffer(self) -> np.ndarray:
        """Memory for what is computed from a block: (rows, d) float64, at least as long as any block."""
        return np.empty((min(self.n, max(1, BLOCK // self.d)), self.d))

    def picked(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The rows of these indices, in runs as long as a block: indices and (rows, d) float64, to read."""
        size = max(1, BLOCK // self.d)
        for start in range(0, len(rows), size):
            yield rows[start:start + size], self.some(rows[start:start + size])

    def some(self, rows: np.ndarray | slice) -> np.ndarray:
        """The rows of these indices: (rows, d) float64, to read."""
        values = self.values[rows]
        return values.double().numpy() if isinstance(values, torch.Tensor) else np.asarray(values, np.float64)

    def native_nodes(self, part: slice) -> np.ndarray:
        """The values of some nodes, one node per row: (nodes, n), a copy in the data's format where NumPy has it."""
        values = self.values[:, part]
        if isinstance(values, torch.Tensor):
            foreign = values.is_floating_point() and self.format not in ("float16", "float32", "float64")
            values = (values.float() if foreign else values).numpy()
        return np.array(values.T, order="C")

    def node_slices(self, values: int = BLOCK) -> Iterator[slice]:
        """Runs of nodes that together have at most that many ``values``, but at least one node each."""
        size = max(1, values // self.n)
        for start in range(0, self.d, size):
            yield slice(start, min(start + size, self.d))

    @overload
    def error(self, sizes: float) -> float: ...
    @overload
    def error(self, sizes: np.ndarray) -> NDArray[np.float64]: ...
    def error(self, sizes: float | np.ndarray) -> float | NDArray[np.float64]:
        """How far numbers of these ``sizes`` may be off only because they were computed and stored in this format.

        2·eps·size, eps the spacing of the format at 1 (float32: 1.2e-7), and no less than its smallest step. Storing
        alone gives 0.2·eps·|z| (root mean square). The sums of a linear layer add to it: float32 against float64
        in networks of this lab gave 0.95 (hypercube data), 2.0 (digits) and 3.5 (moons). So 2 is the size of the
        error to expect, not a bound.
        """
        error: np.float64 | NDArray[np.float64] = np.maximum(STEPS * self.eps * np.asarray(sizes, np.float64),
                                                             self.smallest)
        return error

    def _refuse_non_finite(self) -> None:
        bad = np.concatenate([part.start + _non_finite(block) for part, block in self.blocks()])
        if bad.size:
            raise ValueError(f"expected finite {self.name}, got NaN or infinity in {bad.size:,} of {self.n:,} rows, "
                             f"the first in row {bad[0]}; leave those rows out, or look for where the run diverged")

    def _refuse_extremes(self) -> None:
        if self.smallest > 1e-300:  # a format whose squares all fit into float64
            return
        largest = max(max(block.max(), -block.min()) for _, block in self.blocks())
        if largest > 1e140 or 0 < largest < 1e-140:
            raise ValueError(f"expected {self.name} of sizes from 1e-140 to 1e140, got up to {largest:.2g}; "
                             "rescale them, their squares do not fit into float64")


def _non_finite(block: np.ndarray) -> np.ndarray:
    """Indices of rows with NaN or infinity. One such makes the sum of all not finite; huge terms may do so too."""
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(block.sum())
    return np.flatnonzero(~np.isfinite(block).all(axis=1)) if suspicious else np.empty(0, int)


def less(block: np.ndarray, points: np.ndarray, own: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Each row of a block less its own of the ``points`` (K, d), in the memory of ``out``: (rows, d)."""
    away: np.ndarray = out[:len(block)]
    np.take(points, own, axis=0, out=away, mode="clip")  # "clip" because "raise" takes new memory
    np.subtract(block, away, out=away)
    return away


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Norm of each row of ``vectors`` (n, d): (n,)."""
    norms: np.ndarray = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return norms


def _on_cpu(values: Any, name: str) -> np.ndarray | torch.Tensor:
    if isinstance(values, torch.Tensor):
        if values.layout != torch.strided:
            raise ValueError(f"expected dense {name}, got layout {values.layout}; pass them through .to_dense()")
        tensor = values.detach().cpu()
        if tensor.is_complex():
            raise ValueError(f"expected {name} of real numbers, got {tensor.dtype}; pass the real part")
        return tensor
    if np.ma.is_masked(values):
        raise ValueError(f"expected {name} without masked entries, got {np.ma.count_masked(values):,} of them; leave "
                         "those rows out, or fill them")
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"expected {name} of real numbers, got dtype {array.dtype}; convert to a floating format")
    return array


@lru_cache
def precision(dtype: np.dtype[Any] | torch.dtype) -> tuple[str, float, float]:
    """Name, spacing at 1 and smallest step of a format. Whole numbers are exact in float64."""
    name = str(dtype).removeprefix("torch.")
    if isinstance(dtype, torch.dtype):
        info = torch.finfo(dtype if dtype.is_floating_point else torch.float64)
        return name, info.eps, info.smallest_normal * info.eps
    found = np.finfo(dtype if dtype.kind == "f" and dtype.itemsize <= 8 else np.float64)
    return name, float(found.eps), float(found.smallest_subnormal)
