"""The forward pass of R equal MLPs on any samples, without dropout: for looking at a run, not for training it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
from torch import Tensor

from lpc_core.config import ModelConfig
from lpc_core.engine._fused_tape import ACTIVATIONS

SCRATCH = 1 << 18  # numbers in a buffer of activations, 1 MB, so that they stay near a processor
SCRATCH_CUDA = 1 << 24


class _Own(threading.local):
    """What a thread has of its own: it looks at its runs one after the other, so two buffers serve them all."""

    def __init__(self) -> None:
        self.buffers: dict[torch.dtype, tuple[Tensor, Tensor]] = {}

    def two(self, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Buffers of at least ``size`` numbers; a card's own allocator keeps them, stream by stream."""
        if like.device.type != "cpu":
            return like.new_empty(size), like.new_empty(size)
        if like.dtype not in self.buffers or len(self.buffers[like.dtype][0]) < size:
            with torch.inference_mode(False):  # whoever is first may be in it, the next need not be
                self.buffers[like.dtype] = like.new_empty(size), like.new_empty(size)
        return self.buffers[like.dtype]


_own = _Own()


class Forward:
    """Reads the parameters where they are trained: ``layers`` are weights (R, n, m) and biases (R, n), head last.

    Samples come last in everything it computes: with them contiguous, layers of two nodes and a softmax over four
    classes are several times faster. Replicas and samples are taken in pieces, so that buffers are small and reused.
    """

    def __init__(self, config: ModelConfig, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        self._layers = [(weight, bias.unsqueeze(-1)) for weight, bias in layers]
        self._act = ACTIVATIONS[config.activation][0]
        self._straight = len(layers) - 2 if config.penultimate == "linear" else -1  # the layer without activation
        self._widest = max([weight.shape[1] for weight, _ in self._layers[:-1]], default=1)

    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (R, K, N) and latents (R, d, N) for ``inputs`` (N, …)."""
        columns = inputs.reshape(len(inputs), -1).T  # (m, N)
        (weight, _), size = self._layers[-1], columns.shape[1]
        replicas, classes, d = weight.shape
        logits, latents = (weight.new_empty((replicas, rows, size)) for rows in (classes, d))
        piece = max(1, (SCRATCH_CUDA if weight.is_cuda else SCRATCH) // self._widest)
        for start in range(0, size, piece):
            part = slice(start, min(start + piece, size))
            for replica in range(replicas):
                self._piece(replica, columns[:, part], logits[replica, :, part], latents[replica, :, part])
        return logits, latents

    def _piece(self, replica: int, node: Tensor, logits: Tensor, latents: Tensor) -> None:
        """Write the logits (K, N') and latents (d, N') of one replica for some samples (m, N')."""
        *layers, (head, offset) = self._layers
        samples = node.shape[1]
        buffers = _own.two(head, self._widest * samples)
        for index, (weight, bias) in enumerate(layers):
            rows = weight.shape[1]
            above = latents if index == len(layers) - 1 else buffers[index % 2][: rows * samples].view(rows, samples)
            node = torch.addmm(bias[replica], weight[replica], node, out=above)
            if index != self._straight:
                self._act(node, out=node)
        if not layers:
            node = latents.copy_(node)
        torch.addmm(offset[replica], head[replica], node, out=logits)
