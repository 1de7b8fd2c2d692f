"""Weights that lie in a file in parts or in another form: computed where their parts determine them, else refused.

Weight norm (Salimans & Kingma 2016): W = g·v/‖v‖, stored as weight_g and weight_v, or as
parametrizations.weight.original0 and original1. Spectral norm (Miyato et al. 2018): W = V/(uᵀVv), stored as
weight_orig, weight_u and weight_v, or as parametrizations.weight.original, 0._u and 0._v. Pruning: weight_orig ·
weight_mask. What only a forward pass of the original class could tell, adapters that belong to a base that is not
there, and quantised numbers are refused by name: read as plain layers they would be another network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from lpc_core.checkpoint._base import FileRefused, refusal
from lpc_core.checkpoint._message import some
from lpc_core.files.words import printable

Tensors = dict[str, Tensor]
Parts = dict[str, str]  # what a part is → its name in the file

NEW = re.compile(r"((?:.*\.)?)parametrizations\.([^.]+)\.(.+)")
OLD = re.compile(r"(.*)_(g|v|orig|u|mask)")
ADAPTERS = re.compile(
    r"(^|[._])(lora_(a|b|down|up|embedding_[ab]|magnitude_vector|mid)|lora[ab]|ia3_l|(hada|lokr|oft|boft|vera)_\w+|"
    r"dora_scale|magnitude_vector|adapters?|adapter_(down|up)|(down|up)_adapter|prompt_embeddings|prefix_encoder|"
    r"loras?|fourierft_spectrum|waveft_spectrum|hra_u|(bone|miss)_block|vblora_\w+|shira_weight|c3a_kernel|"
    r"road_(theta|alpha)|randlora_\w+|delora_\w+|ssf_(scale|shift)|trainable_tokens_delta|ln_tuning_layers|"
    r"modules_to_save)([._]|\d|$)", re.IGNORECASE)
QUANTISED = re.compile(
    r"(^|[._])(_packed_params|weight_packed|qweight|qzeros|g_idx|scb|absmax|quant_map|quant_state|weight_format|zero_point|"
    r"weight_zero_point|weight_scale(_inv)?|weight_fake_quant|activation_post_process|fake_quant_enabled|qscales?)"
    r"([._]|$)", re.IGNORECASE)
MERGE = "merge it into its base first (peft: model.merge_and_unload()), then save the whole state dict"
PLAIN = ("take it off before saving (torch.nn.utils.parametrize.remove_parametrizations, remove_weight_norm, "
         "remove_spectral_norm, prune.remove)")


def whole(tensors: Tensors) -> tuple[Tensors, list[str]]:
    """The tensors with each weight that lies in parts in one piece, and notes that say which were computed how.

    Raises `FileRefused` for adapters, quantised weights, and parts that do not determine a weight.
    """
    _refuse(tensors, ADAPTERS, "a whole network", "weights of an adapter (LoRA and the like)", MERGE)
    _refuse(tensors, QUANTISED, "weights as plain numbers", "quantised ones",
            "save the model before it is quantised, or dequantise it")
    found: dict[str, Tensor] = {}  # by the name of the first part
    used: set[str] = set()
    notes: dict[str, list[str]] = {}
    lost: list[str] = []
    for name, parts in _grouped(tensors).items():
        way = _way(name, parts, tensors)
        how, make = WAYS[way]
        try:
            found[next(iter(parts.values()))] = make(*(tensors[parts[part]] for part in way))
        except RuntimeError:  # sizes that do not fit together
            raise _undetermined(name, parts.values(), "whose sizes do not fit together") from None
        used |= set(parts.values())
        notes.setdefault(how, []).append(name)
        if bad := int((~found[next(reversed(found))].isfinite()).sum()):
            lost.append(f"{name}, so computed: {bad:,} values are NaN or infinite")
    names = dict(zip(found, _grouped(tensors), strict=True))
    kept = {names.get(name, name): found.get(name, tensor) for name, tensor in tensors.items()
            if name in found or name not in used}
    return kept, [f"{some(those, 6)}: computed from {how}" for how, those in notes.items()] + lost


def _refuse(names: Iterable[str], pattern: re.Pattern[str], expected: str, what: str, do: str) -> None:
    """Refuse a file with names of that kind."""
    bad = [name for name in names if pattern.search(name)]
    if bad:
        raise refusal(expected, f"{what}: {printable(', '.join(bad[:2]), 160)}", do)


def _grouped(tensors: Tensors) -> dict[str, Parts]:
    """{name of a weight: its parts}, in the order of the file."""
    groups: dict[str, Parts] = {}
    for name in tensors:
        if (new := NEW.fullmatch(name)) is not None:
            groups.setdefault(new[1] + new[2], {})[new[3]] = name
        elif (old := OLD.fullmatch(name)) is not None and _is_part(old[1], old[2], tensors):
            groups.setdefault(old[1], {})[old[2]] = name
    return groups


def _is_part(stem: str, part: str, tensors: Tensors) -> bool:
    """Whether ``stem_part`` is a part of a weight, not a tensor that happens to be called so."""
    if part in ("g", "v"):
        return (f"{stem}_g" in tensors and f"{stem}_v" in tensors) or (part == "v" and f"{stem}_orig" in tensors)
    return f"{stem}_orig" in tensors and (part == "orig" or tensors[f"{stem}_{part}"].is_floating_point()
                                          or part == "mask")


def _way(name: str, parts: Parts, tensors: Tensors) -> tuple[str, ...]:
    """Which of `WAYS` the weight comes from its parts."""
    if name in tensors:
        raise _undetermined(name, parts.values(), f"beside {printable(name)!r} itself")
    if bad := [full for part, full in parts.items() if part != "mask" and not tensors[full].is_floating_point()]:
        raise _undetermined(name, bad, "that are no real numbers")
    for way in WAYS:
        if set(way) == set(parts):
            return way
    raise _undetermined(name, parts.values(), "whose parametrisation the file does not say")


def _undetermined(name: str, parts: Iterable[str], why: str) -> FileRefused:
    shown = printable(", ".join(parts), 200)
    return refusal(f"{printable(name)} whole, or in parts that determine it (weight norm, spectral norm, pruning)",
                   f"{shown}, {why}", PLAIN)


def _weight_norm(g: Tensor, v: Tensor) -> Tensor:
    """g·v/‖v‖, the norm over all dimensions in which ``g`` has size 1 (all of them where it is a single number)."""
    sizes = tuple(g.shape) if g.ndim else (1,) * v.ndim
    own = [size for size, full in zip(sizes, v.shape, strict=False) if size != 1 and size == full]
    if len(sizes) != v.ndim or len(own) > 1 or len(own) != sum(size != 1 for size in sizes):
        raise RuntimeError
    over = [place for place, size in enumerate(sizes) if size == 1]
    wide = v.double()
    norm = torch.linalg.vector_norm(wide, dim=over, keepdim=True) if over else wide.abs()
    return (wide * (g.double().reshape(sizes) / norm)).to(v.dtype)


def _spectral_norm(weight: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """V/(uᵀVv), V flattened behind the dimension that ``u`` belongs to: the first, of transposed layers the second."""
    for first in range(min(weight.ndim, 2) if weight.ndim > 1 else 0):
        matrix = weight.movedim(first, 0).flatten(1)
        if matrix.shape == (u.numel(), v.numel()) and u.ndim == v.ndim == 1:
            return (weight.double() / (u.double() @ matrix.double() @ v.double())).to(weight.dtype)
    raise RuntimeError


def _pruned(weight: Tensor, mask: Tensor) -> Tensor:
    if weight.shape != mask.shape:
        raise RuntimeError
    return weight * mask.to(weight.dtype)


WAYS: dict[tuple[str, ...], tuple[str, Callable[..., Tensor]]] = {  # parts → (what in words, the weight of them)
    ("g", "v"): ("weight norm (g, v)", _weight_norm),
    ("original0", "original1"): ("weight norm (original0, original1)", _weight_norm),
    ("orig", "u", "v"): ("spectral norm (orig, u, v)", _spectral_norm),
    ("original", "0._u", "0._v"): ("spectral norm (original, _u, _v)", _spectral_norm),
    ("orig", "mask"): ("pruning (orig, mask)", _pruned)}
