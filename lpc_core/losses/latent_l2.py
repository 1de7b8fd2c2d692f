"""The LPC penalty ‖z‖² on the latents (arXiv 2310.08224), in the paper's convention and in its authors' code's."""

from __future__ import annotations

from torch import Tensor


def latent_l2(latents: Tensor, convention: str = "sum") -> Tensor:
    """Mean over the batch of ‖z‖²: summed over the d nodes ("sum", the paper) or averaged over them ("mean", the code).

    latents: (N, d). Returns a scalar; the loss term is γ times it.
    """
    squares = latents.square()
    return squares.sum(dim=1).mean() if convention == "sum" else squares.mean()


def gamma_sum(gamma: float, convention: str, latent_dim: int) -> float:
    """``gamma`` as the factor of ‖z‖², the paper's γ: the code's γ is d times larger for the same penalty."""
    return gamma if convention == "sum" else gamma / latent_dim
