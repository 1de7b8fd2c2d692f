"""Any torch classifier as one function from inputs to logits: evaluated, differentiable, and left as it was found."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Model = Callable[[Tensor], Any]  # an `nn.Module` or any function from inputs (N, …) to logits (N, K)
Array = Tensor | np.ndarray


class OpenModel:
    """A classifier and the inputs it is to be asked about; see `opened`."""

    def __init__(self, model: Model, inputs: Tensor, dtype: torch.dtype) -> None:
        self.inputs = inputs  # (N, …) on the model's device, float32 or float64
        self._model, self._dtype = model, dtype

    def __call__(self, inputs: Tensor) -> Tensor:
        """Logits (n, K) of ``inputs`` (n, …), in the inputs' own format."""
        try:
            answer = self._model(inputs.to(self._dtype, copy=True))  # its own, to write into if it wants to
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(f"expected inputs (N, …) that the model takes, got {tuple(inputs.shape)} "
                             f"{_name(self._dtype)}, and it said: {_first_line(error)}; pass them as in training") \
                from error
        return _logits(answer, len(inputs), self._model).to(inputs.dtype)

    @torch.no_grad()
    def logits(self, batch_size: int) -> Tensor:
        """Logits (N, K) of all inputs; `ValueError` where they are not finite."""
        logits = torch.cat([self(batch) for batch in torch.split(self.inputs, batch_size)])
        bad = (~logits.isfinite().all(1)).nonzero().flatten()
        if len(bad):
            raise ValueError(f"expected finite logits, got NaN or infinity for {len(bad)} of {len(logits)} inputs "
                             f"(the first is row {int(bad[0])}); leave them out, or mend the model")
        return logits

    def differentiable(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """A leaf that holds ``inputs`` (n, …), and its logits (n, K), for `gradient`."""
        leaf = inputs.detach().requires_grad_(True)
        logits = self(leaf)
        if not logits.requires_grad:
            raise ValueError(_NO_GRADIENT)
        return leaf, logits


_NO_GRADIENT = ("expected logits that can be differentiated with respect to the inputs, got ones that are cut off from "
                "them (no_grad, detach or a detour through NumPy inside the model); take that out, or use an attack "
                "that needs no gradients (hopskipjump)")


def gradient(value: Tensor, leaf: Tensor, *, keep: bool = False) -> Tensor:
    """The gradient of ``value`` by ``leaf``, in its shape; ``keep`` the graph for another. Parameters get none."""
    found = torch.autograd.grad(value, leaf, retain_graph=keep, allow_unused=True)[0]
    if found is None:
        raise ValueError(_NO_GRADIENT)
    return found


@contextlib.contextmanager
def opened(model: Model, inputs: Array) -> Iterator[OpenModel]:
    """``model`` in evaluation mode with gradients allowed, and ``inputs`` (N, …) where and how it wants them.

    The arithmetic around the model is float32, or float64 for a float64 model; what goes through the model is in the
    model's own format. Every submodule is back in the mode it was in when the block ends, an error included. Of a
    plain function only its answers are known: whether what is behind it evaluates or trains is the caller's affair.
    """
    given = as_inputs(inputs)
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    training = [module.training for module in modules]
    device, dtype = _home(model, given)
    working = torch.float64 if dtype == torch.float64 else torch.float32
    try:
        for module in modules:
            module.training = False
        with torch.inference_mode(False), torch.enable_grad():
            # a tensor made in inference mode can only be used here as a copy
            yield OpenModel(model, given.detach().clone().to(device, working), dtype)
    finally:
        for module, mode in zip(modules, training, strict=True):
            module.training = mode


def as_inputs(inputs: Array) -> Tensor:
    """``inputs`` (N, …) as a floating tensor; `ValueError` for what no classifier of real inputs takes."""
    tensor = inputs if isinstance(inputs, Tensor) else _from_numpy(inputs)
    if not tensor.is_floating_point():
        raise ValueError(f"expected inputs of floating-point numbers as the model takes them, got "
                         f"{_name(tensor.dtype)}; normalise them first")
    if tensor.ndim < 2 or tensor.numel() == 0:
        raise ValueError(f"expected inputs (N, …) of at least one sample, got {tuple(tensor.shape)}; a single sample "
                         "needs a batch axis: x[None]")
    # a sum tells all but at once, and is not finite either where sound numbers are too large for it
    if not tensor.sum().isfinite() and len(bad := (~tensor.isfinite().flatten(1).all(1)).nonzero().flatten()):
        raise ValueError(f"expected finite inputs, got NaN or infinity in {len(bad)} of {len(tensor)} samples "
                         f"(the first is row {int(bad[0])}); leave them out")
    return tensor


def as_labels(labels: Array | list[int], logits: Tensor) -> Tensor:
    """``labels`` (N,) as int64 in 0…K−1 beside ``logits`` (N, K)."""
    tensor = labels if isinstance(labels, Tensor) else _from_numpy(labels)
    if tensor.dtype == torch.bool or tensor.is_floating_point() or tensor.is_complex():
        raise ValueError(f"expected labels as whole numbers 0…K−1, got {_name(tensor.dtype)}; number the classes")
    if tensor.shape != logits.shape[:1]:
        raise ValueError(f"expected labels ({len(logits)},), one per input, got {tuple(tensor.shape)}; pass class "
                         "numbers, not one-hot rows")
    low, high = int(tensor.min()), int(tensor.max())
    if low < 0 or high >= logits.shape[1]:
        raise ValueError(f"expected labels from 0 to {logits.shape[1] - 1} for {logits.shape[1]} logits, got {low} to "
                         f"{high}; number the classes as the model does")
    return tensor.to(logits.device, torch.int64, copy=True)  # one made in inference mode can only be used as a copy


def _from_numpy(given: Any) -> Tensor:
    array = np.array(given)  # a copy: contiguous, writable
    if array.dtype.kind not in "fiub":
        raise ValueError(f"expected an array of numbers, got {array.dtype.name}; number the classes, and give inputs "
                         "as floating point")
    return torch.from_numpy(array.astype(np.int64) if array.dtype.kind == "u" and array.itemsize > 1 else array)


def _home(model: Model, inputs: Tensor) -> tuple[torch.device, torch.dtype]:
    """Device and number format of the model's first floating tensor; those of the inputs where it has none."""
    tensors = [*model.parameters(), *model.buffers()] if isinstance(model, nn.Module) else []
    first = next((tensor for tensor in tensors if tensor.is_floating_point()), inputs)
    return first.device, first.dtype


def _logits(answer: Any, count: int, model: Model) -> Tensor:
    if _is_ours(answer, model):
        answer = answer[0]
    if not isinstance(answer, Tensor):
        raise ValueError(f"expected logits (N, K), got {_describe(answer)}; pass a function that returns the logits, "
                         f"such as {_hint(answer)}, around the model in evaluation mode")
    if answer.ndim != 2 or len(answer) != count or answer.shape[1] < 2 or not answer.is_floating_point():
        raise ValueError(f"expected logits ({count}, K) with K ≥ 2, got {tuple(answer.shape)} {_name(answer.dtype)}; "
                         "pass a function that returns one row of logits per input")
    return answer


def _is_ours(answer: Any, model: Model) -> bool:
    """Whether ``answer`` is (logits, latents) of a model whose ``head`` turns the second into the first.

    Any other tuple is refused: which of its parts are logits cannot be told from shapes.
    """
    head = getattr(model, "head", None)
    return (isinstance(head, nn.Linear) and isinstance(answer, tuple) and len(answer) == 2
            and all(isinstance(part, Tensor) and part.ndim == 2 for part in answer)
            and (answer[0].shape[1], answer[1].shape[1]) == (head.out_features, head.in_features))


def _describe(answer: Any) -> str:
    if isinstance(answer, dict):
        return "a dict with keys " + ", ".join(map(str, answer))
    if isinstance(answer, tuple | list):
        parts = [str(tuple(part.shape)) if isinstance(part, Tensor) else type(part).__name__ for part in answer]
        return f"a {type(answer).__name__} of {', '.join(parts)}"
    return f"a {type(answer).__name__}"


def _hint(answer: Any) -> str:
    key = next(iter(answer), "logits") if isinstance(answer, dict) else 0
    return f"lambda x: model(x)[{key!r}]" if isinstance(answer, dict | tuple | list) else "lambda x: …"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
