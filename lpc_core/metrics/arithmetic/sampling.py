"""Whether there are samples enough: in many nodes a few random points lie as far apart as collapsed classes do.

The mean of N_c samples of isotropic noise of variance σ² per node is off by σ²/N_c in each of d ≫ K nodes. So the K
centred means have the Gram matrix dσ²·C·diag(1/N_c)·C, with C the centring, whose pseudo-inverse has the trace
(N − ΣN_c²/N)/(dσ²), and the scatter along each direction that they span is σ²(1 − 1/N_c). NC1 = tr(Σ_W Σ_B⁺)/K of noise
is then about (1 − 1/N_c)(N − ΣN_c²/N)/d, or (K − 1)(N_c − 1)/d for equal classes: with d ≫ N it seems to vanish.
"""

from __future__ import annotations

import numpy as np


def too_few(counts: np.ndarray, d: int) -> str:
    """Why class means and scatter of ``counts`` (K,) samples in ``d`` nodes cannot be trusted; "" where they can.

    They can where every class that has samples has more of them than there are nodes.
    """
    sizes = counts[counts > 0]
    if len(sizes) < 2 or sizes.min() > d:
        return ""
    total, least = int(sizes.sum()), int(sizes.min())
    noise = f"noise alone would read NC1 near {noise_nc1(sizes, d):.2g}"
    if total > d:
        return (f"few samples per class: {least:,} in the smallest for {d:,} nodes, so class means are uncertain; "
                f"{noise}")
    return (f"too few samples: {total:,} (the smallest class {least:,}) for {d:,} nodes, so random points lie apart "
            f"like classes; {noise}; take more than {d:,} samples, best of each class")


def noise_nc1(sizes: np.ndarray, d: int) -> float:
    """NC1 of isotropic noise in d nodes with ``sizes`` (K,) samples per class; see the module."""
    total, several = float(sizes.sum()), sizes[sizes > 1]
    scatter = float((1 - 1 / several).mean()) if several.size else 0.0
    return scatter * (total - float((sizes.astype(np.float64) ** 2).sum()) / total) / d
