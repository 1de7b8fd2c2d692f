"""A run as a short program in plain PyTorch that trains it without the lab: ``script(config)``.

The same recipe, on data drawn as the lab draws them, but with random numbers of its own: other samples and weights.
"""

from __future__ import annotations

import math

from lpc_core.config import ModelConfig, OptimConfig, RunConfig, ScheduleConfig, resolve
from lpc_core.data import sources, torch_shape
from lpc_core.parsing import format_settings, short_texts

_ACTIVATIONS = {"silu": "SiLU", "relu": "ReLU", "gelu": "GELU", "tanh": "Tanh"}
_POINTS = {  # how each data set's samples are drawn: `labels` (N,) → `points` (N, D), before the noise
    "hypercube": ("corners = {corners}", "points = corners[labels]"),
    "moons": ("angle, odd = torch.rand(N) * math.pi, labels % 2",
              "x = 1.25 * (labels - {middle}) + angle.cos()",
              "y = torch.where(odd == 1, 0.5 - angle.sin(), angle.sin()) - 0.25",
              "points = torch.stack([x, y], 1) * 1.5 / (1 + 1.25 * {middle})"),
    "circles": ("angle, radius = torch.rand(N) * 2 * math.pi, (labels + 1) / {classes}",
                "points = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)"),
    "spirals": ("along = torch.rand(N)",
                "radius, angle = 0.1 + 0.9 * along, 2 * math.pi * (1.25 * along + labels / {classes})",
                "points = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)"),
    "xor": ("column = torch.randint({classes}, (N,))",
            "field = torch.stack([column, (labels - column) % {classes}], 1)",
            "points = 2 * (field + 0.1 + 0.8 * torch.rand(N, 2)) / {classes} - 1"),
}
_NUMBERED = "(torch.randperm(2**{dim})[:{classes}, None] >> torch.arange({dim})) % 2 * 2.0 - 1.0"  # different corners
_DRAWN = "torch.randn({classes}, {dim}).sign()"  # of a cube with so many that two are hardly the same


def no_script(run: RunConfig) -> str:
    """Why there is no program for ``run``; "" where there is one."""
    source = sources().get(run.data.dataset)
    name, dataset = run.optim.optimizer, run.data.dataset
    if source is None or dataset not in (*_POINTS, "digits"):
        return f"its data set is {dataset}, and a short program draws only {', '.join(_POINTS)} and digits"
    if resolve(run.model, torch_shape(source.form(run.data).shape)) != "mlp":
        return "its network is no MLP"
    if run.loss.loss != "cross-entropy":
        return f"its loss is {run.loss.loss}, and a short program knows cross-entropy"
    return "" if name in ("adamw", "adam", "sgd") else f"its optimiser is {name}, which PyTorch lacks"


def script(run: RunConfig) -> str:
    """The program; `ValueError` for a run that has none."""
    if reason := no_script(run):
        raise ValueError(f"expected a run that PyTorch trains in thirty lines, got another: {reason}")
    return "\n".join([*_beginning(run), *_model(run), "", "", "def gamma_at(step):", *_gamma(run.gamma), "", "",
                      *_loop(run), *_report(run), ""])


def _beginning(run: RunConfig) -> list[str]:
    return ['"""Latent point collapse (arXiv 2310.08224) in plain PyTorch. The same run in LPC Lab:',
            f'lpc train {format_settings(short_texts(run))}"""',
            "import math", "", "import torch",
            *(["from sklearn.datasets import load_digits"] if run.data.dataset == "digits" else []),
            "from torch import nn", "from torch.nn import functional as F", "",
            f"torch.manual_seed({run.seed})", *_data(run), ""]


def _model(run: RunConfig) -> list[str]:
    form = sources()[run.data.dataset].form(run.data)
    backbone, penultimate, width = _network(run.model, math.prod(form.shape))
    return [f"backbone = {backbone}",
            f"penultimate = {penultimate}  # gives the latents z that the penalty pulls to the origin",
            f"head = nn.Linear({width}, {form.classes})",
            "body = [*backbone.parameters(), *penultimate.parameters()]",
            "groups = [" + ", ".join(f'{{"params": {what}, "lr": {lr!r}}}' for what, lr in (
                ("body", run.optim.lr), ("head.parameters()", run.optim.head_lr))) + "]",
            f"optimizer = torch.optim.{_optimizer(run.optim)}"]


def _loop(run: RunConfig) -> list[str]:
    loss = run.loss
    penalty = "latents.square().sum(1).mean()" if loss.convention == "sum" else "latents.square().mean()"
    smoothing = f", label_smoothing={loss.label_smoothing!r}" if loss.label_smoothing else ""
    return [f"for step in range({run.steps}):", *_rate(run),
            f"    rows = torch.randint(N, ({min(run.batch_size, run.data.samples)},))",
            "    latents = penultimate(backbone(inputs[rows]))",
            f"    loss = F.cross_entropy(head(latents), labels[rows]{smoothing}) + gamma_at(step) * {penalty}",
            "    optimizer.zero_grad()", "    loss.backward()", "    optimizer.step()"]


def _report(run: RunConfig) -> list[str]:
    """Ten lines in all, one at the end."""
    asleep, awake = (".eval()", ["        backbone.train()"]) if run.model.dropout else ("", [])
    return [f"    if (step + 1) % {max(1, run.steps // 10)} == 0 or step + 1 == {run.steps}:",
            "        with torch.no_grad():", f"            z = penultimate(backbone{asleep}(inputs))", *awake,
            "        means = torch.stack([z[labels == c].mean(0) for c in range(len(head.bias))])",
            "        spread = (z - means[labels]).norm(dim=1).square().mean().sqrt() / z.norm(dim=1).mean()",
            "        accuracy = (head(z).argmax(1) == labels).float().mean()",
            '        print(f"step {step + 1:5}  γ {gamma_at(step):9.3g}  accuracy {accuracy:.4f}  radius "',
            '              f"{z.norm(dim=1).mean():.4g}  spread within a class {spread:.4f} of the radius")']


def _data(run: RunConfig) -> list[str]:
    data = run.data
    if data.dataset == "digits":
        return ["digits = load_digits()",
                f"N, chosen = {data.samples}, torch.randperm(len(digits.target))[:{data.samples}]",
                "inputs, labels = torch.tensor(digits.data)[chosen].float(), torch.tensor(digits.target)[chosen]",
                "inputs = (inputs - inputs.mean()) / inputs.std()"]
    known = {"classes": data.classes, "dim": data.dim, "middle": repr((data.classes - 1) / 2)}
    known["corners"] = (_NUMBERED if data.dim <= 20 else _DRAWN).format(**known)
    return [f"N = {data.samples}", f"labels = torch.arange(N) % {data.classes}",
            *(line.format(**known) for line in _POINTS[data.dataset]),
            f"inputs = points + {data.noise!r} * torch.randn(points.shape)"]


def _network(model: ModelConfig, width: int) -> tuple[str, str, int]:
    """Backbone, penultimate layer, and the number of latents, as the program writes them."""
    act, layers = f"nn.{_ACTIVATIONS[model.activation]}()", []
    for n in model.hidden:
        layers.append(f"nn.Linear({width}, {n}), {act}")
        width = n
    if model.dropout:
        layers.append(f"nn.Dropout({model.dropout!r})")
    backbone = f"nn.Sequential({', '.join(layers)})"
    if model.penultimate == "none":
        return backbone, "nn.Identity()", width
    layer = f"nn.Linear({width}, {model.latent_dim})"
    return backbone, layer if model.penultimate == "linear" else f"nn.Sequential({layer}, {act})", model.latent_dim


def _optimizer(optim: OptimConfig) -> str:
    kind = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD"}[optim.optimizer]
    moments = f"momentum={optim.momentum!r}" if kind == "SGD" else f"betas=({optim.momentum!r}, {optim.beta2!r})"
    return f"{kind}(groups, {moments}, weight_decay={optim.weight_decay!r})"


def _gamma(config: ScheduleConfig) -> list[str]:
    """The body of ``gamma_at(step)``."""
    start, end = config.gamma_start, config.gamma_end
    share = f"    share = min(step / {config.ramp_steps}, 1.0)"
    match config.gamma_schedule:
        case "constant":
            return [f"    return {end!r}"]
        case "linear":
            return [share, f"    return {start!r} + share * ({end!r} - {start!r})"]
        case "cosine":
            return [share, f"    return {start!r} + (1 - math.cos(math.pi * share)) / 2 * ({end!r} - {start!r})"]
        case "exponential":
            return [share, f"    return {start!r} ** (1 - share) * {end!r} ** share"]
    low, high = sorted((start, end))
    turn = min(max(config.gamma_switch, low), high)
    return [share, "    # ×2 per period up to the turn, ×1.25 per period after it",
            f"    fast, slow = math.log({turn!r} / {start!r}, 2), math.log({end!r} / {turn!r}, 1.25)",
            "    done = share * (fast + slow)",
            f"    return {start!r} * 2**done if abs(done) <= abs(fast) else {turn!r} * 1.25 ** (done - fast)"]


def _rate(run: RunConfig) -> list[str]:
    """The lines that move the backbone's learning rate; none where it is constant."""
    optim = run.optim
    if optim.lr_schedule == "constant":
        return []
    share = f"step / {run.steps}" if optim.lr_schedule == "cosine" else f"max(step / {run.steps} - 0.2, 0.0) / 0.8"
    return [f"    cosine = (1 + math.cos(math.pi * {share})) / 2",
            f'    optimizer.param_groups[0]["lr"] = {optim.lr!r} * ({optim.lr_end!r} + {1 - optim.lr_end!r} * cosine)']
