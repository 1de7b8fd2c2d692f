"""What a browser may say to its run: small JSON texts, parsed strictly, refused with one line."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

T = TypeVar("T")
MAX_MESSAGE_BYTES = 4_096
Count = Annotated[int, Field(ge=0, le=2**53)]  # JavaScript's whole numbers are exact up to there
StepsPerSecond = Annotated[float, Field(ge=0.0, le=1e6)]


class Message(BaseModel):
    """What a page says: nothing but what is listed."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Hello(Message):
    """First word on a connection: the session's token; and the one ``before`` it, of a run that a server had ended."""

    type: Literal["hello"]
    token: Annotated[str, Field(max_length=128)]
    before: Annotated[str, Field(max_length=128)] = ""


class Play(Message):
    """Train on; a finished run goes on past its planned steps."""

    type: Literal["play"]


class Pause(Message):
    """Stop training; the picture stays and still answers γ with its predicted points."""

    type: Literal["pause"]


class Step(Message):
    """Pause, after ``count`` more steps."""

    type: Literal["step"]
    count: Annotated[int, Field(ge=1, le=10_000)] = 1


class Replay(Message):
    """Be at step ``step`` of the same run and pause there: from here if it lies ahead, else from step 0."""

    type: Literal["replay"]
    step: Annotated[int, Field(ge=0, le=10_000)]


class Reset(Message):
    """Back to step 0 of the same run, playing."""

    type: Literal["reset"]


class Gamma(Message):
    """The hand's γ. ``seq`` comes back in every frame trained under it (`info.gamma_seq`)."""

    type: Literal["gamma"]
    value: Annotated[float, Field(ge=0.0, le=1e8)]
    seq: Count = 0


class Auto(Message):
    """Give γ back to the schedule, which goes on from the present value."""

    type: Literal["auto"]


class LearningRate(Message):
    """Change the backbone's learning rate while running."""

    type: Literal["lr"]
    value: Annotated[float, Field(gt=0.0, le=10.0)]


class Speed(Message):
    """Aim at this many steps per second; 0 is as fast as possible."""

    type: Literal["speed"]
    steps_per_second: StepsPerSecond


class View(Message):
    """What is drawn: which nodes span the latent view, or PCA, and which nodes' histograms are large."""

    type: Literal["view"]
    projection: Literal["nodes", "pca"] = "nodes"
    nodes: Annotated[list[Annotated[int, Field(ge=0, le=511)]], Field(min_length=1, max_length=3)] = [0, 1]
    dims: Literal[2, 3] = 2
    large: Annotated[list[Annotated[int, Field(ge=0, le=511)]], Field(max_length=8)] = [0, 1]
    regions: bool = False  # with the frames that bring metrics: what the network says of the plane of its inputs
    bins: bool = False  # in which bar of the large histograms each sample is


class Ack(Message):
    """Frame number ``frame`` has been drawn: the next one may be sent."""

    type: Literal["ack"]
    frame: Count


class Thumbs(Message):
    """Send the pictures of the probe samples (once; image data only)."""

    type: Literal["thumbs"]


class Ping(Message):
    """Still here. Sent every few seconds; a silent page's run is stopped."""

    type: Literal["ping"]


Control = Annotated[
    Hello | Play | Pause | Step | Replay | Reset | Gamma | Auto | LearningRate | Speed | View | Ack | Thumbs | Ping,
    Field(discriminator="type"),
]
CONTROL: TypeAdapter[Control] = TypeAdapter(Control)


class MessageError(ValueError):
    """A control message that is not taken in; the text is safe to send back."""


def read(adapter: TypeAdapter[T], text: str | bytes) -> T:
    """Return the message in ``text``, of the kind of ``adapter``; anything else raises `MessageError` with one line."""
    if len(text) > MAX_MESSAGE_BYTES:
        raise MessageError(f"expected a message of at most {MAX_MESSAGE_BYTES} bytes, got {len(text)}")
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        raise MessageError(first_line(error)) from None


def first_line(error: ValidationError) -> str:
    """The first thing that is wrong, in one line without what was given."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "message"
    return f"{where}: {first['msg']}"
