"""Where tests on real data find it: each fixture is a folder to set LPC_DATA to, or skips with the reason."""

import ast
import contextlib
import functools
import gc
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock  # comes with torch

from tests.forks import WORKER, forking

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # compiling UMAP and openTSNE takes a minute, where it was not done yet
gc.disable()  # while tests are collected: a quarter of that time is looking through syntax trees that are all in use

ROOT = Path(__file__).parents[1]
BESIDE = Path(__file__).parents[2] / "shared" / "data"


OPTIONAL = {  # what tests of the library may need beyond what it needs itself
    "hypothesis", "onnx", "onnxruntime", "foolbox", "PIL", "pyarrow", "openTSNE", "umap", "pytorch_metric_learning",
    "streamlit", "plotly", "starlette", "playwright"}


LONG = (  # files that take longest begin first: at the end no processor waits for one that began late
    "accessible", "restart", "hub_faults", "play", "film", "room", "comparisons", "proxy", "inspect", "compare",
    "hostile", "learn", "cost", "faults", "lessons", "hub", "edited_states", "corpus", "a_stranger_adds_one", "login",
    "state_file", "moments", "metrics", "sandbox", "projecting")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Each worker goes through a folder from another place on: what one has compiled, the next one reads."""
    report = yield
    if isinstance(collector, pytest.Directory) and report.passed:
        which = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        first = len(report.result) * int(which) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        report.result = report.result[first:] + report.result[:first]
    return report


def pytest_collection_modifyitems(items):
    places = {f"test_{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: (places.get(item.path.name, len(places)), item.path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config):
    """Processes that run tests are forked from one that has imported what most of them need."""
    until_the_end = contextlib.ExitStack()
    until_the_end.enter_context(forking(ROOT, (WORKER,)))
    config.add_cleanup(until_the_end.close)


def pytest_collection_finish():
    import torch  # here, where tests are run: whoever hands them out does without

    torch.set_num_threads(1)  # as in the lab's workers; two threads on two busy cores are many times slower
    gc.freeze()
    gc.enable()


def pytest_collectstart(collector):
    """A module that imports a package which is not installed is skipped with that reason."""
    if isinstance(collector, pytest.Module) and _absent() and (missing := _missing(collector.path)):
        collector.collect = functools.partial(pytest.skip, f"needs {', '.join(missing)}", allow_module_level=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    with _skipping():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    with _skipping():
        return (yield)


@contextlib.contextmanager
def _skipping():
    """A test that comes to need such a package on its way is skipped, also where the library says so in its words."""
    try:
        yield
    except Exception as error:
        link = error
        while link is not None:
            top = str(link.name).partition(".")[0] if isinstance(link, ImportError) else ""
            if top in _absent():
                pytest.skip(f"needs {top}")
            link = link.__cause__ or link.__context__
        raise


@functools.cache
def _missing(path):
    """The packages that ``path`` imports at its top, by helpers of the tests too, and that are not there."""
    missing = {}
    for node in ast.parse(path.read_bytes()).body:
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in [node.module] if isinstance(node, ast.ImportFrom) else named:
            helper = ROOT / f"{module.replace('.', '/')}.py"
            top = module.partition(".")[0]
            missing |= dict.fromkeys(_missing(helper)) if top == "tests" and helper.exists() else {}
            missing |= {top: None} if top in _absent() else {}
    return list(missing)


@functools.cache
def _absent():
    return {name for name in OPTIONAL if not _is_there(name)}


def _is_there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


if _is_there("hypothesis"):  # which would fail a test for a busy machine
    from hypothesis import HealthCheck, settings

    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")


def stored(name):
    """The file or folder ``name`` in $LPC_TEST_DATA or in shared/data beside the repository; skips when absent."""
    folders = [Path(os.environ["LPC_TEST_DATA"])] if "LPC_TEST_DATA" in os.environ else []
    for folder in (*folders, BESIDE):
        if (folder / name).exists():
            return (folder / name).resolve()
    return pytest.skip(f"no {name} in {' or '.join(map(str, (*folders, BESIDE)))}; set LPC_TEST_DATA")


@pytest.fixture(scope="session")
def real_mnist(tmp_path_factory):
    root = tmp_path_factory.mktemp("real-mnist")
    (root / "mnist").symlink_to(stored("mnist"))
    return root


@pytest.fixture(scope="session")
def real_cifar10(tmp_path_factory):
    """Unpacking takes half a minute."""
    return once(tmp_path_factory, "real-cifar10", _unpack)


def _unpack(folder):
    ready = "cifar-10-batches-bin"
    if "LPC_TEST_DATA" in os.environ and (Path(os.environ["LPC_TEST_DATA"]) / ready).exists():
        (folder / ready).symlink_to(stored(ready))
    else:
        pytest.importorskip("PIL", reason="unpacking CIFAR-10's pictures needs Pillow")
        subprocess.run([sys.executable, stored("unpack_cifar10.py"), folder], check=True, timeout=600)


def once(tmp_path_factory, name, make):
    """A folder that ``make(folder)`` has filled: one of the processes that test does it for all."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", os.getpid())
    root = tmp_path_factory.getbasetemp().parent / f"{name}-{run}"
    with FileLock(f"{root}.lock"):
        if not root.exists():
            made = tmp_path_factory.mktemp(name)
            make(made)
            made.rename(root)
    return root
