"""The report: attacks side by side, shares that add up, and a flag for everything that inflates a number."""

import json
import math

import numpy as np
import pytest
import torch

from lpc_core.robustness import attacks, report, seconds_for
from lpc_core.robustness.ddn import Ddn
from lpc_core.robustness.deepfool import DeepFool
from lpc_core.robustness.hopskipjump import HopSkipJump
from lpc_core.robustness.pgd_l2 import PgdL2
from tests.core.robustness._known import linear_distances

QUICK = (DeepFool(), Ddn(steps=60), HopSkipJump(iterations=8, probes=30))


def flag(found, name):
    return next(flag for flag in found.flags if flag.name == name)


@pytest.fixture(scope="session")
def collapsed_report(collapsed):
    return report(collapsed.model, collapsed.inputs, collapsed.labels)


def test_the_numbers_are_those_of_the_samples(collapsed_report):
    found, right = collapsed_report, ~collapsed_report.results["fmn"].initially_wrong
    assert found.accuracy == right.mean()
    assert 0.9 < found.accuracy < 1
    for summary in found.attacks:
        result = found.results[summary.name]
        assert (summary.samples, summary.found) == (right.sum(), result.success[right].sum())
        assert summary.mean == pytest.approx(result.relative[right].mean())
        assert summary.median == pytest.approx(np.median(result.relative[right]))
        assert summary.mean_with_wrong == pytest.approx(summary.mean * found.accuracy)
        assert summary.forwards == result.forwards[right].mean()
        assert summary.norm_mean == pytest.approx(result.norms[right].mean())


def test_the_smallest_known_is_the_least_of_all(collapsed_report):
    found = collapsed_report
    least = np.min([result.norms for result in found.results.values()], axis=0)
    np.testing.assert_array_equal(found.best_norms, least)
    for row, name in enumerate(found.best_attack):
        assert least[row] == (found.results[name].norms[row] if name else 0)
    assert found.best.mean <= min(summary.mean for summary in found.attacks)


def test_an_inflated_deepfool_is_flagged(collapsed_report):
    seen = flag(collapsed_report, "deepfool-overstates")
    assert seen.raised
    assert seen.value > 1.5
    assert seen.sentence.startswith(f"DeepFool's perturbations are {seen.value:.2f} × the smallest known ones (median)")
    assert seen.sentence.endswith(": quote the smaller ones.")
    assert not flag(collapsed_report, "white-box-worse").raised
    assert not flag(collapsed_report, "accuracy-at-chance").raised
    assert not flag(collapsed_report, "not-found").raised


@pytest.mark.parametrize(("steepness", "beyond"), [(5.0, True), (0.1, False)])
def test_perturbations_beyond_the_inputs_are_named(steepness, beyond):
    """Saturated around its samples, a model sends DeepFool far beyond them; else it sends it to their boundary."""
    def model(x):
        return torch.stack([0 * x[:, 0], torch.tanh(steepness * x[:, 0])], 1)

    x = 1 + 0.1 * torch.rand(20, 3, generator=torch.Generator().manual_seed(0))
    found = report(model, x, model(x).argmax(1), attacks=QUICK)
    seen = flag(found, "deepfool-overstates")
    assert bool((found.results["deepfool"].relative > 1).all()) == seen.raised == beyond
    assert ("and at 100% of the samples larger than the input itself" in seen.sentence) == beyond


def test_the_papers_convention_is_beside_it(collapsed, collapsed_report):
    from lpc_core.robustness import deepfool

    assert collapsed_report.paper == deepfool(collapsed.model, collapsed.inputs).relative.mean()
    assert 0 < collapsed_report.paper_outside <= 1


def test_an_honest_deepfool_is_not_flagged(linear, inputs):
    found = report(linear, inputs, linear(inputs).argmax(1), attacks=QUICK)
    assert not flag(found, "deepfool-overstates").raised
    assert flag(found, "deepfool-overstates").value == pytest.approx(1, abs=0.03)


def test_deepfool_alone_is_flagged(linear, inputs):
    seen = flag(report(linear, inputs, linear(inputs).argmax(1), attacks=["deepfool"]), "deepfool-overstates")
    assert seen.raised
    assert math.isnan(seen.value)
    assert "DeepFool was run alone" in seen.sentence


def test_masked_gradients_are_flagged(linear, inputs):
    """A staircase: the model answers like ``linear`` to inputs rounded to tenths, and its gradient is 0 everywhere."""
    def staircase(x):
        return linear((x * 10).round() / 10)

    found = report(staircase, inputs, staircase(inputs).argmax(1), attacks=QUICK)
    assert flag(found, "flat").raised
    assert flag(found, "flat").value == 1
    assert flag(found, "white-box-worse").raised
    assert flag(found, "white-box-worse").value > 0.5
    assert flag(found, "not-found").raised  # DeepFool has nowhere to go
    assert "deepfool 40" in flag(found, "not-found").sentence
    assert found.attacks[0].median == math.inf
    assert math.isnan(found.attacks[0].mean)


def test_a_saturated_softmax_is_flagged(linear, inputs):
    labels = linear(inputs).argmax(1)
    sure = report(lambda x: 1e5 * linear(x), inputs, labels, attacks=QUICK)
    assert flag(sure, "softmax-saturated").value > 0.9
    assert flag(sure, "softmax-saturated").raised
    assert not flag(sure, "white-box-worse").raised
    assert not flag(report(linear, inputs, labels, attacks=QUICK), "softmax-saturated").raised


def test_accuracy_at_chance_is_flagged(linear, inputs):
    labels = np.arange(40) % 5
    seen = flag(report(linear, inputs, labels, attacks=QUICK), "accuracy-at-chance")
    assert seen.raised
    assert "robustness without accuracy means nothing (20.0%)" in seen.sentence


def test_samples_without_a_perturbation_are_counted_and_named(linear, inputs):
    """PGD at one ε that reaches a quarter of the boundaries."""
    epsilon = float(np.quantile(linear_distances(linear, inputs), 0.25))
    found = report(linear, inputs, linear(inputs).argmax(1), attacks=[PgdL2(epsilons=(epsilon,)), *QUICK])
    pgd, missing = found.attacks[0], int((~found.results["pgd-l2"].success).sum())
    assert missing == pytest.approx(30, abs=1)
    assert (pgd.found, pgd.samples) == (40 - missing, 40)
    assert pgd.median == math.inf
    assert pgd.norm_mean < epsilon
    assert flag(found, "not-found").raised
    assert flag(found, "not-found").value == missing / 40
    assert f"for some of 40 samples (pgd-l2 {missing})" in flag(found, "not-found").sentence
    assert found.plain()["attacks"][0]["median"] == "inf"


def test_leaving_the_range_is_flagged_without_bounds_only(collapsed, collapsed_report):
    assert flag(collapsed_report, "outside-range").raised
    assert "deepfool 100%" in flag(collapsed_report, "outside-range").sentence
    bounded = report(collapsed.model, collapsed.inputs[:40], collapsed.labels[:40], attacks=QUICK,
                     bounds=collapsed.bounds)
    assert not flag(bounded, "outside-range").raised


def test_a_range_that_one_attack_leaves_is_flagged_where_another_finds_nothing(linear):
    def steps(x):
        return linear((x > 0).to(x.dtype) - 0.5) + 0 * x.sum(1, keepdim=True)

    x = 0.2 * torch.rand(60, 12, generator=torch.Generator().manual_seed(0)) - 0.1
    found = report(steps, x, steps(x).argmax(1), attacks=QUICK)
    assert found.attacks[0].found == 0
    assert flag(found, "outside-range").raised
    assert flag(found, "outside-range").value == max(summary.outside for summary in found.attacks[1:])
    assert "deepfool" not in flag(found, "outside-range").sentence


def test_what_deepfool_did_not_find_by_the_papers_convention_is_counted(linear, inputs):
    """Flat where the first number is below 0, and mislabelled there: only the paper's convention attacks those."""
    def half(x):
        return torch.where(x[:, :1] < 0, linear(x).detach(), linear(x))

    labels = half(inputs).argmax(1)
    flat = inputs[:, 0] < 0
    labels[flat] = (labels[flat] + 1) % 5
    found = report(half, inputs, labels, attacks=QUICK)
    assert found.paper_missing == found.plain()["paper_deepfool_missing"] == int(flat.sum()) > 0
    assert flag(found, "not-found").raised
    assert flag(found, "not-found").value == found.paper_missing / 40
    assert f"(DeepFool as in the paper {found.paper_missing} of 40)" in flag(found, "not-found").sentence


def test_labels_made_in_inference_mode_will_do(linear, inputs):
    with torch.inference_mode():
        labels = linear(inputs).argmax(1)
    assert report(linear, inputs, labels, attacks=["deepfool"]).best.found == 40


def test_a_model_left_to_chance_is_flagged(linear, inputs):
    labels = linear(inputs).argmax(1)
    seen = flag(report(lambda x: linear(torch.dropout(x, 0.2, True)), inputs, labels, attacks=QUICK), "answers-vary")
    assert seen.raised
    assert "switch dropout and other chance off" in seen.sentence
    assert not flag(report(linear, inputs, labels, attacks=QUICK), "answers-vary").raised


def test_decisions_alone_will_do(linear, inputs):
    @torch.no_grad()
    def decisions(x):
        return torch.nn.functional.one_hot(linear(x).argmax(1), 5).float()

    found = report(decisions, inputs, decisions(inputs).argmax(1), attacks=[HopSkipJump(iterations=2)])
    assert found.best.found == 40
    assert not flag(found, "flat").raised
    assert math.isnan(flag(found, "flat").value)
    assert math.isnan(found.paper)


def test_the_smallest_known_used_gradients_if_an_attack_in_l2_did(linear, inputs):
    labels = linear(inputs).argmax(1)
    for names, expected in ((["hopskipjump", "pgd-linf"], False), (["hopskipjump", "ddn"], True)):
        assert report(linear, inputs[:5], labels[:5], attacks=names).best.white_box is expected


def test_foretelling_leaves_a_model_as_it_was(inputs):
    model = torch.nn.Sequential(torch.nn.Linear(12, 5), torch.nn.Dropout())
    assert 0 < seconds_for(model, inputs, ["ddn"]) < 60
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(module.training for module in model.modules())


def test_one_side_alone_cannot_show_masking(linear, inputs):
    seen = flag(report(linear, inputs, linear(inputs).argmax(1), attacks=["ddn"]), "white-box-worse")
    assert seen.raised
    assert "were not both run" in seen.sentence


def test_a_model_that_is_always_wrong_leaves_nothing_to_attack(linear, inputs):
    labels = (linear(inputs).argmax(1) + 1) % 5
    found = report(linear, inputs, labels, attacks=QUICK)
    assert found.accuracy == 0
    assert found.best.samples == 0
    assert math.isnan(found.best.median)
    assert flag(found, "accuracy-at-chance").raised
    for name, words in (("white-box-worse", "No sample was attacked"), ("not-found", "No sample was attacked"),
                        ("outside-range", "nothing that could lie outside")):
        assert not flag(found, name).raised
        assert math.isnan(flag(found, name).value)
        assert words in flag(found, name).sentence
    json.dumps(found.plain(per_sample=True), allow_nan=False)


def test_plain_is_json(collapsed_report):
    plain = json.loads(json.dumps(collapsed_report.plain(per_sample=True), allow_nan=False))
    assert [attack["name"] for attack in plain["attacks"]] == ["deepfool", "ddn", "fmn", "hopskipjump"]
    assert plain["accuracy"] + plain["misclassified"] == pytest.approx(1)
    assert plain["per_sample"]["fmn"]["norm"] == pytest.approx(collapsed_report.results["fmn"].norms.tolist())
    assert all(flag["sentence"].endswith(".") for flag in plain["flags"])
    assert "per_sample" not in collapsed_report.plain()


def test_progress_rises_to_the_whole(linear, inputs):
    seen = []
    report(linear, inputs, linear(inputs).argmax(1), attacks=QUICK, progress=lambda share, what: seen.append(share))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 1)


@pytest.mark.parametrize(("attacks", "words"), [
    (["fmn", "fmn"], r"expected attacks of different names, at least one of them in L2, got \['fmn', 'fmn'\]"),
    ([], "at least one of them in L2"),
    (["pgd-linf"], r"at least one of them in L2, got \['pgd-linf'\]; choose from ddn, deepfool, fmn"),
    (["cw"], f"attack: expected one of {', '.join(attacks())}, got 'cw'"),
])
def test_other_choices_are_refused(attacks, words, linear, inputs):
    with pytest.raises(ValueError, match=words):
        report(linear, inputs, np.zeros(40, int), attacks=attacks)
