"""Register: all rooms of this server, by their codes, and the hub's sessions that they show. May be called from any
thread.
"""

from __future__ import annotations

import threading

from app.live.hub import Hub
from app.live.messages import Pause, Play
from app.live.sessions import Outlet
from app.one import One
from app.room import codes
from app.room.classroom import Classroom, Member, RoomError
from app.room.messages import Answer, At, End, Halt, Hands, Name, OfLeader, OfMember, Where
from app.words import N_

ENDED = N_("The leader has ended this room.")
LEFT = N_("This room is over: its leader did not come back.")
STALE = N_("There is no room by this code (any more). Ask for the present one.")
GONE = N_("This room is over. Open a new one.")
NO_RUN = N_("Expected the run of a page that is open, got one that has ended; reload the page and open the room again.")


class Register:
    """The rooms of the server whose hub this is."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self._lock = hub, threading.RLock()
        self._rooms: dict[str, Classroom] = {}

    # ---- coming in -------------------------------------------------------------------------------------------------

    def open(self, token: str, tab: str, where: Where, page: Outlet) -> Classroom:
        """A room that shows the run of ``token``, led by ``page``; one that showed it before is over."""
        with self._lock:
            run, most = self._hub.find(token), self._hub.settings.max_rooms
            if run is None:
                raise RoomError(NO_RUN)
            for room in [room for room in self._rooms.values() if room.run == run]:
                self.end(room, ENDED)
            if len(self._rooms) >= most:
                raise RoomError(N_("All {most} rooms of this server are in use; try again later."), most=most)
            room = Classroom(codes.new(self._rooms), run, where)
            self._rooms[room.code] = room
            room.lead(page, tab, self._hub.age)
            return room

    def lead(self, code: str, secret: str, tab: str, page: Outlet) -> Classroom:
        """The same room again, for whoever has its secret."""
        with self._lock:
            room = self._rooms.get(codes.read(code))
            if room is None or not room.is_secret(secret):
                raise RoomError(GONE)
            room.lead(page, tab, self._hub.age)
            return room

    def join(self, code: str, member: str, tab: str, page: Outlet) -> tuple[Classroom, Member]:
        """A member of the room ``code``."""
        with self._lock:
            room = self._known(code)
            return room, room.join(page, member, tab, self._hub.settings.room_members)

    def find(self, code: str) -> Classroom | None:
        """The room ``code``, while there is one."""
        return self._rooms.get(codes.read(code))

    def watch(self, code: str, page: Outlet) -> Classroom:
        """Let ``page`` have the frames of what the leader shows, now and later."""
        with self._lock:
            room = self._known(code)
            if len(room.watchers) >= 2 * self._hub.settings.room_members:  # a reload may come before its goodbye
                raise RoomError("This room has as many pages as it may have.")
            room.watchers.add(page)
            self._hub.watch(room.run, page)
            return room

    def _known(self, code: str) -> Classroom:
        room = self.find(code)
        if room is None:
            raise RoomError(STALE)
        return room

    # ---- in the room -----------------------------------------------------------------------------------------------

    def hear_leader(self, room: Classroom, message: OfLeader) -> OfLeader:
        """Do what the leader says, which is a sign of life in any case."""
        with self._lock:
            room.heard = self._hub.age
            match message:
                case At(run=run, where=where):
                    self.show(room, run, where)
                case Halt(halted=halted):
                    self.halt(room, halted)
                case End():
                    self.end(room, ENDED)
        return message

    def hear_member(self, room: Classroom, member: Member, message: OfMember) -> OfMember:
        """Do what a member says."""
        with self._lock:
            match message:
                case Name(name=name):
                    room.rename(member, name)
                case Hands(run=run, where=where):
                    self.take_hands(room, member, run, where)
                case Answer(lesson=lesson, index=index, choice=choice):
                    room.answer(member, lesson, index, choice)
        return message

    def show(self, room: Classroom, token: str, where: Where) -> None:
        """The leader shows another run or another step; whoever watches sees it, too."""
        with self._lock:
            run = self._hub.find(token) or ""
            if run != room.run:
                for page in room.watchers:
                    self._hub.unwatch(room.run, page)
                    self._hub.watch(run, page)
                if room.halted:
                    self._hub.say(run, Pause(type="pause"))  # such as the new run of a leader who reloaded
            room.show(run, where)

    def halt(self, room: Classroom, halted: bool) -> None:
        """Pause the leader's run and all that members have of their own, or let them go on."""
        with self._lock:
            for run in filter(None, [room.run, *(member.run for member in room.members.values())]):
                self._hub.say(run, Pause(type="pause") if halted else Play(type="play"))
            room.halt(halted)

    def take_hands(self, room: Classroom, member: Member, token: str, where: Where) -> None:
        """A member has taken a run of their own, or follows again."""
        with self._lock:
            room.take_hands(member, self._hub.find(token) or "", where)
            if room.halted and member.run:
                self._hub.say(member.run, Pause(type="pause"))

    # ---- going -----------------------------------------------------------------------------------------------------

    def leave(self, room: Classroom, page: Outlet) -> None:
        """A page of the room has gone."""
        with self._lock:
            room.leave(page, self._hub.age)

    def send_thumbs(self, room: Classroom, page: Outlet) -> None:
        """A page that watches wants the pictures of the samples."""
        with self._lock:
            self._hub.send_thumbs(room.run, page)

    def unwatch(self, room: Classroom, page: Outlet) -> None:
        """A line of frames has gone."""
        with self._lock:
            room.watchers.discard(page)
            self._hub.unwatch(room.run, page)

    def end(self, room: Classroom, why: str) -> None:
        """Close a room."""
        with self._lock:
            if self._rooms.get(room.code) is room:
                del self._rooms[room.code]
            for page in room.watchers:
                self._hub.unwatch(room.run, page)
            room.end(why)

    def tidy(self) -> None:
        """What happens because time passes: to be called now and then."""
        with self._lock:
            for room in list(self._rooms.values()):
                room.forget(self._hub.age)
                if room.is_over(self._hub.age, self._hub.settings.room_idle_s):
                    self.end(room, LEFT)


_ONE: One[Register] = One(RoomError)
install, current = _ONE.install, _ONE.current
