"""Distances to the boundary in closed form, and DeepFool as it is written for one picture at a time."""

import contextlib
import warnings

import numpy as np
import pytest
import torch


def linear_distances(model, x, order=2):
    """How far each ``x`` is from the nearest boundary of a linear model, measured in the norm dual to ``order``."""
    logits, weight = model(x).detach().double(), model.weight.detach().double()
    own = logits.argmax(1)
    gaps = logits.gather(1, own[:, None]) - logits
    lengths = torch.linalg.vector_norm(weight[own][:, None] - weight[None], order, dim=2)
    return (gaps / lengths).nan_to_num(torch.inf).amin(1).numpy()


def sphere_distances(x):
    """How far each ``x`` is from the sphere of radius 2."""
    return np.abs(x.double().flatten(1).norm(dim=1).numpy() - 2)


def deepfool_one(net, image, candidates=10, overshoot=0.02, steps=50):
    """The published loop: every class's gradient by a backward pass of its own. Returns the perturbation's norm, ∞
    where no class has a gradient (the published code stops with an error there) or the steps are used up.
    """
    x = image[None].clone().requires_grad_(True)
    logits = net(x)
    classes = logits[0].argsort(descending=True)[:candidates]
    total = torch.zeros_like(image)
    for _ in range(steps):
        gradients = [torch.autograd.grad(logits[0, k], x, retain_graph=True)[0][0] for k in classes]
        nearest, step = np.inf, None
        for k, slope in zip(classes[1:], gradients[1:], strict=True):
            w = slope - gradients[0]
            distance = float((logits[0, k] - logits[0, classes[0]]).detach().abs() / w.norm())
            if distance < nearest:
                nearest, step = distance, (distance + 1e-4) * w / w.norm()
        if step is None:
            return np.inf
        total = total + step
        x = (image + (1 + overshoot) * total)[None].detach().requires_grad_(True)
        logits = net(x)
        if logits[0].argmax() != classes[0]:
            return float(((1 + overshoot) * total).norm())
    return np.inf


def the_package_foolbox():
    """Among its classes is one that numba has to compile, which tests forbid elsewhere (`tests/conftest.py`)."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.filterwarnings("ignore", "Please import `gaussian_filter`", DeprecationWarning)
        with contextlib.suppress(ImportError):
            import numba

            patch.setattr(numba.config, "DISABLE_JIT", False)
        import foolbox
    return foolbox
