"""Several steps of an engine recorded once and replayed: one launch for all of them, with their own γ, lr and batch.

A CUDA graph repeats the same kernels on the same addresses, so `Blocks` keeps fixed buffers with a slot per step and
fills them before each replay, on the device's own queue and without waiting for it. What is recorded does not run, and
has to have run before: the first steps of a run are taken one by one. On a CPU the same logic runs with
`EagerRecorder`, and a block of steps gives the same numbers as the steps one by one.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from lpc_core.engine.autograd import AutogradEngine
from lpc_core.engine.batches import Batches
from lpc_core.engine.fused import FusedEngine, StreamAside

STEPS_MLP, STEPS_CONVNET = 32, 4  # steps per replay on CUDA: some ms, so that a slice of 8 ms can end in time
WARM_UP = 3  # steps before a recording, so that libraries have chosen their kernels and workspaces exist
IN_FLIGHT = 2  # replays the device may be behind


class EagerRecorder:
    """Records a function's device work and repeats it, here by calling the function again: on any device."""

    aside: StreamAside | None = None  # a second queue for work off the critical path

    def __init__(self) -> None:
        self._work: Callable[[], None] | None = None

    def apart(self) -> AbstractContextManager[None]:
        """Where the steps before a recording run: nowhere special."""
        return contextlib.nullcontext()

    def record(self, work: Callable[[], None], streams: Sequence[torch.Generator]) -> None:
        """Record ``work`` without its effects; it draws random numbers from ``streams``. RuntimeError if it can't."""
        self._work = work

    def replay(self) -> None:
        """Do the recorded work."""
        if self._work is None:
            raise RuntimeError("expected a recording before a replay, got none; call record first")
        self._work()

    def forget(self) -> None:
        """Drop the recording."""
        self._work = None


class CudaRecorder:
    """A CUDA graph, captured on a stream of its own."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self.aside = StreamAside(torch.cuda.Stream(device))
        self._graph: torch.cuda.CUDAGraph | None = None
        self._ends: deque[torch.cuda.Event] = deque()

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """On the stream that the capture will use."""
        main = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(main)
        with torch.cuda.stream(self._stream), _searching_kernels():
            yield
        main.wait_stream(self._stream)

    def record(self, work: Callable[[], None], streams: Sequence[torch.Generator]) -> None:
        """Capture ``work``; only this thread's calls count, because others may use the device meanwhile."""
        graph = torch.cuda.CUDAGraph()
        for stream in streams:
            graph.register_generator_state(stream)
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.cuda.device(self._device))
            stack.enter_context(torch.cuda.stream(torch.cuda.current_stream(self._device)))  # a failed capture's end
            stack.enter_context(_searching_kernels())  # would not go back to it
            stack.enter_context(torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"))
            work()
        self._graph = graph

    def replay(self) -> None:
        """Launch the graph; waits, asleep, while more than `IN_FLIGHT` replays are unfinished."""
        if self._graph is None:
            raise RuntimeError("expected a recording before a replay, got none; call record first")
        if len(self._ends) >= IN_FLIGHT:
            self._ends.popleft().synchronize()
        with torch.cuda.device(self._device):
            self._graph.replay()
            end = torch.cuda.Event(blocking=True)
            end.record()
        self._ends.append(end)

    def forget(self) -> None:
        """Free the graph and its memory when the device is done with it."""
        if self._graph is not None:
            torch.cuda.synchronize(self._device)
            self._graph.reset()
        self._graph = None
        self._ends.clear()


Recorder = EagerRecorder | CudaRecorder


@contextlib.contextmanager
def _searching_kernels() -> Iterator[None]:
    """Let cuDNN try its convolutions and keep the fastest; the shapes never change."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def recorder_for(device: torch.device) -> Recorder:
    """A CUDA graph on CUDA, else a stand-in."""
    return CudaRecorder(device) if device.type == "cuda" else EagerRecorder()


def steps_per_replay(device: torch.device, engine: FusedEngine | AutogradEngine) -> int:
    """How many steps to record at once; 0, step by step, on a CPU."""
    if device.type != "cuda":
        return 0
    return STEPS_CONVNET if isinstance(engine, AutogradEngine) and engine.is_convnet else STEPS_MLP


class Blocks:
    """``size`` steps of ``engine`` per replay, 0: none. After `forget` (or before the first) it warms up and records
    anew. Where recording fails, `obstacle` says why, and all steps are taken one by one.
    """

    def __init__(self, engine: FusedEngine | AutogradEngine, size: int, inputs: Tensor, labels: Tensor,
                 recorder: Recorder) -> None:
        """``inputs`` and ``labels`` are one step's, for their shapes (as in `FusedEngine.step`)."""
        self.engine, self.size, self._recorder = engine, size, recorder
        self.obstacle = ""
        self.inputs = _slots(size, inputs, channels_last=isinstance(engine, AutogradEngine))
        self.labels = labels.new_empty((size, *labels.shape))
        self.pulls = engine.pull.new_zeros((size, *engine.pull.shape))
        self.lrs = engine.lr.new_zeros(size)
        self._warm, self._recorded = 0, False
        if isinstance(engine, FusedEngine):
            engine.aside = recorder.aside

    @property
    def note(self) -> str:
        """What it does, in words; "" where nothing is recorded."""
        if self.obstacle:
            return f"one by one, because {self.obstacle}"
        return f"{self.size} steps at a time" if self.size else ""

    def take(self, batches: Batches, knobs: Callable[[], tuple[float | Tensor, float]], most: int) -> int:
        """One step, or a block of them if it has at most ``most``; returns how many. A run's first steps warm it up.

        ``knobs`` gives γ (a number, or (R,)) and the backbone's learning rate of one step after the other.
        """
        if self.size and self._warm < WARM_UP and not self.obstacle:  # taken as the recorded ones will be
            with self._recorder.apart():
                self._fill(batches, [knobs()])
                self._take(1)
            self._warm += 1
        elif 0 < self.size <= most and (self._recorded or self._record()):
            self._fill(batches, [knobs() for _ in range(self.size)])
            self._recorder.replay()
            return self.size
        else:
            self.engine.step(*batches.next(), *knobs())
        return 1

    def forget(self) -> None:
        """Drop the recording: tensors that it writes to were replaced."""
        self._recorder.forget()
        self._warm, self._recorded = 0, False

    def _fill(self, batches: Batches, knobs: Sequence[tuple[float | Tensor, float]]) -> None:
        """Write the first slots, one for each of ``knobs``."""
        gammas, lrs = zip(*knobs, strict=True)
        count, scale = len(lrs), self.engine.pull_per_gamma
        batches.fill(self.inputs[:count], self.labels[:count])
        many = [gamma for gamma in gammas if isinstance(gamma, Tensor)]
        pulls = scale * (torch.stack(many).double() if many else torch.tensor(gammas, dtype=torch.float64))
        # pulls: (k,), or (k, R) where the models' γ differ
        _send(pulls.view(*pulls.shape, *[1] * (self.pulls.dim() - pulls.dim())), self.pulls[:count])
        _send(torch.tensor(lrs, dtype=torch.float64), self.lrs[:count])

    def _take(self, slots: int) -> None:
        """The steps of the first ``slots``."""
        for slot in range(slots):
            self.engine.take(self.inputs[slot], self.labels[slot], self.pulls[slot], self.lrs[slot])

    def _record(self) -> bool:
        """Record all slots, and say whether that was possible; after a failure the random streams start anew where they
        were, unbound from any graph.
        """
        if self.obstacle:
            return False
        models = self.engine.models if isinstance(self.engine, FusedEngine) else [self.engine.model]
        states = [(model.dropout, stream, stream.get_state()) for model in models if (stream := model.dropout.stream)]
        try:
            self._recorder.record(lambda: self._take(self.size), [stream for _, stream, _ in states])
            self._recorded = True
        except RuntimeError as error:  # also CUDA's own errors; the failure at the end of a capture hides its cause
            cause = str(error.__context__ or error).strip().partition("\n")[0]
            self.obstacle = f"the steps could not be recorded ({cause})"
            self._recorder.forget()
            for dropout, _, state in states:
                dropout.open_stream(self.inputs.device).set_state(state)
        return self._recorded


def _slots(size: int, batch: Tensor, *, channels_last: bool) -> Tensor:
    """(size, *batch.shape) room for batches; pictures with channels last in memory, as convolutions like them."""
    if batch.dim() == 4 and channels_last:
        n, c, h, w = batch.shape
        return batch.new_empty((size, n, h, w, c)).permute(0, 1, 4, 2, 3)
    return batch.new_empty((size, *batch.shape))


def _send(numbers: Tensor, place: Tensor) -> None:
    """Copy float64 ``numbers`` from the CPU into ``place``, not waiting for a device."""
    numbers = numbers.to(place.dtype).expand(place.shape).contiguous()
    place.copy_(numbers.pin_memory() if place.is_cuda else numbers, non_blocking=True)
