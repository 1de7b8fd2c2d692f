"""No test races the clock: only `tests/patience.py` reads it, and what plays a part that has a deadline of its own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "time", "time_ns", "monotonic_ns",
          "perf_counter_ns"}
ALLOWED = {"patience.py", "app/live/_fake.py",  # the latter is a trainer
           "app/live/test_hub_faults.py"}  # which puts the hub's own clock ahead


def clocks_in(source):
    """Lines on which a clock is read or imported."""
    return [node.lineno for node in ast.walk(ast.parse(source))
            if (isinstance(node, ast.Attribute) and node.attr in CLOCKS and isinstance(node.value, ast.Name)
                and node.value.id == "time")
            or (isinstance(node, ast.ImportFrom) and node.module == "time"
                and any(name.name in CLOCKS for name in node.names))]


def test_the_clock_is_read_in_one_place():
    found = {str(path.relative_to(ROOT)): lines for path in sorted(ROOT.rglob("*.py"))
             if (lines := clocks_in(path.read_text("utf-8")))}
    assert set(found) == ALLOWED, found


def test_drawn_examples_have_no_deadline():
    hypothesis = pytest.importorskip("hypothesis")
    assert hypothesis.settings().deadline is None
    assert hypothesis.HealthCheck.too_slow in hypothesis.settings().suppress_health_check


def test_clocks_are_seen():
    assert clocks_in("import time\nassert time.monotonic() - a < 3\n") == [2]
    assert clocks_in("from time import perf_counter\n") == [1]
    assert clocks_in("import time\ntime.sleep(1)\n") == []
