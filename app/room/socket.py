"""Sockets of a room: one for words (who is where, what is predicted), one for the frames of whoever watches."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.live import hub as hubs
from app.live.frames import encode
from app.live.messages import Control, MessageError, Thumbs, read
from app.live.outbox import Hangup, Outbox
from app.live.socket import Hear, accepted, control_in, converse, first_word, hang_up, hello_of
from app.room import messages
from app.room.classroom import CLOSE_OVER, Classroom, RoomError
from app.room.register import Register, current

WORDS_PER_S = 10.0  # that a page may say to its room


async def words(socket: WebSocket) -> None:
    """The endpoint of all that is said in a room."""
    if not await accepted(socket, hubs.current().settings):
        return
    outbox, register = Outbox(asyncio.get_running_loop()), current()
    try:
        room, hear = _enter(register, read(messages.FIRST, await first_word(socket)), outbox)
    except (RoomError, MessageError) as error:
        why, again = (error.sentence, error.again) if isinstance(error, RoomError) else (str(error), False)
        with contextlib.suppress(WebSocketDisconnect):  # it has gone meanwhile
            await socket.send_bytes(encode("room", {"refused": why, "again": again}, ()))
        await hang_up(socket, Hangup(CLOSE_OVER, "no such room for this page"))
        return
    except (TimeoutError, WebSocketDisconnect):
        await hang_up(socket, Hangup(CLOSE_OVER, "expected a first word, got none"))
        return
    try:
        await converse(socket, outbox, WORDS_PER_S, hear)
    finally:
        register.leave(room, outbox)


def _enter(register: Register, message: messages.First, page: Outbox) -> tuple[Classroom, Hear]:
    """The room that the first word opens, and what hears the others."""
    match message:
        case messages.Open(run=run, tab=tab, where=where):
            room = register.open(run, tab, where, page)
        case messages.Lead(code=code, secret=secret, tab=tab):
            room = register.lead(code, secret, tab, page)
        case messages.Join(code=code, member=token, tab=tab):
            room, member = register.join(code, token, tab, page)
            return room, lambda text: register.hear_member(room, member, read(messages.OF_MEMBER, text))
    return room, lambda text: register.hear_leader(room, read(messages.OF_LEADER, text))


async def frames(socket: WebSocket) -> None:
    """The endpoint of frames: the hello's token is the room's code. Whoever watches has no say in the run."""
    settings = hubs.current().settings
    if not await accepted(socket, settings):
        return
    outbox, register = Outbox(asyncio.get_running_loop()), current()
    try:
        hello = await hello_of(socket)
        room = register.watch(hello.token if hello else "", outbox)
    except RoomError as error:
        await hang_up(socket, Hangup(CLOSE_OVER, str(error)))
        return
    try:
        await converse(socket, outbox, settings.messages_per_s,
                       lambda text: _hear_watcher(register, room, control_in(text), outbox))
    finally:
        register.unwatch(room, outbox)


def _hear_watcher(register: Register, room: Classroom, message: Control, page: Outbox) -> Control:
    if isinstance(message, Thumbs):
        register.send_thumbs(room, page)
    return message
