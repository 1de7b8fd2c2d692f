"""torch.export graphs run operation by operation, against the modules they were exported from."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lpc_core.checkpoint import open_file
from lpc_core.inspection import recognise
from tests.core.inspection.networks import check_same


class Net(nn.Module):
    def __init__(self, activation=F.relu):
        super().__init__()
        self.conv, self.norm, self.activation = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), activation
        self.pool, self.drop = nn.MaxPool2d(3, 2, 1), nn.Dropout()
        self.narrow, self.head = nn.Linear(8, 4), nn.Linear(4, 5)
        with torch.no_grad():
            self.norm.running_mean.normal_()
            self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = self.pool(self.activation(self.norm(self.conv(x))))
        x = F.adaptive_avg_pool2d(x + torch.relu(x), 1)
        return self.head(self.narrow(self.drop(x.view(x.size(0), -1))))


def exported(net, example, path, free=True):
    shapes = ({0: torch.export.Dim("n", min=1, max=4096)},) if free else None
    torch.export.save(torch.export.export(net, (example,), dynamic_shapes=shapes), path)
    return open_file(path)


@pytest.mark.parametrize("free", [True, False], ids=["any number of samples", "exported for two samples"])
@pytest.mark.parametrize("activation", [F.silu, F.hardswish], ids=lambda function: function.__name__)
def test_what_torch_exports(activation, free, tmp_path):
    net, pictures = Net(activation).eval(), torch.randn(5, 3, 20, 20)
    network = recognise(exported(net, pictures[:2], tmp_path / "net.pt2", free))
    check_same(network, net, pictures)


LAYERS = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 7),
                       nn.ELU(), nn.Linear(7, 6), nn.LeakyReLU(0.2), nn.Linear(6, 4), nn.Softmax(1)).eval()


def test_other_layers_and_a_softmax_at_the_end(tmp_path):
    rows = torch.randn(5, 6)
    network = recognise(exported(LAYERS, rows[:2], tmp_path / "a.pt2"))
    logits, latents = network.build()(rows)
    torch.testing.assert_close(torch.softmax(logits, 1), LAYERS(rows))
    torch.testing.assert_close(latents, LAYERS[:9](rows))
    assert network.theory_note.startswith("No predicted points: the latents come after an activation")


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm, self.drop, self.head = nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(), nn.Linear(5, 3)

    def forward(self, x):
        y = F.relu(self.norm(self.first(x)), inplace=True)
        y += 1
        return self.head(self.drop(y))


def test_exported_while_training_it_is_run_evaluating(tmp_path):
    rows, net = torch.randn(7, 6), InPlace().train()
    network = recognise(exported(net, rows[:2], tmp_path / "a.pt2"))
    assert network.obstacle == ""
    torch.testing.assert_close(network.build()(rows)[0], net.eval()(rows))


class Unknown(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(torch.sin(x))


def test_an_operation_that_is_not_known_is_named(tmp_path):
    network = recognise(exported(Unknown(), torch.randn(2, 6), tmp_path / "a.pt2"))
    assert "got sin.default; save embeddings of it" in network.obstacle
    with pytest.raises(ValueError, match=r"got sin.default; save embeddings"):
        network.build()


def hostile(checkpoint, operation, **arguments):
    """The same checkpoint with an operation's arguments exchanged."""
    nodes = checkpoint.metadata["nodes"]
    place = next(i for i, (name, *_) in enumerate(nodes) if operation in name)
    given = list(checkpoint.metadata["arguments"])
    given[place] = {**given[place], **arguments}
    return dataclasses.replace(checkpoint, metadata={**checkpoint.metadata, "arguments": given})


@pytest.mark.parametrize(("operation", "arguments", "message"), [
    ("adaptive_avg_pool2d", {"output_size": [50_000, 50_000]}, "expected output_size from 0 to 1024 in adaptive_avg"),
    ("conv2d", {"padding": [9_999, 0]}, "expected padding from 0 to 1024 in conv2d.default"),
    ("max_pool2d", {"kernel_size": [-1, 2]}, "expected kernel_size from 0 to 1024"),
    ("linear", {"input": {"value": "nowhere"}}, "expected the value 'nowhere' to come from an earlier operation"),
    ("linear", {"colour": 3}, r"aten::linear\(\) expected at most 3 argument"),
])
def test_arguments_that_no_exporter_writes(operation, arguments, message, tmp_path):
    pictures = torch.randn(2, 3, 20, 20)
    checkpoint = hostile(exported(Net().eval(), pictures, tmp_path / "a.pt2"), operation, **arguments)
    with pytest.raises((ValueError, RuntimeError), match=message):
        recognise(checkpoint).build()(pictures)


class Scaled(nn.Module):
    def __init__(self, with_latents=False):
        super().__init__()
        self.narrow, self.head, self.with_latents = nn.Linear(6, 4), nn.Linear(4, 3), with_latents

    def forward(self, x):
        latents = self.narrow(x)
        return (latents, self.head(latents)) if self.with_latents else 16 * self.head(latents)


def test_what_a_graph_does_beside_its_layers_is_never_lost_by_their_names(tmp_path):
    assert recognise(exported(Scaled(), torch.randn(2, 6), tmp_path / "a.pt2")) is None


def test_latents_that_a_graph_gives_beside_its_logits_are_not_taken_for_them(tmp_path):
    network = recognise(exported(Scaled(with_latents=True), torch.randn(2, 6), tmp_path / "a.pt2"))
    assert network.head_weight == "head.weight"
    assert network.assumptions == ("the graph gives linear, linear_1; linear_1 is taken for the logits",)


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # torch's own words about its insides
def test_new_values_of_buffers_are_no_outputs(tmp_path):
    net = nn.Sequential(nn.Linear(6, 8), *(nn.BatchNorm1d(8) for _ in range(4)), nn.Linear(8, 3))
    rows = torch.randn(4, 6)
    program = torch.export.export(net.train(), (rows,)).run_decompositions({})
    torch.export.save(program, tmp_path / "a.pt2")
    found = open_file(tmp_path / "a.pt2")
    assert found.metadata["outputs"] == ["linear_1"]
    assert recognise(found).assumptions == ()


class Beside(nn.Module):
    def __init__(self):
        super().__init__()
        self.narrow, self.head, self.shift = nn.Linear(6, 4), nn.Linear(4, 3), torch.ones(4)

    def forward(self, x):
        return self.head(self.narrow(x) + self.shift)


def test_a_constant_that_is_no_weight_is_an_obstacle(tmp_path):
    network = recognise(exported(Beside(), torch.randn(2, 6), tmp_path / "a.pt2"))
    assert "'c_shift' to come from an earlier operation, got none, as of a constant beside the" in network.obstacle


def test_a_batch_norm_without_statistics_is_not_run(tmp_path):
    net = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 3)).eval()
    network = recognise(exported(net, torch.randn(2, 6), tmp_path / "a.pt2"))
    with pytest.raises(ValueError, match="expected a batch norm with running statistics, got one that has none; save"):
        network.build()(torch.randn(2, 6))
