"""The door: a file of somebody else's in, what it holds out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lpc_core.checkpoint import sandbox
from lpc_core.checkpoint._base import Checkpoint, Embeddings, Limits, TensorEntry
from lpc_core.checkpoint._results import result, tree
from lpc_core.film import Film

READER = "lpc_core.checkpoint._read"


def open_file(source: str | Path | bytes, name: str = "", limits: Limits = Limits(), *,  # noqa: B008
              picked: dict[str, Any] | None = None,
              keep_unlabelled: bool = False) -> Embeddings | Checkpoint | Film:
    """Read a file that nobody vouches for, in a process of its own that can do nothing else (`sandbox`).

    ``source`` is a path or the file's bytes; ``name`` is what the file is called (its ending helps where the content
    leaves a doubt; default: the path's own). What is read: safetensors, torch state dicts with their usual wrappers,
    ONNX, torch.export archives → `Checkpoint`; npz, structured npy, csv, parquet, and safetensors or torch files whose
    tensors are called so → `Embeddings`; the lab's films → `Film`; its runs → `Checkpoint` with metadata["run"].

    Arrays are recognised by name: latents (also embeddings, features, z, x), labels (y, targets, target, class),
    predictions, logits, weight, bias, images, texts, class_names. ``picked`` says which is which where names don't:
    ``{"latents": "feats", "labels": "y"}``; in tables "latents" may be a list of columns or the stem of numbered ones.
    Tables: a column of vectors is the latents; else numbered columns z0, z1, … (or latent, dim, embedding, emb,
    feature, feat, x); else every numeric column without another role that is no row number.

    Samples that name no class (−1, NaN, an empty text) are left out, or with ``keep_unlabelled`` one class more.

    Raises `FileRefused`: one printable line that says what was expected, what was found and what to do; its ``ask``
    names the choices where one of ``picked`` would do.
    """
    job = _job(source, name, picked, tree=False) | {"keep_unlabelled": keep_unlabelled}
    return result(sandbox.call(READER, source, job, limits))


def open_tree(source: str | Path | bytes, name: str = "", limits: Limits = Limits()) -> list[TensorEntry]:  # noqa: B008
    """Every tensor of a file with its shape, type, norm, range and histogram, without moving its values.

    Names are as in the file, without wrapper keys of torch files; raises `FileRefused` as `open_file` does.
    """
    return tree(sandbox.call(READER, source, _job(source, name, None, tree=True), limits))


def _job(source: str | Path | bytes, name: str, picked: dict[str, Any] | None, *, tree: bool) -> dict[str, Any]:
    own = "" if isinstance(source, bytes) else Path(source).name
    return {"name": (name or own)[-255:], "picked": picked or {}, "tree": tree}
