"""Names that files decide: taken from the folders, and refused wherever one is picked that is not there."""

import pytest
from torch import nn

from lpc_core.choices import allowed, check_names, choices
from lpc_core.config import ConfigError, LossConfig, ModelConfig, OptimConfig, RunConfig, fields, unflatten
from lpc_core.data import load, sources
from lpc_core.engine.autograd import make_optimizer
from lpc_core.engine.trainer import Trainer
from lpc_core.losses import losses, objective
from lpc_core.models import backbones, build
from lpc_core.optimizers import optimizers
from lpc_core.parsing import parse_run, settings_table

TABLES = {"dataset": sources, "model": backbones, "loss": losses, "optimizer": optimizers}


def test_the_open_names_are_the_files_of_their_folders():
    assert set(TABLES) == {name for name, field in fields().items() if field.metadata["files"]}
    for name, table in TABLES.items():
        assert choices(name) == (("auto",) if name == "model" else ()) + tuple(table())
        assert allowed(name) == "one of " + ", ".join(choices(name))


def test_other_settings_are_what_their_fields_say():
    assert choices("convention") == ("sum", "mean")
    assert choices("lr") == ()
    assert allowed("seed").startswith("a whole number from 0")


PICKS = {
    "dataset": lambda: load(unflatten({"dataset": "nosuch"}).data, 0),
    "model": lambda: build(ModelConfig(model="nosuch"), (20,), 4, 0),
    "loss": lambda: objective(LossConfig(loss="nosuch"), nn.Linear(2, 3)),
    "optimizer": lambda: make_optimizer(build(ModelConfig(), (20,), 4, 0), OptimConfig(optimizer="nosuch")),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_name_that_is_not_there_is_refused_where_it_is_picked(name):
    named = ", ".join(TABLES[name]())
    for pick in (PICKS[name], lambda: Trainer(unflatten({name: "nosuch"}), "cpu"), lambda: parse_run({name: "nosuch"}),
                 lambda: check_names(unflatten({name: "nosuch"}))):
        with pytest.raises(ConfigError, match=rf"^{name}: expected one of (auto, )?{named}, got 'nosuch'$"):
            pick()
    check_names(RunConfig())


def test_the_table_of_settings_lists_them():
    rows = {row[0]: row[2] for row in settings_table()}
    assert all(rows[name] == allowed(name) for name in TABLES)
