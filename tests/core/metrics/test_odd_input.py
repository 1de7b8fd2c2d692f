"""Input that is easily misread: numbers as texts, whole-number tensors, masks, scales that differ by far."""

import numpy as np
import pytest
import torch

from lpc_core.losses import latent_l2
from lpc_core.metrics import code_report, measure, readings
from lpc_core.metrics.accumulator import CollapseMetrics
from lpc_core.metrics.lipschitz import lipschitz
from lpc_core.metrics.reliability import knn_distance, reliability

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", [str, bytes, object])
def test_numbers_written_as_texts_are_those_numbers(kind):
    """Twelve classes, of which "10" and "11" would come before "2" in the alphabet."""
    labels = np.tile(np.arange(12), 5)
    latents = np.eye(12)[labels] + 0.01 * RNG.standard_normal((60, 12))
    texts = labels.astype(str).astype("S" if kind is bytes else kind)
    assert measure(latents, texts, logits=latents, weight=np.eye(12)) == pytest.approx(
        measure(latents, labels, logits=latents, weight=np.eye(12)), nan_ok=True)


def test_classes_named_by_numbers_are_found_by_name():
    labels = np.array(["1", "2"] * 10)
    latents = np.where(labels == "1", 1.0, -1.0)[:, None] * [1.0, 1.0]
    assert code_report(latents, labels).classes == ("1", "2")
    for classes in (("1", "2"), ("2", "1")):
        found = code_report(latents, labels, classes=classes)
        assert found.classes == classes
        assert found.code[classes.index("1")].tolist() == [1, 1]
    gathered = CollapseMetrics(("2", "1"), 2)
    gathered.update(latents, labels)
    assert gathered.compute()["nc1_pinv"] == measure(latents, labels)["nc1_pinv"] == 0


def test_unsigned_labels_and_signed_predictions_number_the_rows_of_a_head():
    labels = np.arange(40) % 4  # rows 4 and 5 of the head have no samples
    latents = np.eye(6)[labels]
    found = measure(latents, labels.astype(np.uint64), labels, weight=np.eye(6), only=["accuracy", "weight_norm"])
    assert found == pytest.approx({"accuracy": 1, "weight_norm": 6**0.5})


@pytest.mark.parametrize("texts", [["a", "10", "2"], ["01", "1", "2"], ["9" * 40, "1", "2"]])
def test_other_texts_stay_texts(texts):
    assert code_report(RNG.standard_normal((6, 2)), texts * 2).classes == tuple(sorted(texts))


def test_whole_number_tensors_keep_all_digits():
    latents = torch.tensor(np.stack([(np.arange(60) % 2) + 2**24] * 2, 1))
    labels = np.arange(60) % 2
    assert measure(latents, labels) == pytest.approx(measure(latents.numpy(), labels), nan_ok=True)


def test_masked_and_sparse_latents_are_refused():
    masked = np.ma.masked_greater(RNG.standard_normal((20, 3)), 1.0)
    with pytest.raises(ValueError, match="expected latents without masked entries, got "):
        measure(masked, np.arange(20) % 2)
    with pytest.raises(ValueError, match=r"expected dense latents, got layout torch.sparse_coo; .*to_dense"):
        measure(torch.eye(4).to_sparse(), np.arange(4) % 2)


def test_equal_sizes_read_zero_in_any_number():
    latents = RNG.choice([-0.3, 0.3], (80_000, 3))
    found = readings(latents, (latents[:, 0] > 0).astype(int), only=["abs_cv"])["abs_cv"]
    assert found.at_floor
    assert found.value < 1e-15


def test_peaks_as_narrow_as_can_be_seen_are_at_the_floor():
    labels = np.arange(400) % 2
    latents = ((2 * labels[:, None] - 1) + 1e-7 * RNG.standard_normal((400, 4))).astype(np.float32)
    assert readings(latents, labels, only=["gmm_std"])["gmm_std"].at_floor


@pytest.mark.parametrize("width", [1e-3, 1e-6, 1e-7])
def test_the_accumulator_sees_nodes_far_narrower_than_others(width):
    labels = np.arange(400) % 4
    noise = RNG.standard_normal((400, 6))
    noise -= np.stack([noise[labels == c].mean(0) for c in range(4)])[labels]
    latents = RNG.standard_normal((4, 6))[labels] * [0, 0, 0, 1, 1, 1] + noise * ([1e3] * 3 + [width] * 3)
    gathered = CollapseMetrics(np.int64(4), np.int64(6))
    for part in np.array_split(np.arange(400), 5):
        gathered.update(latents[part], labels[part])
    assert gathered.compute()["nc1_pinv"] == pytest.approx(measure(latents, labels)["nc1_pinv"], rel=1e-5)


def test_classes_that_no_node_tells_apart_collide():
    found = code_report(np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]), [0, 0, 1, 1], classes=np.int64(2))
    assert found.unused == (0, 1)
    assert found.collisions == ((0, 1),)


def test_the_loss_term_refuses_what_it_would_misread():
    with pytest.raises(ValueError, match="convention: expected sum or mean, got 'foo'"):
        latent_l2(torch.ones(2, 3), "foo")
    for wrong in (torch.ones(3), torch.ones(2, 3, 4, 4)):
        with pytest.raises(ValueError, match=r"expected latents \(N, d\), got "):
            latent_l2(wrong)
    assert latent_l2(torch.full((2, 2), 300.0).half()) == 180_000


def _clouds():
    labels = np.arange(90) % 3
    return 3 * np.eye(3)[labels] + RNG.standard_normal((90, 3)), labels


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_reliability_takes_tensors(dtype):
    (train, train_labels), (test, labels) = _clouds(), _clouds()
    parts = [torch.tensor(part).to(dtype) for part in (train, test, 2 * test)]
    plain = [part.double().numpy() for part in parts]
    parts[1].requires_grad_(True)
    tensors = reliability(parts[0], torch.tensor(train_labels), parts[1], parts[2], torch.tensor(labels), k=5,
                          ood_latents=-parts[1], ood_logits=-parts[2])
    arrays = reliability(plain[0], train_labels, plain[1], plain[2], labels, k=5, ood_latents=-plain[1],
                         ood_logits=-plain[2])
    assert {name: r.value for name, r in tensors.items()} == {name: r.value for name, r in arrays.items()}


@pytest.mark.parametrize(("changed", "words"), [
    ({"labels": np.array(["a", "b", "c"] * 30)}, "expected labels as whole numbers 0…2, rows of the logits, got dtype"),
    ({"labels": np.arange(90) % 3 + 1}, "expected labels from 0 to 2 for 3 logits, got 1 to 3"),
    ({"train_labels": np.arange(90) % 5}, "expected train_labels from 0 to 2 for 3 logits, got 0 to 4"),
    ({"latents": np.zeros((90, 2))}, r"expected latents \(n, 3\), as wide as those of the training set, got \(90, 2\)"),
    ({"ood_latents": np.zeros((5, 3)), "ood_logits": np.zeros((4, 3))}, r"expected ood_logits \(5, 3\)"),
    ({"logits": np.zeros(90)}, r"expected one row of logits and one label per latent, got \(90,\) and \(90,\) for 90;"),
])
def test_reliability_refuses_what_does_not_fit(changed, words):
    (train, train_labels), (test, labels) = _clouds(), _clouds()
    fitting = {"train_latents": train, "train_labels": train_labels, "latents": test, "logits": test, "labels": labels}
    with pytest.raises(ValueError, match=words):
        reliability(**fitting | changed)


def test_numbers_out_of_range_are_refused():
    model = torch.nn.Linear(3, 2)
    with pytest.raises(ValueError, match="expected batch_size ≥ 1, got 0"):
        lipschitz(model, torch.ones(4, 3), [0, 1, 0, 1], batch_size=0)
    with pytest.raises(ValueError, match="as wide as those of the training set"):
        knn_distance(np.ones((30, 3)), np.ones((2, 4)))


def test_a_model_that_misses_a_key_is_told_of_in_the_usual_form():
    def model(x):
        return {}["logits"]

    with pytest.raises(ValueError, match=r"expected inputs \(N, …\) that the model takes"):
        lipschitz(model, torch.ones(4, 3), [0, 1, 0, 1])


def test_progress_tells_what_comes_next():
    seen = []
    readings(RNG.standard_normal((20, 3)), np.arange(20) % 2, progress=lambda share, what: seen.append((share, what)))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.8 < shares[-1] < 1
    assert len({what for _, what in seen}) == len(seen) > 5
