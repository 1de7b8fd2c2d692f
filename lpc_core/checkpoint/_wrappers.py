"""What training loops put around a state dict, taken off and listed: wrapper keys, prefixes, averages.

A checkpoint may hold the state dict under a key (`WRAPPERS`), beside optimiser states and other tensors (left out and
noted) and plain values (kept as metadata). Several with the same tensors, raw and averaged ones, are a choice; without
one the first is read. Then every name may carry a prefix that DataParallel (``module.``), torch.compile
(``_orig_mod.``), Lightning (``model.``, ``net.``) or an averaged model (``n_averaged`` beside ``module.…``) put there.
Objects are never built (`Foreign`): outside the tensors they are left out and named, among them the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import methodcaller
from typing import Any, TypeVar

from lpc_core.checkpoint._base import FileRefused, refusal
from lpc_core.checkpoint._message import some
from lpc_core.checkpoint.formats.plain import Foreign, Plain
from lpc_core.files.words import printable

Leaf = TypeVar("Leaf", bound=Any)  # a tensor in any form, with a shape

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "weights", "params",
            "current_model_state", "student", "online_model", "state_dict_ema", "model_ema", "ema_state_dict",
            "ema_model", "ema", "ema_weights", "model_state_dict_ema", "ema_model_state_dict", "swa_state_dict",
            "swa_model", "swa", "averaged_model", "model_avg", "teacher")  # fmt: skip
AVERAGED = re.compile(r"(^|[_.])(ema|swa|avg|averaged?|polyak|teacher|momentum|shadow|target)([_.]|$)", re.IGNORECASE)
TRAINING = ("optimizer", "optimizers", "optimizer_state_dict", "optimizer_states", "optim", "scheduler", "schedulers",
            "lr_scheduler", "lr_schedulers", "scheduler_state_dict", "scaler", "amp", "amp_scaler", "grad_scaler",
            "rng_state", "rng_states", "loops", "callbacks", "averaging_state")  # fmt: skip
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
LIGHTNING = ("model.", "net.")  # prefixes that some names may lack, those of losses and metrics beside the model
HEAD = re.compile(r"(^|[_.])(head|classifier|fc|linear|probe)([_.]|$)", re.IGNORECASE)
AROUND = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")  # what wraps modules anywhere
PARAMETERS = ("weight", "bias", "w", "b")  # names under which an object would be a tensor of a kind of its own
CONVERT = ("in Python: torch.save(model.state_dict(), 'weights.pt') or "
           "safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')")
MAX_DEPTH = 8  # dictionaries within dictionaries
MAX_ITEMS = 3_000_000  # looked at; a pickle can hold one list in many places
MOST_TWINS = 20  # keys compared with a wrapper key


class Unwrapped:
    """The named leaves of a checkpoint, what was taken off, plain values beside them (metadata), and notes.

    ``objects`` are all that the file asks for; ``wanted`` names the weights to read where it holds several (`weights`).
    """

    def __init__(self, root: Any, is_leaf: Callable[[Any], bool], objects: Sequence[Foreign],
                 wanted: str | None = None) -> None:
        self.stripped: list[str] = []
        self.metadata: dict[str, Any] = {}
        self.notes: list[str] = []
        self.leaves: dict[str, Any] = {}
        self.weights: list[str] = []  # keys of state dicts with the same tensors, the one that was read first
        self._is_leaf, self._wanted = is_leaf, wanted
        self._plain, self._items_left = Plain(), MAX_ITEMS
        self._inside: set[int] = set()  # containers we are in: a pickle can put one into itself
        if _is_training("", root):
            raise refusal("the weights of a network", "the state of an optimiser", CONVERT)
        if not self._collect(self._unwrap(root), "", 0):
            if objects:
                raise not_plain(objects[0])
            raise refusal("a state dict with tensors", "none in the file", "save model.state_dict() with torch.save "
                          "(this file holds no tensors)")
        if objects:
            names = list(dict.fromkeys(printable(thing.name) for thing in objects))
            self.notes.append(f"left out, never built: objects of {some(names, 8)}")
        if self._plain.cut:
            self.notes.append("metadata was cut: it is longer or deeper than what is kept")

    def _unwrap(self, value: Any) -> Any:
        """The innermost dictionary under wrapper keys."""
        for _ in range(MAX_DEPTH):
            if not isinstance(value, dict):
                break
            self._refuse_whole_models(value)
            there, others = self._wrapped(value)
            if not there or (others and "state" not in there[0]):  # no module is called state_dict
                break
            taken = self._taken(there, value)
            self.stripped.append(taken)
            heads = {key: value[key] for key in others if isinstance(key, str) and HEAD.search(key)
                     and isinstance(value[key], dict) and key not in value[taken]}
            for key, item in value.items():
                if key not in there and key not in heads:
                    self._keep_beside(key, item)
            value = {**value[taken], **heads} if heads else value[taken]  # a head beside the rest belongs to it
        return value

    def _wrapped(self, value: dict[Any, Any]) -> tuple[list[str], list[Any]]:
        """The wrapper keys with tensors behind them, and keys with the same tensors as the first of those; other keys
        with tensors.
        """
        holding = [key for key, item in value.items() if not _is_training(key, item) and self._holds_leaves(item)]
        there = [key for key in WRAPPERS if key in holding]
        others = [key for key in holding if key not in WRAPPERS]
        if there and others:
            form = _form(self._within(value[there[0]]))
            there += [key for key in others[:MOST_TWINS]
                      if isinstance(key, str) and len(key) < 100 and key.isprintable()
                      and _form(self._within(value[key])) == form]
        return there, [key for key in others if key not in there]

    def _refuse_whole_models(self, value: dict[Any, Any]) -> None:
        """Refuse a model saved whole under a wrapper key: what lies beside it would be taken for the weights."""
        for key in WRAPPERS:
            if isinstance(model := value.get(key), Foreign):
                raise not_plain(model, f", under {key!r}")

    def _taken(self, there: list[str], value: dict[Any, Any]) -> str:
        """Which of the wrapper keys is read: the one that is wanted, else the first; its twins are a choice."""
        forms = {key: _form(self._within(value[key])) for key in there}
        twins = [key for key in there if forms[key] == forms[there[0]]]
        taken = picked(self._wanted, twins) if len(twins) > 1 else there[0]
        if len(twins) > 1:
            self.weights = [taken, *(key for key in twins if key != taken)]
            self._wanted = None
        if left := [key for key in there if key != taken]:
            self.notes.append(f"read {taken!r}; left out: {', '.join(map(repr, left))}, also in the file")
        return taken

    def _within(self, value: dict[Any, Any]) -> dict[str, Any]:
        """The tensors in ``value``, of the first levels, under dotted names and without prefixes."""
        level = [("", value)]
        found: dict[str, Any] = {}
        for _ in range(3):
            items = [(f"{prefix}{key}", item) for prefix, inner in level for key, item in islice(inner.items(), 20_000)]
            found |= {name: item for name, item in items if self._is_leaf(item)}
            level = [(f"{name}.", item) for name, item in items if isinstance(item, dict)]
        return strip_prefixes(found)[0]

    def _holds_leaves(self, value: Any, kinds: tuple[type, ...] = (dict,)) -> bool:
        """Whether ``value``, of one of ``kinds``, has a leaf within three levels (of the first 20,000 items each)."""
        level: list[Any] = [value] if isinstance(value, kinds) else []
        for _ in range(3):
            inner: Iterator[Any] = (item.values() if isinstance(item, dict) else item for item in level)
            items: list[Any] = list(islice(chain.from_iterable(inner), 20_000))
            if any(map(self._is_leaf, items)):
                return True
            level = [item for item in items if isinstance(item, kinds)]
        return False

    def _keep_beside(self, key: Any, item: Any) -> None:
        what = ""
        if _is_training(key, item):
            what = "training state"
        elif self._is_leaf(item):
            what = "a tensor beside the state dict"
        else:
            self.metadata[printable(key, 200)] = self._plain.value(item)
            what = "tensors beside the state dict" if self._holds_leaves(item, (dict, list, tuple)) else ""
        if what:
            self.notes.append(f"left out: {printable(repr(key))} ({what})")

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
            if depth == 0 and _is_training(key, item) and not self._is_leaf(item):
                self._keep_beside(key, item)
            elif self._collect(item, f"{prefix}{key}.", depth + 1):
                found = True
            else:
                rest[f"{prefix}{key}"] = item
        self._inside.discard(id(value))
        if found:
            self._refuse_among_tensors(rest)
        if found or depth == 0:
            self.metadata |= {printable(name, 200): self._plain.value(item) for name, item in rest.items()}
        return found

    def _refuse_among_tensors(self, rest: dict[str, Any]) -> None:
        """Refuse an object in the place of a tensor; what a state dict carries beside its tensors is none."""
        for name, item in rest.items():
            beside = name.endswith("_extra_state") or ("." not in name and not self.stripped)
            if isinstance(item, Foreign) and not (beside and name not in PARAMETERS):
                raise not_plain(item, f", at {printable(name)!r}")


def _is_training(key: Any, item: Any) -> bool:
    """Whether this is no part of a network: by its name, or an optimiser's state by its form."""
    return key in TRAINING or (isinstance(item, dict) and {"state", "param_groups"} <= item.keys())


def not_plain(thing: Foreign, where: str = "") -> FileRefused:
    """The refusal of an object where tensors belong."""
    return refusal("a torch file of tensors and plain values",
                   f"a pickle with the name {thing.name[:80]!r}, which plain data does not need{where}", CONVERT)


def averaged(name: str) -> bool:
    """Whether weights under this name are an average over the steps of training (EMA, SWA, a teacher)."""
    return AVERAGED.search(name) is not None


def picked(wanted: str | None, twins: Sequence[str]) -> str:
    """The weights that are ``wanted`` by their name, or by "raw" or "averaged"; the first where nothing is."""
    if wanted is None:
        return twins[0]
    named = [key for key in twins if key == wanted]
    found = named or [key for key in twins if wanted == ("averaged" if averaged(key) else "raw")]
    if not found:
        raise refusal(f"one of the file's weights, {', '.join(map(repr, twins))}", printable(repr(wanted)),
                      "choose one of them")
    return found[0]


def unprefixed(leaves: dict[str, Leaf], metadata: Mapping[str, Any], weights: Sequence[str], wanted: str | None,
               off: Sequence[str] = ()) -> tuple[dict[str, Leaf], list[str], list[str], list[str]]:
    """The leaves without prefixes that all names share; what was taken off, the weights to choose from, and notes.

    Where names begin with the same weights several times, raw and averaged, those that are ``wanted`` (see `picked`),
    unless a choice among ``weights`` was made already. ``off`` was taken off before.
    """
    lightning = any(key.startswith("pytorch-lightning") for key in metadata)
    found, notes = list(weights), []
    leaves, stripped = strip_prefixes(leaves)
    parts = {} if found else branches(leaves)
    if lightning and not parts:
        leaves, more = strip_prefixes(leaves, partly=True)
        stripped += more
    if parts:
        taken = picked(wanted, list(parts))
        found = [taken, *(part for part in parts if part != taken)]
        leaves, stripped = parts[taken], [*stripped, f"{taken}."]
        notes.append(f"read {taken!r}; left out: {', '.join(map(repr, found[1:]))}, also in the file")
    elif wanted and not found:
        raise refusal("weights of one kind only, which is what the file holds", f"a wish for {printable(repr(wanted))}",
                      "leave it out")
    if "n_averaged" in stripped or any(map(averaged, [*off, *stripped])):
        notes.append("these are averaged weights")
    return leaves, stripped, found, notes


def branches(leaves: Mapping[str, Leaf]) -> dict[str, dict[str, Leaf]]:
    """{first part of the names: the tensors under it} where all tensors lie under parts that hold the same ones.

    One of the parts must be named as averages are; numbers beside them (how often was averaged) do not count. Empty for
    an ordinary network.
    """
    parts: dict[str, dict[str, Leaf]] = {}
    for name, leaf in leaves.items():
        first, dot, rest = name.partition(".")
        if dot:
            parts.setdefault(first, {})[rest] = leaf
        elif any(size != 1 for size in leaf.shape):
            return {}
    parts = {first: strip_prefixes(inner)[0] for first, inner in parts.items()}
    alike = len(parts) > 1 and len({_form(inner) for inner in parts.values()}) == 1
    return parts if alike and any(map(averaged, parts)) and not all(map(averaged, parts)) else {}


def _form(leaves: Mapping[str, Any]) -> frozenset[tuple[str, tuple[int, ...]]]:
    """Names and sizes, in any order."""
    return frozenset((name, tuple(leaf.shape)) for name, leaf in leaves.items())


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
    while leaves and (prefix := next((prefix for prefix in PREFIXES if all(
            name.startswith(prefix) and len(name) > len(prefix) for name in leaves)), "")):
        leaves = {name.removeprefix(prefix): leaf for name, leaf in leaves.items()}
        stripped.append(prefix)
    for prefix in LIGHTNING if partly else ():
        leaves, stripped = _renamed(leaves, stripped, prefix, methodcaller("removeprefix", prefix))
    for wrap in AROUND:
        leaves, stripped = _renamed(leaves, stripped, wrap, methodcaller("replace", wrap, ""))
    return leaves, stripped


def _renamed(leaves: dict[str, Leaf], stripped: list[str], what: str,
             rename: Callable[[str], str]) -> tuple[dict[str, Leaf], list[str]]:
    """The leaves under their new names, if any changes and all stay different."""
    renamed = {rename(name): leaf for name, leaf in leaves.items()}
    if len(renamed) < len(leaves) or "" in renamed or list(renamed) == list(leaves):
        return leaves, stripped
    return renamed, [*stripped, what]
