"""Attacks of adv-lib (Rony et al., BSD licence; by DDN's author) beside ours: the one file that knows that package.

Needs ``pip install --no-deps adv-lib`` and the extra ``attacks``. adv-lib takes inputs from 0 to 1, so it sees each
value's place between the bounds; where there is none, or an infinite one, between the batch's smallest and largest
value, a span farther on either side. What it returns is asked about and measured like anything else here. It does not
say which samples it asks about, so the counts are means.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from lpc_core.robustness._base import Attack
from lpc_core.robustness._search import Search

PREFIX = "adv-"
INSTALL = "pip install --no-deps adv-lib and pip install 'lpc-lab[attacks]'"
UNUSED = ("torchvision", "visdom")  # imported for a distance and for plots that nothing here asks for: the one does not
# go with a torch for CPUs, the other cannot be built by today's setuptools


@dataclasses.dataclass(frozen=True)
class ByOthers(Attack):
    """What all of them share; the subclasses are made by `_attack`."""

    least_classes = 2

    @staticmethod
    def call(attacks: Any, *asked: Any) -> Tensor:
        """Ask the module ``adv_lib.attacks`` for changed inputs (n, …), from 0 to 1."""
        raise NotImplementedError

    def run(self, search: Search) -> None:
        """Have them look, and ask about what they found."""
        if search.clean.shape[1] < self.least_classes:
            raise ValueError(f"expected a model of {self.least_classes} classes or more for {self.name}, got "
                             f"{search.clean.shape[1]}; choose another attack")
        attacks, low, high = _package(), *_ends(search)
        counts = _Counts(search, self.gradients)

        def model(units: Tensor) -> Tensor:
            return counts.logits(low + units.to(search.inputs.dtype) * (high - low)).float()

        units = ((search.inputs - low) / (high - low)).clamp(0, 1).float()
        devices = [search.inputs.device] if search.inputs.is_cuda else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(int(torch.randint(2**31, (), generator=search.generator, device=search.inputs.device)))
            found = self.call(attacks, model, units, search.labels).detach()
        points = low + found.to(search.inputs.dtype) * (high - low)
        search.ask(points.where(found != units, search.inputs), search.rows)  # what was left alone is not rounded
        counts.share_out()


class _Counts:
    """Counts what is asked for a batch as a whole."""

    def __init__(self, search: Search, gradients: int) -> None:
        self.search, self.expected = search, gradients * len(search.inputs)
        self.forwards = self.backwards = 0

    def logits(self, points: Tensor) -> Tensor:
        self.forwards += len(points)
        if points.requires_grad:
            points.register_hook(self._went_back)
        return self.search.model(points)

    def _went_back(self, gradient: Tensor) -> None:
        self.backwards += len(gradient)
        self.search.progress(min(0.99, self.backwards / self.expected))

    def share_out(self) -> None:
        self.search.forwards += round(self.forwards / len(self.search.inputs))
        self.search.backwards += round(self.backwards / len(self.search.inputs))


def _ends(search: Search) -> tuple[Tensor, Tensor]:
    """What 0 and 1 stand for."""
    low, high = search.inputs.aminmax()
    span = (high - low).where(high > low, torch.ones_like(low))
    low, high = low - span, high + span
    box = search.box
    if box.low is None or box.high is None:
        return low, high
    return box.low.where(box.low.isfinite(), low), box.high.where(box.high.isfinite(), high)


def _package() -> Any:
    """The module ``adv_lib.attacks``; `ValueError` in words where it, or what it needs, cannot be had."""
    try:
        with warnings.catch_warnings(), _without(*UNUSED):
            warnings.simplefilter("ignore", DeprecationWarning)  # of distutils, which it still asks for
            return importlib.import_module("adv_lib.attacks")
    except ImportError as error:
        raise ValueError(f"expected adv-lib with all that it needs, got {error}; {INSTALL}") from None


@contextlib.contextmanager
def _without(*names: str) -> Iterator[None]:
    """While the block is run, modules ``names`` that nobody has imported yet are empty."""
    empty = {name: types.ModuleType(name) for name in names if name not in sys.modules}
    for module in empty.values():
        vars(module)["models"] = None  # the one name that is taken from them at once
    sys.modules |= empty
    try:
        yield
    finally:
        for name in empty:
            del sys.modules[name]


def _attack(title: str, source: str, gradients: int, call: Callable[..., Tensor],
            least_classes: int = 2) -> type[Attack]:
    return type(title, (ByOthers,), {
        "name": PREFIX + title.lower(), "title": f"{title} (adv-lib)", "source": source, "gradients": gradients,
        "call": staticmethod(call), "least_classes": least_classes, "__doc__": f"{title}, {source}."})


OTHERS = {kind.name: kind for kind in (
    _attack("DeepFool", "Moosavi-Dezfooli, Fawzi & Frossard 2016, arXiv 1511.04599", 100,
            lambda attacks, *asked: attacks.df(*asked, steps=50)),
    _attack("SuperDeepFool", "Abdollahpoorrostam et al. 2023, arXiv 2303.12481", 100,
            lambda attacks, *asked: attacks.sdf(*asked)),
    _attack("DDN", "Rony et al. 2019, arXiv 1811.09600", 300,
            lambda attacks, *asked: attacks.ddn(*asked, steps=300, levels=None)),
    _attack("FMN", "Pintor et al. 2021, arXiv 2102.12827", 300,
            lambda attacks, *asked: attacks.fmn(*asked, norm=2, steps=300)),
    _attack("ALMA", "Rony et al. 2021, arXiv 2011.11857", 300,
            lambda attacks, *asked: attacks.alma(*asked, num_steps=300), least_classes=3),
    _attack("FAB", "Croce & Hein 2020, arXiv 1907.02044", 900,
            lambda attacks, *asked: attacks.fab(*asked, norm=2)),
    _attack("APGD", "Croce & Hein 2020, arXiv 2003.01690, its radius halved ten times", 1_000,
            lambda attacks, model, units, labels: attacks.auto_pgd.minimal_apgd(
                model, units, labels, norm=2, max_eps=float(units.flatten(1).norm(dim=1).max()),
                binary_search_steps=10), least_classes=3),
)}


def others() -> dict[str, type[Attack]]:
    """The attacks of adv-lib by name; none where it is not installed."""
    return OTHERS if importlib.util.find_spec("adv_lib") else {}
