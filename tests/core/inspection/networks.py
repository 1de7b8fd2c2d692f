"""State dicts of other people's networks, written down by name and shape, and slow forward passes over them.

Nothing here uses the code under test: convolutions and norms are applied by hand, name by name.
"""

import torch
from torch.nn import functional as F

ACTIVATIONS = {"relu": F.relu, "silu": F.silu, "gelu": F.gelu, "tanh": torch.tanh}


class Names(dict):
    """A state dict being written down; ``thin`` tensors take no memory (all numbers are one)."""

    def __init__(self, seed=0, thin=False):
        super().__init__()
        self._stream, self._thin = torch.Generator().manual_seed(seed), thin

    def _numbers(self, shape, scale):
        if self._thin:
            return torch.ones(1).expand(shape) if len(shape) == 1 else torch.ones([1] * len(shape)).expand(shape)
        return torch.randn(shape, generator=self._stream) * scale

    def conv(self, name, outside, inside, size, bias=False):
        self[f"{name}.weight"] = self._numbers((outside, inside, size, size), (2 / (inside * size * size)) ** 0.5)
        if bias:
            self[f"{name}.bias"] = self._numbers((outside,), 0.1)

    def norm(self, name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            self[f"{name}.{part}"] = self._numbers((channels,), 0.1)
        if not self._thin:
            self[f"{name}.weight"] += 1
            self[f"{name}.running_var"] = self[f"{name}.running_var"].abs() + 0.5
        self[f"{name}.num_batches_tracked"] = torch.tensor(7)

    def dense(self, name, outside, inside, bias=True):
        self[f"{name}.weight"] = self._numbers((outside, inside), inside**-0.5)
        if bias:
            self[f"{name}.bias"] = self._numbers((outside,), 0.1)


def torchvision_resnet(blocks, kind, *, first=64, classes=1000, wide=1, groups=1, per_group=64, kernel=7, thin=False,
                       shortcut="downsample", head="fc"):
    """As torchvision names them; ``first`` channels in the first stage, doubled from stage to stage."""
    state, inside, expansion = Names(thin=thin), first, 4 if kind == "bottleneck" else 1
    state.conv("conv1", first, 3, kernel)
    state.norm("bn1", first)
    for stage, count in enumerate(blocks):
        planes = first * 2**stage
        for index in range(count):
            name = f"layer{stage + 1}.{index}"
            width = planes * wide if groups == 1 else planes * per_group // 64 * groups
            layers = [(width, 3), (planes, 3)] if expansion == 1 else [(width, 1), (width, 3), (planes * 4, 1)]
            channels = inside
            for number, (outside, size) in enumerate(layers, 1):
                state.conv(f"{name}.conv{number}", outside, channels // (groups if size == 3 else 1), size)
                state.norm(f"{name}.bn{number}", outside)
                channels = outside
            if index == 0 and (stage > 0 or inside != channels):
                state.conv(f"{name}.{shortcut}.0", channels, inside, 1)
                state.norm(f"{name}.{shortcut}.1", channels)
            inside = channels
    state.dense(head, classes, inside)
    return state


def run_torchvision(state, pictures, act="relu", *, groups=1, shortcut="downsample", head="fc"):
    """Logits and pooled features, computed name by name."""
    act = ACTIVATIONS[act]
    large = state["conv1.weight"].shape[-1] == 7
    x = act(_bn(state, "bn1", F.conv2d(pictures, state["conv1.weight"], None, 2 if large else 1, 3 if large else 1)))
    x = F.max_pool2d(x, 3, 2, 1) if large else x
    for stage in range(1, 5):
        for index in range(99):
            name = f"layer{stage}.{index}"
            if f"{name}.conv1.weight" not in state:
                break
            stride = 2 if stage > 1 and index == 0 else 1
            if f"{name}.conv3.weight" in state:
                y = act(_bn(state, f"{name}.bn1", F.conv2d(x, state[f"{name}.conv1.weight"])))
                y = F.conv2d(y, state[f"{name}.conv2.weight"], None, stride, 1, 1, groups)
                y = act(_bn(state, f"{name}.bn2", y))
                y = _bn(state, f"{name}.bn3", F.conv2d(y, state[f"{name}.conv3.weight"]))
            else:
                y = act(_bn(state, f"{name}.bn1", F.conv2d(x, state[f"{name}.conv1.weight"], None, stride, 1)))
                y = _bn(state, f"{name}.bn2", F.conv2d(y, state[f"{name}.conv2.weight"], None, 1, 1))
            if f"{name}.{shortcut}.0.weight" in state:
                x = _bn(state, f"{name}.{shortcut}.1", F.conv2d(x, state[f"{name}.{shortcut}.0.weight"], None, stride))
            x = act(x + y)
    features = F.adaptive_avg_pool2d(x, 1).flatten(1)
    return features @ state[f"{head}.weight"].T + state[f"{head}.bias"], features


def authors_resnet(kind, blocks=(1, 1, 1, 1), *, first=8, classes=5, nodes=4, penultimate="penultimate_layer",
                   output="output_layer", kernel=3, dropout=False, bias=True):
    """As the method's authors name them: ``kind`` "basic", "bottleneck" or "pre-activated" (three stages)."""
    state, inside = Names(), first
    state.conv("layer0.0", first, 3, kernel)
    state.norm("layer0.1", first)
    for stage, count in enumerate(blocks):
        planes = first * 2**stage
        for index in range(count):
            name, channels = f"layer{stage + 1}.{index}", inside
            for place, part, outside, size in _authors_block(kind, planes, dropout):
                if part == "conv":
                    state.conv(f"{name}.residual_function.{place}", outside, channels, size)
                    channels = outside
                else:
                    state.norm(f"{name}.residual_function.{place}", channels)
            if index == 0 and (stage > 0 or inside != channels):
                state.conv(f"{name}.shortcut.0", channels, inside, 1)
                if kind != "pre-activated":
                    state.norm(f"{name}.shortcut.1", channels)
            inside = channels
    if kind == "pre-activated":
        state.norm("bn_final", inside)
    if penultimate:
        state.dense(penultimate, nodes, inside)
        inside = nodes
    state.dense(output, classes, inside, bias=bias)
    return state


def _authors_block(kind, planes, dropout):
    shift = int(dropout)
    if kind == "basic":
        return [(0, "conv", planes, 3), (1, "norm", 0, 0), (3 + shift, "conv", planes, 3), (4 + shift, "norm", 0, 0)]
    if kind == "pre-activated":
        return [(0, "norm", 0, 0), (2, "conv", planes, 3), (3, "norm", 0, 0), (5, "conv", planes, 3)]
    return [(0, "conv", planes, 1), (1, "norm", 0, 0), (3, "conv", planes, 3), (4, "norm", 0, 0),
            (6 + shift, "conv", planes * 4, 1), (7 + shift, "norm", 0, 0)]


def run_authors(kind, state, pictures, act="silu", *, penultimate="penultimate_layer", output="output_layer",
                dropout=False):
    """Logits and latents, computed name by name."""
    act, large = ACTIVATIONS[act], state["layer0.0.weight"].shape[-1] == 7
    stride, padding = (2, 3) if large else (1, 1)
    x = act(_bn(state, "layer0.1", F.conv2d(pictures, state["layer0.0.weight"], None, stride, padding)))
    x = F.max_pool2d(x, 3, 2, 1) if large else x
    for stage in range(1, 5):
        for index in range(99):
            name = f"layer{stage}.{index}"
            if not any(key.startswith(f"{name}.") for key in state):
                break
            stride = 2 if stage > 1 and index == 0 else 1
            x = _run_authors_block(kind, state, name, x, stride=stride, act=act, dropout=dropout)
    if kind == "pre-activated":
        x = act(_bn(state, "bn_final", x))
    z = F.adaptive_avg_pool2d(x, 1).flatten(1)
    if penultimate:
        z = z @ state[f"{penultimate}.weight"].T + state[f"{penultimate}.bias"]
        z = act(z) if penultimate.endswith(".0") else z
    bias = state.get(f"{output}.bias", 0)
    return z @ state[f"{output}.weight"].T + bias, z


def _run_authors_block(kind, state, name, x, *, stride, act, dropout):
    own = {place: (part, size) for place, part, _, size in _authors_block(kind, 1, dropout)}
    y, left = x, stride
    norms = [place for place, (part, _) in own.items() if part == "norm"]
    for place, (part, size) in own.items():
        if part == "conv":
            weight = state[f"{name}.residual_function.{place}.weight"]
            y = F.conv2d(y, weight, None, left if size == 3 else 1, size // 2)
            left = 1 if size == 3 else left
        else:
            y = _bn(state, f"{name}.residual_function.{place}", y)
            if kind == "pre-activated" or place != norms[-1]:
                y = act(y)
    if f"{name}.shortcut.0.weight" in state:
        x = F.conv2d(x, state[f"{name}.shortcut.0.weight"], None, stride)
        x = _bn(state, f"{name}.shortcut.1", x) if kind != "pre-activated" else x
    return x + y if kind == "pre-activated" else act(x + y)


def _bn(state, name, x):
    shape = (1, -1, 1, 1) if x.ndim == 4 else (1, -1)
    mean, var = state[f"{name}.running_mean"].view(shape), state[f"{name}.running_var"].view(shape)
    weight, bias = state[f"{name}.weight"].view(shape), state[f"{name}.bias"].view(shape)
    return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias


def check_same(network, net, pictures):
    """What was recognised is the pictures' classifier ``net`` of 5 classes and 4 latent nodes."""
    assert network.obstacle == ""
    assert (network.classes, network.latent_dim, network.input_shape) == (5, 4, tuple(pictures.shape[1:]))
    assert network.theory_note == ""
    logits, latents = network.build()(pictures)
    torch.testing.assert_close(logits, net(pictures), rtol=1e-4, atol=1e-5)
    weight, bias = (torch.from_numpy(part) for part in (network.weight, network.bias))
    torch.testing.assert_close(latents @ weight.T + bias, logits, rtol=1e-4, atol=1e-5)
