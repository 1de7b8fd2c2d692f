"""CSV: numbers that are not there, and columns that are no latents though they are numbers."""

import pytest

from lpc_core.checkpoint import FileRefused
from tests.core.checkpoint._files import csv, read_here


@pytest.mark.parametrize("cell", ["", "NA", "-", "None"])
def test_a_number_that_is_not_there_in_the_first_row_loses_no_column(cell):
    with pytest.raises(FileRefused, match=f"expected a number in row 2, column 'depth', got '{cell}'; write one, or"):
        read_here(csv("depth,width,label", [(cell, 1.5, "a"), (2.5, 3, "b")]))


@pytest.mark.parametrize("name", ["prob_a", "loss", "confidence", "timestamp"])
def test_numbers_measured_on_the_latents_are_doubted_among_them(name):
    found = read_here(csv(f"width,{name},label", [(1.25, 0.5, "a"), (2.5, 0.25, "b")]))
    assert found.warnings == ("taken for latents, though called like something measured on them: the column "
                              f"'{name}'",)
