"""The orders in which fully connected layers and norms can follow each other, by their shapes and numbers in names.

safetensors files keep no order: what writes them sorts by name, so there the order of the file says nothing. Shapes
must follow each other; modules whose names differ first in a number come in the order of the numbers (2 before 10).
What is left open is a choice of the user's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from lpc_core.inspection.layouts._base import Tensors

MOST_ORDERS = 8  # that are looked for
MOST_STEPS = 20_000  # of the search


@dataclass(frozen=True)
class Layer:
    """The tensors of one module, a dense layer or a norm."""

    name: str
    kind: str  # "dense" | "batch-norm" | "layer-norm"
    inside: int  # features that go in
    outside: int  # features that come out
    bias: bool  # of a norm: whether it has weights of its own


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts ``net.10`` after ``net.2``."""
    parts = [part for part in re.split(r"(\d+)|[._]", name) if part]
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def is_chain(order: Sequence[Layer]) -> bool:
    """Whether each one's features are the next one's, with a dense layer at the end."""
    return order[-1].kind == "dense" and all(a.outside == b.inside for a, b in pairwise(order))


def says_nothing(tensors: Tensors) -> bool:
    """Whether the order of a file's tensors is that of a writer that sorts: by type, and within one by name."""
    runs = [list(run) for _, run in groupby(tensors, key=lambda name: tensors[name].dtype)]
    return len(runs) == len({tensor.dtype for tensor in tensors.values()}) and all(run == sorted(run) for run in runs)


def orders(layers: Sequence[Layer]) -> list[list[Layer]]:
    """Every order that shapes and numbers allow, at most `MOST_ORDERS`; none where nothing fits.

    Numbers of modules of other kinds (bn1 beside fc1) count as far as there is an order that respects them.
    """
    for usual in (True, False):
        for rule in (_before_by_any_number, _before_by_number):
            if found := _search(layers, [[rule(a, b) for b in layers] for a in layers], usual=usual):
                return found
    return []


def _before_by_number(a: Layer, b: Layer) -> bool:
    """Whether ``a`` must come before ``b``: their names first differ in a number."""
    for one, other in zip(natural(a.name), natural(b.name), strict=False):
        if one != other:
            return one[0] == other[0] == 0 and one < other
    return False


def _before_by_any_number(a: Layer, b: Layer) -> bool:
    """The same, and a norm comes between the dense layer with its number and the next one (fc1, bn1, fc2, bn2)."""
    if (a.kind == "dense") == (b.kind == "dense"):
        return _before_by_number(a, b)
    one, other = ([part[1] for part in natural(layer.name) if part[0] == 0] for layer in (a, b))
    if not one or len(one) != len(other):
        return _before_by_number(a, b)
    return one < other or (one == other and a.kind == "dense" and not _before_by_number(b, a))


def _search(layers: Sequence[Layer], before: list[list[bool]], *, usual: bool) -> list[list[Layer]]:
    """Chains through all ``layers`` in which i comes before j where ``before[i][j]``; depth first, bounded.

    ``usual``: no norm after a norm, nor at the very start, where a dense layer can stand there.
    """
    found: list[list[Layer]] = []
    stack: list[list[int]] = [[]]
    for _ in range(MOST_STEPS):
        if not stack or len(found) >= MOST_ORDERS:
            break
        path = stack.pop()
        left = [i for i in range(len(layers)) if i not in path]
        ready = [i for i in left if (not path or layers[path[-1]].outside == layers[i].inside)
                 and not any(before[j][i] for j in left)]
        if usual and (not path or layers[path[-1]].kind != "dense"):
            ready = [i for i in ready if layers[i].kind == "dense"] or ready
        stack += [[*path, i] for i in reversed(ready)]
        if not left and layers[path[-1]].kind == "dense":
            found.append([layers[i] for i in path])
    return found
