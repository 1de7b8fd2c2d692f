"""All hostile and odd files together. Those that would execute something, if they could, would make the file CANARY."""

import functools
import tempfile
from pathlib import Path

from tests.core.checkpoint._files import model, saved
from tests.security import _archives, _data_files, _pickles

FOLDER = tempfile.TemporaryDirectory()
CANARY = Path(FOLDER.name) / "canary"


@functools.cache
def corpus(canary=CANARY):
    """{name: Hostile}."""
    makers = (_pickles.pickles, _pickles.tensors, _archives.archives, _data_files.arrays, _data_files.safetensors_files,
              _data_files.onnx_files, _data_files.tables, _data_files.other_kinds)
    return {name: hostile for maker in makers for name, hostile in maker(canary)}


def good_model():
    """A file that is read, to show that refusals are of the files and not of the process."""
    return saved(model().state_dict())
