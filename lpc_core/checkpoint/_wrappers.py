"""What training loops put around a state dict, taken off and listed: wrapper keys, prefixes, averages.

A checkpoint may hold the state dict under a key (`WRAPPERS`, the first that is there wins and the others are noted),
beside optimiser states (left out and noted) and plain values (kept as metadata). Then every name may carry a prefix
that DataParallel (``module.``), torch.compile (``_orig_mod.``), Lightning (``model.``, ``net.``) or an averaged model
(``n_averaged`` beside ``module.…``) put there.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, islice
from typing import Any, TypeVar

from lpc_core.checkpoint._base import printable, refusal
from lpc_core.checkpoint._plain import Plain

Leaf = TypeVar("Leaf")

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "weights", "params",
            "state_dict_ema", "model_ema", "ema_state_dict", "ema_model", "ema")  # fmt: skip
TRAINING = ("optimizer", "optimizers", "optimizer_state_dict", "optimizer_states", "optim", "scheduler", "schedulers",
            "lr_scheduler", "lr_schedulers", "scheduler_state_dict", "scaler", "amp", "amp_scaler", "grad_scaler",
            "rng_state", "rng_states", "loops", "callbacks")  # fmt: skip
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
LIGHTNING = ("model.", "net.")  # prefixes that some names may lack, those of losses and metrics beside the model
MAX_DEPTH = 8  # dictionaries within dictionaries
MAX_ITEMS = 3_000_000  # looked at; a pickle can hold one list in many places


class Unwrapped:
    """The named leaves of a checkpoint, what was taken off, plain values beside them (metadata), and notes."""

    def __init__(self, root: Any, is_leaf: Callable[[Any], bool]) -> None:
        self.stripped: list[str] = []
        self.metadata: dict[str, Any] = {}
        self.notes: list[str] = []
        self.leaves: dict[str, Any] = {}
        self._is_leaf, self._plain, self._items_left = is_leaf, Plain(), MAX_ITEMS
        self._inside: set[int] = set()  # containers we are in: a pickle can put one into itself
        if not self._collect(self._unwrap(root), "", 0):
            raise refusal("a state dict with tensors", "none in the file", "save model.state_dict() with torch.save")
        lightning = any(key.startswith("pytorch-lightning") for key in self.metadata)
        self.leaves, prefixes = strip_prefixes(self.leaves, partly=lightning)
        self.stripped += prefixes
        if self._plain.cut:
            self.notes.append("metadata was cut: it is longer or deeper than what is kept")

    def _unwrap(self, value: Any) -> Any:
        """The innermost dictionary under wrapper keys."""
        for _ in range(MAX_DEPTH):
            if not isinstance(value, dict):
                break
            holding = [key for key, item in value.items() if self._holds_leaves(item)]
            there = [key for key in WRAPPERS if key in holding]
            if not there or not set(holding) <= {*WRAPPERS, *TRAINING}:
                break
            self.stripped.append(there[0])
            if len(there) > 1:
                self.notes.append(f"read {there[0]!r}; left out: {', '.join(map(repr, there[1:]))}, also in the file")
            for key, item in value.items():
                if key not in there:
                    self._keep_beside(key, item)
            value = value[there[0]]
        return value

    def _holds_leaves(self, value: Any) -> bool:
        """Whether ``value`` is a dictionary with a leaf within three levels (of the first 20,000 items each)."""
        level = [value] if isinstance(value, dict) else []
        for _ in range(3):
            items = list(islice(chain.from_iterable(inner.values() for inner in level), 20_000))
            if any(map(self._is_leaf, items)):
                return True
            level = [item for item in items if isinstance(item, dict)]
        return False

    def _keep_beside(self, key: Any, item: Any) -> None:
        if key in TRAINING or self._is_leaf(item):
            what = "training state" if key in TRAINING else "a tensor beside the state dict"
            self.notes.append(f"left out: {printable(repr(key))} ({what})")
        else:
            self.metadata[printable(key, 200)] = self._plain.value(item)

    def _collect(self, value: Any, prefix: str, depth: int) -> bool:
        """Keep the leaves in ``value`` under dotted names and, beside leaves, other values as metadata.

        Returns whether there was a leaf.
        """
        if self._is_leaf(value):
            self.leaves[prefix.removesuffix(".") or "tensor"] = value
            return True
        if not isinstance(value, dict | list | tuple) or id(value) in self._inside or depth > MAX_DEPTH:
            return False
        self._items_left -= len(value)
        if self._items_left < 0:
            raise refusal(f"at most {MAX_ITEMS:,} values in a checkpoint", "more", "save model.state_dict() alone")
        self._inside.add(id(value))
        found, rest = False, {}
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if depth == 0 and key in TRAINING and not self._is_leaf(item):
                self._keep_beside(key, item)
            elif self._collect(item, f"{prefix}{key}.", depth + 1):
                found = True
            else:
                rest[f"{prefix}{key}"] = item
        self._inside.discard(id(value))
        if found or depth == 0:
            self.metadata |= {printable(name, 200): self._plain.value(item) for name, item in rest.items()}
        return found


def strip_prefixes(leaves: dict[str, Leaf], *, partly: bool = False) -> tuple[dict[str, Leaf], list[str]]:
    """The leaves with prefixes taken off that all names share, and those prefixes.

    ``partly`` also takes Lightning's off where only some names have them. Nothing is taken off where two names would
    become one.
    """
    stripped: list[str] = []
    if "n_averaged" in leaves and len(leaves) > 1 and all(name == "n_averaged" or name.startswith("module.")
                                                          for name in leaves):
        leaves = {name: leaf for name, leaf in leaves.items() if name != "n_averaged"}
        stripped.append("n_averaged")
    while prefix := next((prefix for prefix in PREFIXES if all(
            name.startswith(prefix) and len(name) > len(prefix) for name in leaves)), ""):
        leaves = {name.removeprefix(prefix): leaf for name, leaf in leaves.items()}
        stripped.append(prefix)
    for prefix in LIGHTNING if partly else ():
        leaves, stripped = _renamed(leaves, stripped, prefix, lambda name, prefix=prefix: name.removeprefix(prefix))
    return _renamed(leaves, stripped, "_orig_mod.", lambda name: name.replace("_orig_mod.", ""))


def _renamed(leaves: dict[str, Leaf], stripped: list[str], what: str,
             rename: Callable[[str], str]) -> tuple[dict[str, Leaf], list[str]]:
    """The leaves under their new names, if any changes and all stay different."""
    renamed = {rename(name): leaf for name, leaf in leaves.items()}
    if len(renamed) < len(leaves) or "" in renamed or list(renamed) == list(leaves):
        return leaves, stripped
    return renamed, [*stripped, what]
