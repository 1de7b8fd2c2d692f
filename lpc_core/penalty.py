"""The LPC penalty for a training loop of one's own: γ‖z‖² of a named layer, read through a forward hook."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lpc_core.losses import latent_l2
from lpc_core.losses.latent_l2 import CONVENTIONS

WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}  # parts they add to names
MOST_NAMES = 8  # layers an error lists
ALIKE = 0.6  # likeness of two names, 0…1, from which one may have been meant by the other

Select = int | str | Callable[[Any], Tensor]


class LatentPenalty:
    """γ‖z‖² of the layer ``layer`` of ``model`` (arXiv 2310.08224), a loss term of a plain PyTorch loop:

    .. code-block:: python

        penalty = lpc_core.LatentPenalty(model, layer="penultimate", gamma=1e-3)
        schedule = lpc_core.GammaSchedule(penalty, start=1e-3, end=100.0, steps=600)
        for inputs, labels in batches:
            loss = F.cross_entropy(model(inputs), labels) + penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

    The layer should be *linear* and the input of the last linear layer: after a ReLU a strong γ sends everything to 0.
    Its name is the one in ``model.named_modules()``; the parts that DataParallel, DDP, FSDP or torch.compile put before
    it may be left out or not. Its output must be the latents (N, d); (N, d, 1, 1), as pooling leaves it, is taken for
    (N, d). Where it returns a tuple or a dict, ``select`` says which part: an index, a key or a function of the output.

    ``convention``: "sum" is the paper's γ‖z‖², summed over the d nodes; "mean" is its authors' code, which averages
    over them and so is d times weaker at the same γ. The penalty is computed in float32 (float64 for float64 latents),
    also under autocast. It is the mean over the batch, as cross-entropy is by default: with gradient accumulation call
    it after each forward pass and divide it with the rest of the loss.

    Only the last call of the layer since the model was last called counts; taking the penalty lets go of the graph, so
    that each forward pass gives one penalty. `latents` keeps the values, without graph, for metrics. `remove`, the end
    of a ``with`` block, or letting go of this object takes the hooks off the model. A copy of the model (deepcopy or
    pickle, alone) is not watched, and its ``state_dict`` has nothing of this; a copy of an object that holds model and
    penalty watches its own model. Compile a model after making the penalty, or before its first call.

    Raises `ValueError` for a layer that does not exist (with the names that come close), another convention or γ.
    """

    _handles: tuple[Any, ...] = ()

    def __init__(self, model: nn.Module, layer: str = "penultimate", *, gamma: float, convention: str = "sum",
                 select: Select | None = None) -> None:
        if convention not in CONVENTIONS:
            raise ValueError(f"convention: expected {' or '.join(CONVENTIONS)}, got {convention!r}; "
                             "sum is the paper's equation, mean its authors' code")
        self.gamma, self.convention, self.select = gamma, convention, select
        if not isinstance(model, nn.Module):
            raise ValueError(f"expected a torch.nn.Module, got a {type(model).__name__}; pass the model "
                             "that has the layer")
        self.layer, watched = find_layer(model, layer)
        self._watch = _Watch()
        self._seen: Tensor | None = None
        self._handles = (model.register_forward_pre_hook(self._watch.begin),
                         watched.register_forward_hook(self._watch))

    @property
    def gamma(self) -> float:
        """γ in this object's convention: a finite number of at least 0, which a `GammaSchedule` may move."""
        return self._gamma

    @gamma.setter
    def gamma(self, value: float) -> None:
        self._gamma = checked_gamma(value)

    @property
    def latents(self) -> Tensor:
        """The latents (N, d) of the last forward pass, without graph, as the layer gave them (dtype, device)."""
        if self._watch.outputs:
            return self._take().detach()
        if self._seen is None:
            raise RuntimeError(self._nothing_yet())
        return self._seen

    def penalty(self) -> Tensor:
        """γ‖z‖² of the last forward pass: a scalar to add to the loss. Lets go of the pass's graph.

        Raises `RuntimeError` before a forward pass, and for latents without gradient while gradients are on (under
        ``torch.no_grad`` the value alone is returned); `ValueError` for outputs that are no latents (N, d).
        """
        if not self._watch.outputs:
            raise RuntimeError(self._nothing_yet())
        latents = self._take()
        self._watch.outputs.clear()
        self._seen = latents.detach()
        if torch.is_grad_enabled() and not latents.requires_grad:
            raise RuntimeError(f"expected latents of {self.layer} with a gradient, got some without; call the model "
                               "with gradients on, something trainable up to that layer and no reentrant checkpoint "
                               "around it, or take the penalty under torch.no_grad() to measure it")
        with torch.autocast(latents.device.type, enabled=False):
            return self.gamma * latent_l2(latents, self.convention)

    __call__ = penalty

    def remove(self) -> None:
        """Take the hooks off the model and forget what they saw. Doing so again does nothing."""
        for handle in self._handles:
            handle.remove()
        if self._handles:
            self._handles, self._seen = (), None
            self._watch.outputs.clear()

    def __enter__(self) -> LatentPenalty:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def __del__(self) -> None:
        self.remove()

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_seen": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._watch.armed = bool(self._handles)  # the copied watch hangs in the copied model, if that came along

    def __repr__(self) -> str:
        return f"LatentPenalty({self.layer!r}, gamma={self.gamma:g}, convention={self.convention!r})"

    def _take(self) -> Tensor:
        """The latents (N, d) of every replica, one after the other, with graph."""
        if self._watch.changed():
            raise RuntimeError(f"expected the output of {self.layer} as the layer gave it, got one that was changed in "
                               "place afterwards; make what follows it work on a copy (inplace=False)")
        parts = [as_latents(output, self.layer, self.select) for output in self._watch.outputs.values()]
        return parts[0] if len(parts) == 1 else torch.cat([part.to(parts[0].device) for part in parts])

    def _nothing_yet(self) -> str:
        if not self._handles:
            return "expected a penalty that is still on its model, got one that was removed; make a new LatentPenalty"
        return (f"expected a forward pass through {self.layer} before each penalty, got none since the last; call the "
                "model first (and a compiled model for the first time only after LatentPenalty was made)")


class _Watch:
    """The hook: keeps the layer's last output, with graph, until it is taken or the model is called again.

    Copies and pickles of it are empty and keep nothing, unless a `LatentPenalty` copied along with them arms them.
    """

    def __init__(self) -> None:
        self.outputs: dict[int, Any] = {}  # by module: DataParallel runs one replica per device
        self.versions: dict[int, int] = {}  # of those outputs that count theirs
        self.armed = True

    def begin(self, model: nn.Module, arguments: Any) -> None:
        """Before the model runs: let go of what the last pass left."""
        if getattr(model, "_is_replica", False):
            raise RuntimeError("expected LatentPenalty to be made of the DataParallel model itself, got the module "
                               "inside it; pass the outer model (the layer keeps its name)")
        self.outputs.clear()

    def __call__(self, layer: nn.Module, arguments: Any, output: Any) -> None:
        """After the layer ran."""
        if self.armed:
            self.outputs[id(layer)] = output
            self.versions[id(layer)] = _version(output)

    def changed(self) -> bool:
        """Whether somebody has written into an output since."""
        return any(_version(output) != self.versions[key] for key, output in self.outputs.items())

    def __getstate__(self) -> dict[str, Any]:
        return {"outputs": {}, "versions": {}, "armed": False}


def _version(output: Any) -> int:
    """How often a tensor was written into; 0 for what does not count it."""
    counts = isinstance(output, Tensor) and not torch.compiler.is_compiling() and not output.is_inference()
    return output._version if counts else 0


def checked_gamma(value: object) -> float:
    """``value`` as γ; `ValueError` unless it is a finite number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= sys.float_info.max:
        raise ValueError(f"gamma: expected a finite number of at least 0, got {value!r}; pass a float such as 1e-3")
    return float(value)


def find_layer(model: nn.Module, name: str) -> tuple[str, nn.Module]:
    """The full name of the submodule that ``name`` means, and the submodule; `ValueError` names what comes close.

    An exact name of ``model.named_modules()`` wins; else names are compared without the parts that wrappers add.
    """
    modules = {full: module for full, module in model.named_modules(remove_duplicate=False) if full}
    if name in modules:
        return name, modules[name]
    same = {full: module for full, module in modules.items() if _bare(full) == _bare(str(name)) != ""}
    if len({id(module) for module in same.values()}) == 1:
        return next(iter(same.items()))
    if same:
        raise ValueError(f"layer: expected the name of one layer, got {name!r}, which fits {', '.join(same)}; "
                         "give one of them in full")
    raise ValueError(f"layer: expected the name of a layer of this model, got {name!r}; {_hint(str(name), modules)}")


def _bare(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _hint(name: str, modules: dict[str, nn.Module]) -> str:
    """Which layers ``name`` may have meant: those nearest to it as a whole or in their last part; else the first."""
    likeness = {full: max(_likeness(_bare(name), _bare(full)), _likeness(*(n.rpartition(".")[2] for n in (name, full))))
                for full in modules}
    least = max(ALIKE, max(likeness.values(), default=0.0) - 0.1)
    close = [full for full in modules if likeness[full] >= least][:MOST_NAMES]
    if close:
        return f"did you mean {' or '.join(close)}? (model.named_modules() has all {len(modules)})"
    if not modules:
        return "it has no layers with a name; wrap it in a module that has"
    more = ", …" if len(modules) > MOST_NAMES else ""
    return f"choose one of its {len(modules)}: {', '.join([*modules][:MOST_NAMES])}{more}"


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio()


def as_latents(output: Any, layer: str, select: Select | None = None) -> Tensor:
    """``output`` of ``layer``, or the part of it that ``select`` names, as latents (N, d); else `ValueError`."""
    latents = output if select is None else _selected(output, layer, select)
    if not isinstance(latents, Tensor):
        raise ValueError(f"expected a tensor from {layer}, got {_kind(latents)}; pass select= an index, a key, or a "
                         "function that picks the latents from its output")
    if not latents.is_floating_point():
        raise ValueError(f"expected floating-point latents from {layer}, got {latents.dtype}; name the layer whose "
                         "output is the input of the head")
    if latents.ndim < 2 or any(size != 1 for size in latents.shape[2:]):
        raise ValueError(f"expected latents (N, d) from {layer}, got {tuple(latents.shape)}; name a layer with one "
                         "vector per sample, or pass select=lambda output: … that makes one of it")
    if not latents.numel():
        raise ValueError(f"expected at least one sample and one node from {layer}, got {tuple(latents.shape)}; leave "
                         "empty batches out")
    return latents.flatten(1)


def _selected(output: Any, layer: str, select: Select) -> Any:
    if callable(select):
        return select(output)
    try:
        return output[select]
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"select: expected an index or a key of the output of {layer}, got {select!r}; its output is "
                         f"{_kind(output)}") from None


def _kind(output: Any) -> str:
    if isinstance(output, dict):
        return f"a dict with the keys {', '.join(map(str, output))}"
    if isinstance(output, tuple | list):
        return f"a {type(output).__name__} of {len(output)} ({', '.join(type(item).__name__ for item in output)})"
    return f"a {type(output).__name__}"
