"""What a stranger's file calls things is shown in one bounded line, whatever it says."""

import pytest
import torch

from lpc_core.config import ConfigError, restored, unflatten
from lpc_core.engine.state import StateError, pack, unpack
from lpc_core.engine.trainer import Trainer
from lpc_core.files.words import amount, printable, refused
from lpc_core.saved_run import NotARun, open_run

HOSTILE = ["\x1b[31mred\x1b[0m", "turned \u202eround", "a\nb\r\nc", "\0", "\u2028", "\ud800", "\ufeff", "\u200b",
           "<script>alert(1)</script>", "[click](https://x.y)", "x" * 10_000, "\u202e" * 10_000, "\u0301" * 10_000]


@pytest.mark.parametrize("name", HOSTILE)
def test_every_text_becomes_one_bounded_printable_line(name):
    for text in (printable(name), refused(name, name, name)):
        assert text.isprintable()
        assert len(text) <= 1_250
    assert len(printable(name, 40)) <= 40


def test_an_object_is_shown_without_its_place_in_memory():
    assert printable(object()) == "object"


def test_huge_amounts_are_not_written_out():
    assert amount(1234) == "1,234 bytes"
    assert amount(10**400).startswith("10^400 bytes")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_setting_by_any_name_and_with_any_value_is_refused_in_a_short_line(name):
    for flat in ({name: 1}, {"steps": name}, {"dataset": name, "steps": [name]}, {name: {name: [name]}}, [name], name):
        with pytest.raises(ConfigError) as refusal:
            restored(flat)
        assert str(refusal.value).isprintable()
        assert len(str(refusal.value)) < 900


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "\ud800"])  # which no such file can hold
def test_a_tensor_or_fact_by_any_name_is_refused_in_a_short_line(name):
    run = Trainer(unflatten({"dataset": "moons", "classes": 2, "samples": 20, "test_samples": 10}), "cpu")
    tensors, info = unpack(run.state_bytes())
    more = torch.zeros(1)
    by_all = [pack(tensors | {f"model.{name}": more}, info), pack(tensors, info | {name: 1}),
              pack(tensors, info | {"reason": [name]}), pack(tensors, info | {"config": {name: name}})]
    by_trainers = [pack(tensors | {name: more}, info), pack(tensors | {f"optim.{name}": more}, info)]
    for read, refusal, files in ((run.load_state_bytes, StateError, by_all + by_trainers), (open_run, NotARun, by_all)):
        for raw in files:
            with pytest.raises(refusal, match="expected") as told:
                read(raw)
            assert str(told.value).isprintable()
            assert len(str(told.value)) < 2_500
