"""A view onto wide latents that neither flips nor jumps: principal axes that turn by a bounded angle per frame."""

from __future__ import annotations

import numpy as np

INERTIA = 4.0  # weight of the old axes against the data; bounds the turn per update to atan(1/4) = 14 degrees


class StableBasis:
    """The p directions of largest variance of the latents (d nodes), followed from frame to frame.

    Each update takes one step of orthogonal iteration from the old axes B (d, p): the orthonormal basis nearest to
    ``C B/‖C B‖ + INERTIA · B``, with C the covariance (its polar factor). Signs and order are thereby inherited, never
    chosen anew. B comes to rest on the largest principal directions after some tens of updates of unchanged latents,
    so update it at every frame: that costs of order n·d·p. Equal eigenvalues pull it nowhere, so it does not spin
    among them. A fresh PCA aligned to the last would: its subspace is arbitrary there and jumps.

    With d ≤ p there is nothing to leave out: the nodes themselves are the axes, and missing ones are zero columns.
    All samples count alike; labels are not needed, and after collapse the class means dominate C anyway.
    """

    def __init__(self, d: int, p: int) -> None:
        if d < 1 or p < 1:
            raise ValueError(f"expected d >= 1 and p >= 1, got d={d} and p={p}; pass latent and view dimensions")
        self.d, self.p = d, p
        self._basis: np.ndarray | None = None  # (d, p)

    def update(self, latents: np.ndarray) -> np.ndarray:
        """Follow ``latents`` (n, d) by one step and return the axes (d, p); ``latents @ axes`` is the view.

        The first call gives the exact principal axes, largest first, each pointing to where its largest entry is
        positive. Latents that are all equal say nothing and leave the axes as they are.
        """
        latents = np.asarray(latents, np.float64)
        if latents.ndim != 2 or latents.shape[1] != self.d or not len(latents):
            raise ValueError(f"expected latents (n, {self.d}) with n >= 1, got {latents.shape}; "
                             "make a new StableBasis for another network")
        if not np.isfinite(latents).all():
            raise ValueError("expected finite latents, got NaN or infinity; stop the run where it diverged")
        if self.d <= self.p:
            return np.eye(self.d, self.p)
        centred = latents - latents.mean(axis=0)
        centred /= np.abs(centred).max() or 1.0  # collapsed latents would underflow when squared
        self._basis = _principal(centred, self.p) if self._basis is None else _followed(centred, self._basis)
        return self._basis.copy()


def _principal(centred: np.ndarray, p: int) -> np.ndarray:
    """The first p eigenvectors (d, p) of the covariance, largest first, in one of their two orientations."""
    axes: np.ndarray = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :p]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(p)])
    return axes


def _followed(centred: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """The basis one step nearer to the principal directions of ``centred`` (n, d)."""
    if not centred.any():
        return basis
    pull = centred.T @ (centred @ basis)  # (d, p) covariance times basis, up to a factor
    strength = np.linalg.norm(pull, ord=2)
    if strength == 0:
        return _principal(centred, basis.shape[1])  # the view shows a single dot: nothing in it can jump
    left, _, right = np.linalg.svd(pull / strength + INERTIA * basis, full_matrices=False)
    turned: np.ndarray = left @ right
    return turned
