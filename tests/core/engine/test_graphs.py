"""Steps replayed in blocks: the same run as step by step, whatever happens in between. On a CPU, with the stand-in."""

import contextlib
import itertools

import numpy as np
import pytest
import torch

from lpc_core.config import unflatten
from lpc_core.data import load
from lpc_core.engine import _fused_tape, graphs, trainer
from lpc_core.engine._fused_tape import Apart
from lpc_core.engine.autograd import AutogradEngine
from lpc_core.engine.batches import Batches
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.graphs import (
    IN_FLIGHT,
    WARM_UP,
    Blocks,
    CudaRecorder,
    EagerRecorder,
    StreamAside,
    recorder_for,
    steps_per_replay,
)
from lpc_core.engine.state import unpack
from lpc_core.engine.trainer import Trainer
from lpc_core.models import build

SMALL = {"samples": 400, "test_samples": 100, "steps": 90, "batch_size": 32, "ramp_steps": 60}
CPU = torch.device("cpu")
IMAGES = {"dataset": "digits", "samples": 300, "test_samples": 60, "latent_dim": 4, "hidden": (16,)}
CASES = [
    {}, {"dropout": 0.3}, {"optimizer": "sgd", "lr": 1e-2}, {"lr_schedule": "cosine", "batch_size": 77},
    {"convention": "mean", "gamma_schedule": "two-regime", "label_smoothing": 0.1}, IMAGES,
    IMAGES | {"augment": "flip-crop"},
    IMAGES | {"augment": "flip-crop", "model": "convnet", "width": 4, "dropout": 0.2},
]


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    monkeypatch.setattr(_fused_tape, "ADDS_AT_ONCE", {"cpu"})


class Counting(EagerRecorder):
    """Counts what it is asked for."""

    def __init__(self):
        super().__init__()
        self.records = self.replays = 0

    def record(self, work, streams):
        self.records += 1
        super().record(work, streams)

    def replay(self):
        self.replays += 1
        super().replay()


class Refusing(EagerRecorder):
    """Cannot record."""

    def record(self, work, streams):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")


class Late:
    """An `Aside` that does everything at the last moment: the other end of what a second stream may do."""

    def __init__(self):
        self.calls, self.done = [], 0

    def do(self, call):
        self.calls.append(call)

    def join(self):
        for call in self.calls:
            call()
        self.done += len(self.calls)
        self.calls.clear()


@pytest.fixture
def recorder(monkeypatch):
    made = Counting()
    monkeypatch.setattr(trainer, "recorder_for", lambda device: made)  # one for all: what is asked for adds up
    return made


def everything(run):
    tensors, info = unpack(run.state_bytes())
    return {name: tensor.numpy() for name, tensor in tensors.items()}, info


def agree(first, second):
    """Exactly: weights, optimiser, random streams, place in the data, γ."""
    (a, told_a), (b, told_b) = everything(first), everything(second)
    assert told_a == told_b
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def through_it_all(run):
    """γ and lr taken by hand between replays and given back, in pieces that are no multiples of a block."""
    run.advance(20)
    run.set_gamma(3.0)
    run.advance(23)
    run.set_lr(2e-3)
    run.advance(3)
    run.set_auto()
    run.advance(33)
    return run


@pytest.mark.parametrize("engine", ["auto", "autograd"])
@pytest.mark.parametrize("settings", CASES, ids=str)
def test_blocks_give_the_steps_one_by_one(settings, engine):
    config = unflatten(SMALL | settings)
    single, block = (through_it_all(Trainer(config, "cpu", engine=engine, block=k)) for k in (0, 8))
    agree(single, block)
    assert torch.equal(single.engine.loss(), block.engine.loss())
    assert single.gamma.mode == "auto"


def test_what_is_recorded_once_is_replayed_and_the_tail_goes_step_by_step(recorder):
    run = Trainer(unflatten(SMALL), "cpu", block=8)
    assert run.advance(WARM_UP + 2 * 8 + 5) == WARM_UP + 21
    assert (recorder.records, recorder.replays) == (1, 2)
    run.advance(7)
    assert recorder.replays == 2
    run.advance(1_000)
    assert run.finished
    assert run.step == 90
    assert recorder.records == 1


def test_few_steps_at_a_time_never_wait_for_a_recording(recorder):
    run = Trainer(unflatten(SMALL), "cpu", block=8)
    for _ in range(30):
        run.advance(2)
    assert recorder.records == 0
    assert run.step == 60


def test_a_deadline_is_looked_at_after_every_block():
    run = Trainer(unflatten(SMALL), "cpu", block=8)
    run.advance(WARM_UP)
    assert run.advance(80, deadline=0.0) == 8
    assert run.advance(5, deadline=0.0) == 1


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, IMAGES | {"model": "convnet", "width": 4}], ids=str)
def test_a_state_goes_from_blocks_to_single_steps_and_back(settings, recorder):
    config = unflatten(SMALL | settings)
    whole, first, second, third = (Trainer(config, "cpu", block=k) for k in (0, 8, 0, 8))
    whole.advance(60)
    first.advance(21)
    second.load_state_bytes(first.state_bytes())
    second.advance(9)
    third.advance(40)  # somewhere else, with a recording
    third.load_state_bytes(second.state_bytes())
    third.advance(30)
    agree(whole, third)
    assert recorder.records == 3  # one of the first, and two of the third: its optimiser's tensors were replaced


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_a_run_that_diverges_in_blocks_goes_back_and_says_why(monkeypatch):
    monkeypatch.setattr(trainer, "CHECK_EVERY_BLOCKS", 4)
    run = Trainer(unflatten(SMALL | {"steps": 5_000, "optimizer": "sgd", "lr": 1e-2}), "cpu", block=8)
    run.advance(67)
    run.set_lr(9e9)
    run.advance(5_000)
    assert run.diverged
    assert run.step in (64, 67)
    assert "diverged before step" in run.reason
    assert all(p.isfinite().all() for p in run.model.parameters())
    assert run.advance(10) == 0


@pytest.mark.parametrize("settings", [{"dropout": 0.3}, IMAGES | {"model": "convnet", "width": 4}], ids=str)
def test_where_recording_fails_the_run_goes_on_and_says_so(settings, monkeypatch):
    config = unflatten(SMALL | settings)
    plain = Trainer(config, "cpu", block=0)
    monkeypatch.setattr(trainer, "recorder_for", lambda device: Refusing())
    run = Trainer(config, "cpu", block=8)
    assert run.engine_note.endswith("; 8 steps at a time")
    agree(through_it_all(plain), through_it_all(run))
    assert run.engine_note.endswith("; one by one, because the steps could not be recorded "
                                    "(operation not permitted when stream is capturing)")


def test_a_cpu_takes_steps_one_by_one_unless_told_otherwise():
    run = Trainer(unflatten(SMALL), "cpu")
    assert run.engine_note == "fused: the steps of this MLP, written out"
    assert isinstance(recorder_for(CPU), EagerRecorder)
    assert steps_per_replay(CPU, run.engine) == 0
    cuda = torch.device("cuda")
    assert steps_per_replay(cuda, run.engine) == graphs.STEPS_MLP
    convnet = Trainer(unflatten(SMALL | IMAGES | {"model": "convnet", "width": 4}), "cpu")
    assert steps_per_replay(cuda, convnet.engine) == graphs.STEPS_CONVNET


def test_nothing_is_replayed_before_it_is_recorded():
    with pytest.raises(RuntimeError, match="expected a recording before a replay, got none; call record first"):
        EagerRecorder().replay()


def test_many_gammas_in_blocks():
    config = unflatten(SMALL)
    dataset = load(config.data, 0)
    together, alone = ([build(config.model, (20,), 4, seed) for seed in range(3)] for _ in range(2))
    gammas = [torch.logspace(-3, 1, 3) * (1 + step) for step in range(WARM_UP + 8)]
    rates = [1e-3 / (1 + step) for step in range(WARM_UP + 8)]
    batches, again = (Batches(dataset, 32, 0, CPU) for _ in range(2))
    engine, single = FusedEngine(config, together, 32), FusedEngine(config, alone, 32)
    blocks = Blocks(engine, 8, *batches.peek(), EagerRecorder())
    knobs = zip(gammas, rates, strict=True)
    assert [blocks.take(batches, lambda: next(knobs), 8) for _ in range(WARM_UP + 1)] == [1] * WARM_UP + [8]
    for gamma, rate in zip(gammas, rates, strict=True):
        single.step(*again.next(), gamma, rate)
    torch.testing.assert_close(engine.values, single.values, rtol=1e-5, atol=1e-7)  # γ is rounded a step later


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, {"penultimate": "nonlinear"}, {"penultimate": "none"},
                                      {"hidden": (16,), "activation": "tanh"}, {"optimizer": "sgd"}], ids=str)
@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.usefixtures("as_on_a_gpu")
def test_what_is_apart_may_be_computed_beside_the_rest(settings, replicas):
    config = unflatten(SMALL | settings)
    engines = [FusedEngine(config, [build(config.model, (20,), 4, seed) for seed in range(replicas)], 32)
               for _ in range(2)]
    late = engines[1].aside = Late()
    batches = Batches(load(config.data, 0), 32, 0, CPU)
    for _ in range(12):
        inputs, labels = batches.next()
        for engine in engines:
            engine.take(inputs, labels, torch.full_like(engine.pull, 0.01), torch.full_like(engine.lr, 1e-2))
    assert torch.equal(engines[0].values, engines[1].values)
    assert late.done == 12 * (1 + sum(isinstance(call, Apart) for part in engines[0]._parts for call in part))


@pytest.mark.usefixtures("as_on_a_gpu")
def test_the_longest_chain_of_a_step_is_short():
    """On a GPU each of its calls takes some µs, whatever it computes."""
    engine = FusedEngine(unflatten({}), build(unflatten({}).model, (20,), 4, 0), 256)
    calls = [isinstance(call, Apart) for part in engine._parts for call in part]
    assert (len(calls), calls.count(False)) == (27, 15)


def test_only_the_backbone_may_compute_in_half_precision():
    config = unflatten(SMALL | IMAGES | {"model": "convnet", "width": 8})
    half, full = (build(config.model, (1, 8, 8), 10, 0) for _ in range(2))
    engine, reference = AutogradEngine(config, half, torch.bfloat16), AutogradEngine(config, full)
    assert reference.precision == torch.float32
    seen = {}
    for name in ("backbone", "penultimate", "head"):
        getattr(half, name).register_forward_hook(lambda *a, name=name: seen.update({name: a[2].dtype}))
    batches = Batches(load(config.data, 0), 64, 0, CPU)
    for inputs, labels in itertools.islice(iter(batches.next, None), 20):
        engine.step(inputs, labels, 0.01, 1e-3)
        reference.step(inputs, labels, 0.01, 1e-3)
    assert seen == {"backbone": torch.bfloat16, "penultimate": torch.float32, "head": torch.float32}
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in half.parameters())
    assert float(engine.loss()) == pytest.approx(float(reference.loss()), rel=0.1)


# ---- the CUDA recorder, on a make-believe device that writes down what it is asked -----------------------------------


class Pretence:
    """Streams, events and graphs that only take notes; a graph calls again what was captured."""

    def __init__(self, monkeypatch, fails=False):
        self.notes, self.current, self.fails, self.streams = [], "main", fails, itertools.count()
        pretence = self

        class Stream:
            def __init__(self, device=None):
                self.device, self.name = device, f"s{next(pretence.streams)}"

            def wait_stream(self, other):
                pretence.notes.append(f"{self.name} waits for {other.name}")

        class Event:
            def __init__(self, blocking):
                assert blocking
                self.name = next(pretence.streams)

            def record(self):
                pretence.notes.append("mark")

            def synchronize(self):
                pretence.notes.append("wait")

        class Graph:
            def register_generator_state(self, stream):
                pretence.notes.append("random")

            def replay(self):
                pretence.notes.append("replay")

            def reset(self):
                pretence.notes.append("reset")

        main = Stream()
        main.name = "main"
        self.current = main

        @contextlib.contextmanager
        def on(stream):
            before, self.current = self.current, stream
            try:
                yield
            finally:
                self.current = before

        @contextlib.contextmanager
        def capture(graph, stream, capture_error_mode):
            assert capture_error_mode == "thread_local"
            self.current = stream  # torch does not go back either when the end of a capture raises
            try:
                yield
            finally:
                if self.fails:
                    raise RuntimeError("capture could not be ended")
                self.current = main

        for name, thing in {"Stream": Stream, "Event": Event, "CUDAGraph": Graph, "graph": capture, "stream": on,
                            "device": lambda device: contextlib.nullcontext(),
                            "current_stream": lambda device=None: self.current,
                            "synchronize": lambda device=None: self.notes.append("idle")}.items():
            monkeypatch.setattr(torch.cuda, name, thing)


def test_the_cuda_recorder_keeps_two_replays_under_way_and_frees_its_graph(monkeypatch):
    device = Pretence(monkeypatch)
    recorder = CudaRecorder(torch.device("cuda"))
    with pytest.raises(RuntimeError, match="call record first"):
        recorder.replay()
    recorder.record(lambda: device.notes.append(f"captured on {device.current.name}"), [torch.Generator()])
    assert device.notes == ["random", "captured on s1"]
    device.notes.clear()
    for _ in range(IN_FLIGHT + 2):
        recorder.replay()
    assert device.notes == ["replay", "mark"] * IN_FLIGHT + ["wait", "replay", "mark"] * 2
    recorder.forget()
    assert device.notes[-2:] == ["idle", "reset"]
    assert not torch.backends.cudnn.benchmark


def test_the_cuda_recorder_warms_up_on_its_stream_and_leaves_it_after_a_failure(monkeypatch):
    device = Pretence(monkeypatch, fails=True)
    recorder = CudaRecorder(torch.device("cuda"))
    with recorder.apart():
        assert device.current.name == "s1"
        assert torch.backends.cudnn.benchmark
    assert device.notes == ["s1 waits for main", "main waits for s1"]
    with pytest.raises(RuntimeError, match="could not be ended"):
        recorder.record(lambda: 1 / 0, [])
    assert device.current.name == "main"
    assert not torch.backends.cudnn.benchmark


def test_a_second_stream_starts_after_what_came_before_and_is_waited_for(monkeypatch):
    device = Pretence(monkeypatch)
    aside = StreamAside(torch.cuda.Stream("cuda"))
    aside.do(lambda: device.notes.append(f"on {device.current.name}"))
    aside.join()
    assert device.notes == ["s1 waits for main", "on s1", "main waits for s1"]


@pytest.mark.parametrize("settings", [{"dropout": 0.3}, IMAGES | {"model": "convnet", "width": 4}], ids=str)
def test_the_cause_of_a_failed_capture_is_named_not_its_end(settings, monkeypatch):
    Pretence(monkeypatch, fails=True)
    run = Trainer(unflatten(SMALL | settings), "cpu", block=0)
    recorder = CudaRecorder(torch.device("cuda"))
    recorder.aside = None
    blocks = Blocks(run.engine, 4, *run.batches.peek(), recorder)
    for _ in range(WARM_UP):
        blocks.take(run.batches, lambda: (0.1, 1e-3), 4)
    monkeypatch.setattr(blocks, "_take", lambda slots: 1 / 0)
    assert blocks.take(run.batches, lambda: (0.1, 1e-3), 4) == 1
    assert blocks.obstacle == "the steps could not be recorded (division by zero)"
    run.advance(5)
    assert run.step == 5
