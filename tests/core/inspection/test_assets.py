"""Every sample that the lab offers shows what its sentence says, measured again from the file."""

import hashlib
import json
from pathlib import Path

import pytest

from lpc_core.checkpoint import open_file
from lpc_core.inspection import report
from lpc_core.inspection.from_file import Wishes, inspect_file

FOLDER = Path(__file__).parents[3] / "assets" / "samples"
LIST = json.loads((FOLDER / "samples.json").read_text("utf-8"))
ENTRIES = {entry["file"]: entry for entry in LIST["samples"]}
MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def found():
    return {name: inspect_file(FOLDER / name, Wishes(**entry["how"])) for name, entry in ENTRIES.items()}


def values(inspection):
    return {name: reading.value for name, reading in inspection.readings.items()}


def radius_error(inspection, gamma):
    return report(inspection, [gamma])["collapse"][0]["radius_error"]


def test_the_list_and_the_folder_agree():
    assert {path.name for path in FOLDER.iterdir()} == {*ENTRIES, "samples.json"}
    for name, entry in ENTRIES.items():
        raw = (FOLDER / name).read_bytes()
        assert (len(raw), hashlib.sha256(raw).hexdigest()) == (entry["bytes"], entry["sha256"])
        assert len(raw) <= MOST_BYTES
        assert entry["title"]
        assert entry["provenance"]["command"].startswith("lpc train ")
        assert entry["provenance"]["config"]["seed"] == entry["provenance"]["seed"]


@pytest.mark.parametrize("name", ENTRIES)
def test_the_numbers_are_measured_again(name, found):
    measured = values(found[name])
    for quantity, value in ENTRIES[name]["measured"].items():
        if quantity in measured:
            assert measured[quantity] == pytest.approx(value, rel=2e-3), quantity


def test_collapsed(found):
    inspection, numbers = found["collapsed.safetensors"], values(found["collapsed.safetensors"])
    assert numbers["accuracy"] >= 0.999
    assert numbers["within_class_spread"] < 0.03
    assert numbers["node_peak_distance_min"] > 10
    assert radius_error(inspection, inspection.layout["gamma"]) < 0.01
    assert "Each node takes two values" in ENTRIES["collapsed.safetensors"]["sentence"]


def test_merely_neural_collapsed(found):
    numbers, collapsed = values(found["neural-collapse.safetensors"]), values(found["collapsed.safetensors"])
    assert ENTRIES["neural-collapse.safetensors"]["provenance"]["config"]["gamma_end"] == 0
    assert numbers["accuracy"] >= 0.999
    assert numbers["separation_ratio"] > 3
    assert numbers["nc1_pinv"] < 0.5
    assert numbers["within_class_spread"] > 5 * collapsed["within_class_spread"]
    assert numbers["norm_mean"] > 100 * collapsed["norm_mean"]


def test_badly_trained(found):
    numbers = values(found["badly-trained.safetensors"])
    assert 0.6 <= numbers["accuracy"] < 0.65
    assert numbers["within_class_spread"] > 0.4


def test_totally_collapsed(found):
    numbers = values(found["total-collapse.safetensors"])
    assert numbers["accuracy"] < 0.15
    assert numbers["norm_mean"] < 1e-3
    assert numbers["nc1_pinv"] > 1


def test_embeddings(found):
    inspection, numbers = found["figure-1.npz"], values(found["figure-1.npz"])
    assert inspection.layout is None
    assert inspection.embeddings.latents.shape == (2_000, 2)
    assert numbers["within_class_spread"] < 0.03
    assert radius_error(inspection, 100.0) < 0.02


@pytest.mark.parametrize("name", ["neural-collapse.safetensors", "badly-trained.safetensors"])
def test_plain_state_dicts_say_where_they_are_from(name):
    provenance = json.loads(open_file(FOLDER / name).metadata["provenance"])
    assert provenance["command"] == ENTRIES[name]["provenance"]["command"]
