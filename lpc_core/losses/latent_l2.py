"""The LPC penalty ‖z‖² on the latents (arXiv 2310.08224), in the paper's convention and in its authors' code's."""

from __future__ import annotations

import torch
from torch import Tensor

CONVENTIONS = ("sum", "mean")


def latent_l2(latents: Tensor, convention: str = "sum") -> Tensor:
    """Mean over the batch of ‖z‖²: summed over the d nodes ("sum", the paper) or averaged over them ("mean", the code).

    latents: (N, d). Returns a scalar, float32 or wider; the loss term is γ times it. Raises `ValueError` for latents of
    another shape and for another convention.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention: expected {' or '.join(CONVENTIONS)}, got {convention!r}; sum is the paper's "
                         "equation, mean its authors' code")
    if latents.ndim != 2:
        raise ValueError(f"expected latents (N, d), got {tuple(latents.shape)}; pass one vector per sample, such as "
                         "latents.flatten(1)")
    squares = latents.to(torch.promote_types(latents.dtype, torch.float32)).square()  # a half's square overflows
    return squares.sum(dim=1).mean() if convention == "sum" else squares.mean()


def gamma_sum(gamma: float, convention: str, latent_dim: int) -> float:
    """``gamma`` as the factor of ‖z‖², the paper's γ: the code's γ is d times larger for the same penalty."""
    return gamma if convention == "sum" else gamma / latent_dim
