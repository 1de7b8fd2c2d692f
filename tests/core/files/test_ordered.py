"""Equal contents are equal files, whatever order the library chose."""

import numpy as np
import safetensors.numpy

from lpc_core.files.ordered import ordered
from lpc_core.film import film_bytes, open_film
from lpc_core.film.record import record
from lpc_core.parsing import parse_run


def test_metadata_come_in_order_and_everything_else_stays():
    arrays = {"b": np.arange(6.0), "a": np.zeros((2, 3), np.int8)}
    said = {"ü": "γ \"quoted\" \\ \n", **{f"k{i}": "x" * i for i in range(20)}}
    files = {ordered(safetensors.numpy.save(arrays, said)) for _ in range(4)}
    assert len(files) == 1
    (raw,) = files
    loaded = safetensors.numpy.load(raw)
    assert all(np.array_equal(loaded[name], arrays[name]) for name in arrays)
    length = int.from_bytes(raw[:8], "little")
    assert raw.index(b'"k0"') < raw.index(b'"k19"') < raw.index("ü".encode()) < 8 + length


def test_a_film_is_the_same_file_every_time():
    film = record(parse_run({"steps": "20", "samples": "200", "batch_size": "32"}), [0.1, 1.0], 3, 50, device="cpu")
    assert len({film_bytes(film) for _ in range(6)}) == 1
    assert len(open_film(film_bytes(film)).gammas) == 2
