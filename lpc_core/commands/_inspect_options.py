"""What ``lpc inspect``, and in part other commands that read such files, can be told: options by type, with help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lpc_core.checkpoint import Embeddings

File = Annotated[list[Path], typer.Argument(
    help="safetensors, .pt, .pth, .ckpt, ONNX, .pt2, npz, npy, parquet, csv, a run or a film of this lab. Of a "
    "checkpoint in parts all of them, their folder or their index. Nothing in it is executed.")]
Data = Annotated[str | None, typer.Option(help="What to run a checkpoint on: digits, mnist, cifar10, …, an npz of "
    "inputs and labels, or pictures in one folder per class (a folder "
    "or a zip).")]
Split = Annotated[str, typer.Option(help="Of a built-in set: train or test.")]
Normalisation = Annotated[str | None, typer.Option(help="How the network's inputs were scaled in training: lab, "
    "none, 0..1, imagenet, cifar10, cifar100, mnist, or "
    "MEAN/STD.")]
Latents = Annotated[str | None, typer.Option(help="Of embeddings: which array holds the latents.")]
Labels = Annotated[str | None, typer.Option(help="Of embeddings: which array holds the labels.")]
Pick = Annotated[list[str] | None, typer.Option(metavar="ROLE=NAME", help="Which array has a role where its name does "
    "not tell: latents, labels, predictions, logits, weight, bias, images, texts, class_names. In tables latents=a,b,c "
    "names columns.")]
Unlabelled = Annotated[str, typer.Option(help="Samples that name no class (label −1, NaN, an empty text): 'leave out', "
    "or 'keep' as one class more.")]
Layer = Annotated[str, typer.Option(help="The watched layer: penultimate, or a module's name.")]
Activation = Annotated[str | None, typer.Option(help="Where the file does not say it: silu, relu, gelu, tanh, …")]
Penultimate = Annotated[str | None, typer.Option(help="Where the file does not say it: linear or nonlinear.")]
Order = Annotated[str | None, typer.Option(help="Of fully connected layers, where names and shapes leave it open: "
    "their names with commas between.")]
Weights = Annotated[str | None, typer.Option(help="Of a file with several: raw, averaged (EMA, SWA), or a name.")]
Classes = Annotated[str | None, typer.Option(help="Which rows of the head the data's classes are: number, name, or "
    "the rows with commas between.")]
HeadWeight = Annotated[str | None, typer.Option(help="Look at this tensor alone as a head.")]
HeadBias = Annotated[str | None, typer.Option(help="Its bias, where the name does not tell.")]
Samples = Annotated[int | None, typer.Option(min=1, help="Samples to run a checkpoint on, at most.")]
Side = Annotated[int | None, typer.Option(min=1, max=4096, help="Cut pictures to this many pixels.")]
Project = Annotated[str, typer.Option(help="Further views beside pca: tsne, umap or both with a comma.")]
Dims = Annotated[int, typer.Option(min=2, max=3, help="Dimensions of these views.")]
Gamma = Annotated[str, typer.Option(help="γ at which to predict where the classes fall, such as 0.1,1,10; of a "
    "film the run.")]
Convention = Annotated[str, typer.Option(help="γ‖z‖² summed over the nodes (sum) or averaged (mean).")]
Frame = Annotated[int, typer.Option(help="Of a film: which moment, −1 for the last.")]
Seed = Annotated[int, typer.Option(min=0, help="Of every choice of samples and of the views.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")]
Threads = Annotated[int, typer.Option(min=1, max=256, help="Of the computation. Two threads on two busy cores are "
    "many times slower than one.")]
LimitGb = Annotated[float, typer.Option(min=0.001, max=1024, help="Largest file and largest arrays read, in GB.")]
Out = Annotated[Path | None, typer.Option(help="Write the inspection here (safetensors), for the lab.")]
Csv = Annotated[Path | None, typer.Option(help="Write every quantity here as a table.")]
SamplesCsv = Annotated[Path | None, typer.Option(help="Write every sample here as a table.")]
Html = Annotated[Path | None, typer.Option(help="Write a report here that needs no network.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON; progress goes to stderr.")]


def picked_roles(pick: list[str]) -> dict[str, Any]:
    """``{role: name}`` of texts ROLE=NAME, as `lpc_core.checkpoint.open_file` takes it."""
    picked: dict[str, Any] = {}
    for item in pick:
        role, sign, name = item.partition("=")
        if not (role and sign and name):
            raise ValueError(f"pick: expected ROLE=NAME, got {item!r}; for instance latents=feats")
        picked[role] = name.split(",") if role == "latents" and "," in name else name
    return picked


def warned(found: Embeddings) -> list[str]:
    """The warnings for a terminal: with the option that keeps samples without a class, where some were left out."""
    option = "; --unlabelled keep makes them a class of their own"
    return [text + option if found.unlabelled and text.endswith("are left out") and "name no class" in text else text
            for text in found.warnings]
