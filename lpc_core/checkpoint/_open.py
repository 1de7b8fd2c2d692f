"""The door: a file of somebody else's in, or the parts of one; what it holds out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lpc_core.checkpoint import _parts, sandbox
from lpc_core.checkpoint._base import Checkpoint, Embeddings, Limits, TensorEntry
from lpc_core.checkpoint._results import joined, result, tree
from lpc_core.film import Film

READER = "lpc_core.checkpoint._read"
Source = str | Path | bytes | Sequence[Path]


def open_file(source: Source, name: str = "", limits: Limits = Limits(), *,  # noqa: B008
              picked: dict[str, Any] | None = None, weights: str | None = None,
              keep_unlabelled: bool = False) -> Embeddings | Checkpoint | Film:
    """Read a file that nobody vouches for, in a process of its own that can do nothing else (`sandbox`).

    ``source`` is a path or the file's bytes; ``name`` is what the file is called (its ending helps where the content
    leaves a doubt; default: the path's own). A checkpoint in parts (…-00001-of-00002.safetensors) is several paths, the
    folder they are in, or its index. What is read: safetensors, torch state dicts with their usual wrappers,
    ONNX, torch.export archives → `Checkpoint`; npz, structured npy, csv, parquet, and safetensors or torch files whose
    tensors are called so → `Embeddings`; the lab's films → `Film`; its runs → `Checkpoint` with metadata["run"].

    Arrays are recognised by name: latents (also embeddings, features, z, x), labels (y, targets, target, class),
    predictions, logits, weight, bias, images, texts, class_names. ``picked`` says which is which where names don't:
    ``{"latents": "feats", "labels": "y"}``; in tables "latents" may be a list of columns or the stem of numbered ones.
    Tables: a column of vectors is the latents; else numbered columns z0, z1, … (or latent, dim, embedding, emb,
    feature, feat, x); else every numeric column without another role that is no row number.

    Samples that name no class (−1, NaN, an empty text) are left out, or with ``keep_unlabelled`` one class more.
    ``weights`` chooses among those of `Checkpoint.weights`, by name or as "raw" or "averaged" (default: the first).

    Raises `FileRefused`: one printable line that says what was expected, what was found and what to do; its ``ask``
    names the choices where one of ``picked`` would do.
    """
    found = _one_or_parts(source)
    if not isinstance(found, _parts.Parts):
        job = _job(found, name, picked, weights) | {"keep_unlabelled": keep_unlabelled}
        opened = result(sandbox.call(READER, found, job, limits))
        doubts = _parts.doubt(job["name"])
        return replace(opened, notes=(*opened.notes, *doubts)) if isinstance(opened, Checkpoint) else opened
    _parts.check_size(found, limits)
    pieces = [result(sandbox.call(READER, file, _job(file, "", None, part=True), limits), part=True)
              for file in found.files]
    checkpoints = [piece for piece in pieces if isinstance(piece, Checkpoint)]
    _parts.check_names(found, [list(piece.tensors) for piece in checkpoints])
    return joined(checkpoints, weights, limits)


def open_tree(source: Source, name: str = "", limits: Limits = Limits(),  # noqa: B008
              weights: str | None = None) -> list[TensorEntry]:
    """Every tensor of a file with its shape, type, norm, range and histogram, without moving its values.

    Names are as in the file, without wrapper keys of torch files; raises `FileRefused` as `open_file` does.
    """
    found = _one_or_parts(source)
    if not isinstance(found, _parts.Parts):
        return tree(sandbox.call(READER, found, {**_job(found, name, None, weights), "tree": True}, limits))
    _parts.check_size(found, limits)
    return [entry for file in found.files
            for entry in tree(sandbox.call(READER, file, {**_job(file, "", None, part=True), "tree": True}, limits))]


def files_of(source: Path | Sequence[Path]) -> tuple[Path, ...]:
    """The files that ``source`` (see `open_file`) is read from."""
    found = _one_or_parts(source)
    return found.files if isinstance(found, _parts.Parts) else (found,)


def _one_or_parts(source: Source) -> Any:
    """One path, the file's bytes, or the parts that ``source`` stands for."""
    if isinstance(source, bytes):
        return source
    given = [Path(source)] if isinstance(source, str | Path) else [Path(path) for path in source]
    if len(given) == 1 and not given[0].is_dir() and not given[0].name.endswith(_parts.INDEX):
        return given[0]
    return _parts.gathered(given)


def _job(source: Path | bytes, name: str, picked: dict[str, Any] | None, weights: str | None = None, *,
         part: bool = False) -> dict[str, Any]:
    called = name or ("" if isinstance(source, bytes) else source.name)
    if not part:
        _parts.refuse_alone(called)
    return {"name": called[-255:], "picked": picked or {}, "tree": False, "weights": weights, "part": part}
