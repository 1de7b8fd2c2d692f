"""Weights in parts come out as torch's own modules compute them; what the parts do not determine is refused by name."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from lpc_core.checkpoint import FileRefused
from tests.core.checkpoint._files import read_here, saved


def small(kind=nn.Linear):
    torch.manual_seed(0)
    return kind(6, 5) if kind is nn.Linear else kind(3, 4, 3)


def trained(module, inputs):
    """Some steps, so that norms and power iterations are not at their start."""
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    for _ in range(3):
        module(inputs).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return module.eval()


def old(function):
    def apply(module, **options):
        with pytest.warns(FutureWarning, match="deprecated"):
            return function(module, **options)
    return apply


def pruned(module, **_):
    prune.random_unstructured(module, "weight", 0.4)
    return module


CASES = [
    (parametrizations.weight_norm, {}, "weight norm (original0, original1)"),
    (parametrizations.weight_norm, {"dim": 1}, "weight norm"),
    (parametrizations.weight_norm, {"dim": None}, "weight norm"),
    (old(nn.utils.weight_norm), {}, "weight norm (g, v)"),
    (old(nn.utils.weight_norm), {"dim": 1}, "weight norm (g, v)"),
    (parametrizations.spectral_norm, {}, "spectral norm (original, _u, _v)"),
    (parametrizations.spectral_norm, {"dim": 1}, "spectral norm"),
    (nn.utils.spectral_norm, {}, "spectral norm (orig, u, v)"),
    (pruned, {}, "pruning (orig, mask)"),
]


@pytest.mark.parametrize("kind", [nn.Linear, nn.Conv2d])
@pytest.mark.parametrize(("reparametrise", "options", "how"), CASES)
def test_a_weight_is_what_torch_s_module_computes(kind, reparametrise, options, how):
    module = small(kind)
    inputs = torch.randn(8, 6) if kind is nn.Linear else torch.randn(2, 3, 5, 5)
    reparametrise(module, **options)
    trained(module, inputs)
    module(inputs)  # the old norms put their weight in place here
    checkpoint = read_here(saved({"fc." + name: value for name, value in module.state_dict().items()}))
    assert sorted(checkpoint.tensors) == ["fc.bias", "fc.weight"]
    torch.testing.assert_close(checkpoint.tensors["fc.weight"], module.weight.detach())
    (note,) = checkpoint.notes
    assert note.startswith(f"fc.weight: computed from {how}")


def test_a_transposed_convolution_normalises_its_second_dimension():
    torch.manual_seed(0)
    module = parametrizations.spectral_norm(nn.ConvTranspose2d(3, 4, 3)).eval()
    read = read_here(saved(module.state_dict()))
    torch.testing.assert_close(read.tensors["weight"], module.weight.detach())


def test_several_layers_keep_their_places_and_share_a_note():
    net = nn.Sequential(*(parametrizations.weight_norm(nn.Linear(4, 4)) for _ in range(3)))
    checkpoint = read_here(saved(net.state_dict()))
    assert [name for name in checkpoint.tensors if name.endswith("weight")] == ["0.weight", "1.weight", "2.weight"]
    assert checkpoint.notes == (
        "0.weight, 1.weight, 2.weight: computed from weight norm (original0, original1)",)


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT


def orthogonal():
    return parametrizations.orthogonal(nn.Linear(4, 4)).state_dict()


def own():
    module = nn.Linear(4, 4)
    nn.utils.parametrize.register_parametrization(module, "weight", Symmetric())
    return module.state_dict()


def without_vectors():
    state = nn.utils.spectral_norm(nn.Linear(4, 4)).state_dict()
    return {name: value for name, value in state.items() if name != "weight_v"}


def twice():
    return parametrizations.spectral_norm(parametrizations.weight_norm(nn.Linear(4, 4))).state_dict()


def other_sizes():
    return {"weight_g": torch.ones(3, 1), "weight_v": torch.ones(4, 4), "bias": torch.ones(4)}


def whole_too():
    return {"weight": torch.ones(4, 4), **pruned(nn.Linear(4, 4)).state_dict()}


@pytest.mark.parametrize(("make", "got"), [
    (orthogonal, "parametrizations.weight.0.base"), (own, "parametrizations.weight.original"),
    (without_vectors, "weight_orig"), (twice, "parametrizations.weight.1._u"), (other_sizes, "whose sizes do not fit"),
    (whole_too, "beside 'weight' itself")])
def test_what_the_parts_do_not_determine_is_refused_by_name(make, got):
    with pytest.raises(FileRefused, match=r"^expected (fc\.)?weight whole, .*; take it off before saving") as refused:
        read_here(saved({"fc." + name: value for name, value in make().items()}))
    assert got.replace("'weight'", "'fc.weight'") in str(refused.value)


@pytest.mark.parametrize("name", [
    "base_model.model.fc1.lora_A.weight", "base.fc.lora_B.default.weight", "unet.to_q.lora_down.weight",
    "lora_unet_mid.lora_up.weight", "fc.lora_magnitude_vector", "enc.ia3_l", "encoder.adapters.default.down.weight",
    "layer.adapter_down.weight", "fc.hada_w1_a", "prompt_embeddings"])
@pytest.mark.parametrize("beside", [{}, {"fc.weight": torch.ones(4, 4)}])
def test_adapters_are_refused_by_name(name, beside):
    with pytest.raises(FileRefused, match=r"got weights of an adapter .*; merge it into its base first") as refused:
        read_here(saved({**beside, name: torch.ones(4, 4)}))
    assert name in str(refused.value)


@pytest.mark.parametrize("name", ["fc.qweight", "fc.weight_scale", "fc.SCB", "fc.weight.absmax", "fc.zero_point",
                                  "fc._packed_params.dtype", "fc.weight_fake_quant.scale"])
def test_quantised_weights_are_refused_by_name(name):
    with pytest.raises(FileRefused, match=r"got quantised ones: .*; save the model before it is quantised"):
        read_here(saved({"fc.weight": torch.ones(4, 4), name: torch.ones(4)}))


def quantised():
    return torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8)


@pytest.mark.parametrize(("make", "what", "do"), [
    (lambda: torch.eye(3).to_sparse(), "a sparse tensor", "to_dense"),
    (lambda: torch.empty(2, device="meta"), r"a tensor without values \(meta\)", "load the weights"),
    (quantised, "a quantised tensor", "dequantize")])
def test_other_kinds_of_tensors_are_refused_by_their_kind(make, what, do, recwarn):
    with pytest.raises(FileRefused, match=f"got a pickle with the name 'torch.*', which makes {what}: .*{do}"):
        read_here(saved({"a": torch.ones(2), "b": make()}))
    recwarn.clear()  # torch's own warnings about making such tensors


def test_ordinary_names_that_look_like_parts_stay():
    given = {"a_v": torch.ones(2), "b_orig": torch.ones(2), "c_g": torch.ones(2), "mask": torch.ones(2),
             "d_mask": torch.ones(2), "w_u": torch.ones(2)}
    with pytest.raises(FileRefused, match="b_orig"):
        read_here(saved(given))
    del given["b_orig"]
    assert list(read_here(saved(given)).tensors) == list(given)
    assert np.isfinite(read_here(saved(given)).tensors["a_v"].numpy()).all()


@pytest.mark.parametrize("name", [
    "fc.fourierft_spectrum", "base_model.model.fc.hra_u", "fc.bone_block", "fc.vblora_logits_A", "fc.c3a_kernel.weight",
    "fc.road_theta", "fc.randlora_lambda", "ln.ln_tuning_layers.weight", "head.modules_to_save.default.weight",
    "blocks.0.ssf_scale", "emb.trainable_tokens_delta"])
def test_younger_kinds_of_adapters_are_refused_too(name):
    with pytest.raises(FileRefused, match=r"got weights of an adapter "):
        read_here(saved({name: torch.ones(4, 4)}))


@pytest.mark.parametrize("parts", [
    {"weight_g": torch.ones(3, 1), "weight_v": torch.zeros(3, 4)},
    {"weight_orig": torch.zeros(3, 4), "weight_u": torch.ones(3), "weight_v": torch.ones(4)}])
def test_a_weight_that_cannot_be_computed_is_no_silent_nan(parts):
    found = read_here(saved({"fc." + name: value for name, value in parts.items()}))
    assert "fc.weight, so computed: 12 values are NaN or infinite" in found.notes


def test_packed_weights_are_quantised_ones():
    with pytest.raises(FileRefused, match=r"got quantised ones: fc.weight_packed"):
        read_here(saved({"fc.weight_packed": torch.ones(4, 4), "head.weight": torch.ones(4, 4)}))
