"""What one browser tab holds: its run's configuration, its link and its place at the hub.

The only module that touches ``st.session_state``, ``st.query_params`` and Streamlit's caches.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlencode, urljoin

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import comparisons, moments, words
from app.desks import films, inspections, jobs
from app.lessons import lessons
from app.live import hub
from app.live.sessions import SessionHandle
from app.reach import reachable
from app.room.classroom import Classroom
from app.words import _
from lpc_core.config import ConfigError, RunConfig, flatten, unflatten
from lpc_core.film import shortened
from lpc_core.parsing import (
    format_value,
    parse_preset,
    parse_run_leniently,
    parse_settings,
    parse_value,
    to_short_texts,
    to_texts,
)
from lpc_core.presets import default_run
from lpc_core.run_group import RunGroup, alone, compare

Desk = TypeVar("Desk", bound=jobs.Desk)
_JOB = "job"  # in a link: the desk whose work its page goes on showing
_LANGUAGE = "lang"  # likewise: the language of the page
_HIDE = "hide"  # likewise: the controls that the page is shown without
_OF_THE_WINDOW = ("embed", "embed_options", "present", _HIDE, _JOB)  # how pages are shown: it stays in the address


class Session:
    """The state behind one tab. Streamlit runs the script again and again; this is what stays."""

    key = "lpc"  # under which the tab keeps it
    place: SessionHandle | None = None
    ticket = ""  # in the line for a place
    form = 0  # grows when the form must forget what was typed
    film_uploads = 0  # grows when the uploader must forget its file
    inspect_uploads = 0  # likewise
    comparing_files = False  # whether the inspection page shows a second file

    def __init__(self) -> None:
        self.run, errors = parse_run_leniently(self._asked())
        self.problems = [_explain(error, self.run) for error in errors]
        self.desks: dict[str, jobs.Desk] = {}

    @classmethod
    def current(cls) -> Self:
        """Return this tab's, made when it is first asked for."""
        if cls.key not in st.session_state:
            st.session_state[cls.key] = cls()
        return cast(Self, st.session_state[cls.key])

    def _asked(self) -> dict[str, str]:
        """What the link says of what is trained; where it wants to be waits for `moment`."""
        asked, self._wanted = moments.split(given())
        self._moment: tuple[str, dict[str, str]] | None = None
        return asked

    def moment(self, page: str) -> dict[str, str]:
        """Where the link wants the page to be that it has opened, in the words of `moments`; nothing for any other."""
        if self._moment is None:
            words, errors = moments.check(self._wanted, page)
            self._moment = page, words
            self.problems = [*(f"{error}. It is ignored." for error in errors), *self.problems]
        opened, words = self._moment
        return words if opened == page else {}

    def change(self, name: str, given: object) -> None:
        """Set one setting, as a form gives it; a value that is not allowed changes nothing but the message."""
        self.problems = []
        try:
            value = parse_value(name, given)
            if name == "dataset":
                self.replace(unflatten({"seed": self.run.seed}, default_run(value)))
            else:
                self.replace(unflatten({name: value}, self.run))
        except ConfigError as error:
            self.problems = [_explain(error, self.run)]
            self.form += 1

    def start_from(self, preset: str) -> None:
        """Start a named preset, with the seed this tab has."""
        self.problems, self.form = [], self.form + 1
        self.replace(unflatten({"seed": self.run.seed}, parse_preset(preset)))

    def replace(self, run: RunConfig) -> None:
        """Start another run in this tab."""
        if run.data.dataset != self.run.data.dataset:
            self.form += 1
        self.run = run
        self.retrain()

    def retrain(self) -> None:
        """Train what `work` gives now, where there is a place that trains something else."""
        if self.place is not None and hub.current().alive(self.place.id):
            try:
                hub.current().configure(self.place.id, self.work())
            except hub.HubError:  # it ended just now; the page, drawn next, takes another
                self.place = None

    def work(self) -> RunGroup:
        """Return what this tab's place is to train."""
        return alone(self.run)

    def texts(self) -> dict[str, str]:
        """All of it as texts, as a link carries it."""
        return to_texts(self.run)

    def short_texts(self) -> dict[str, str]:
        """The same in few words: only what differs from what a page begins with."""
        return to_short_texts(self.run)

    def connect(self) -> SessionHandle:
        """Return this tab's place at the hub, taken anew if the old one was given up."""
        if self.place is None or not hub.current().alive(self.place.id):
            self.ticket = self.ticket or secrets.token_hex(8)
            self.place = hub.current().open(self.work(), self.ticket)
        return self.place

    def film_desk(self) -> films.FilmDesk:
        """Return this tab's place for films."""
        return self.desk("film", films.FilmDesk)

    def inspect_desk(self, slot: str = "") -> inspections.InspectDesk:
        """Return this tab's place for a file that is inspected; ``slot`` names a second one to compare with."""
        return self.desk(f"inspect{slot}", inspections.InspectDesk)

    def linked_desk(self, name: str, kind: type[Desk]) -> Desk:
        """Return this tab's desk ``name``, or after a reload the one that the link names."""
        asked = jobs.known(st.query_params.get(_JOB, ""))
        if name not in self.desks and type(asked) is kind:
            self.desks[name] = asked
        return self.desk(name, kind)

    def desk(self, name: str, make: Callable[[], Desk]) -> Desk:
        """Return this tab's desk ``name``, made anew if the old one was cleared away."""
        found = self.desks.get(name)
        if found is None or found.closed:
            found = self.desks[name] = make()
        found.keep()
        _clear_when_gone(found.id)
        return cast(Desk, found)


class Comparing(Session):
    """The same for the page that compares: ``run`` is the base, and ``name`` says in what the runs differ from it."""

    key = "lpc-compare"

    def __init__(self) -> None:
        asked = self._asked()
        self.lines = [comparisons.OWN_START]
        name, errors = _lenient(comparisons.check_name, asked.pop("comparison", next(iter(comparisons.READY))))
        self.name = name or next(iter(comparisons.READY))
        self.problems = [f"{error}. Using {self.name}." for error in errors]
        lines = [asked.pop(run) for run in comparisons.OWN_RUNS if run in asked]
        base = {} if self.name == comparisons.OWN else comparisons.READY[self.name].start(asked.get("dataset"))
        self.run, errors = parse_run_leniently(base | asked)
        self.problems += [_explain(error, self.run) for error in errors]
        self.lines = [line for line in lines if self._fits(line)] or self.lines
        _, errors = _lenient(self._compare, self.run)
        if errors:
            self.problems += [f"{error}. Using the comparison's own settings." for error in errors]
            self.lines = [comparisons.OWN_START]
            self.run = RunConfig() if self.name == comparisons.OWN else comparisons.READY[self.name].run(self.run.seed)

    def choose(self, name: str) -> None:
        """Show another comparison; the seed stays, and what is typed for one's own stays too."""
        self.problems, self.form = [], self.form + 1
        self.name = comparisons.check_name(name)
        if name != comparisons.OWN:
            self.replace(comparisons.READY[name].run(self.run.seed))
        else:
            self.change_line(0, self.lines[0])

    def change_line(self, index: int, text: str) -> None:
        """Set (or with an empty text remove) a line of one's own comparison; a bad one changes only the message."""
        lines = [line for line in [*self.lines[:index], text, *self.lines[index + 1:]] if line.strip()]
        self.problems, before = [], self.lines
        try:
            self.lines = lines or [comparisons.OWN_START]
            self.replace(self.run)
        except ConfigError as error:
            self.lines, self.problems = before, [f"Run {index + 2}: {error}. The comparison stays as it was."]

    def replace(self, run: RunConfig) -> None:
        """Start the comparison over another base run; `ConfigError` if its runs clash with it."""
        self._compare(run)
        super().replace(run)

    def work(self) -> RunGroup:
        """Return the comparison."""
        return self._compare(self.run)

    def texts(self) -> dict[str, str]:
        """The comparison's name, one's own lines, and the base run."""
        return self._named() | to_texts(self.run)

    def short_texts(self) -> dict[str, str]:
        """The same, of the base run only what differs from the comparison's own."""
        ready = comparisons.READY.get(self.name)
        base = ready.run() if ready is not None and ready.dataset == self.run.data.dataset else None
        return self._named() | to_short_texts(self.run, base)

    def _named(self) -> dict[str, str]:
        own = dict(zip(comparisons.OWN_RUNS, self.lines, strict=False)) if self.name == comparisons.OWN else {}
        return {"comparison": self.name} | own

    def _compare(self, run: RunConfig) -> RunGroup:
        if self.name != comparisons.OWN:
            titles, overrides = zip(*comparisons.READY[self.name].runs, strict=True)
            return compare(run, overrides, titles)
        return compare(run, [{}, *map(parse_settings, self.lines)], ["base", *self.lines])

    def _fits(self, line: str) -> bool:
        _, errors = _lenient(lambda text: compare(self.run, [{}, parse_settings(text)], ["base", text]), line)
        self.problems += [f"{error}. The run is left out." for error in errors]
        return not errors


class Learning(Session):
    """The same for the page of lessons: ``name`` is the open lesson's ("" on the path), ``index`` its step's."""

    key, name, index = "lpc-learn", "", 0

    def __init__(self) -> None:
        asked = self._asked()
        self.done: set[tuple[str, int]] = set()  # the steps whose check has ticked in this tab
        name, step = asked.pop("lesson", ""), asked.pop("step", "1")
        self.run, errors = parse_run_leniently({"seed": asked.pop("seed")} if "seed" in asked else {})
        errors += [ConfigError(other, "lesson, step or seed on this page", text) for other, text in asked.items()]
        self.problems = [_explain(error, self.run) for error in errors]
        if name and name not in lessons():
            wrong = ConfigError("lesson", "one of " + ", ".join(lessons()), name)
            self.problems.append(f"{wrong}. Here are all of them.")
        elif name:
            self.name = name
            self._seek(step)

    def _seek(self, step: str) -> None:
        last = len(lessons()[self.name].steps)
        if step in map(str, range(1, last + 1)):
            self.index = int(step) - 1
        else:
            self.problems.append(f"{ConfigError('step', f'a whole number from 1 to {last}', step)}. Using 1.")

    def open(self, name: str, index: int = 0) -> None:
        """Go to a step of a lesson; another lesson is another run, another step of the same goes on with it."""
        other, self.problems = name != self.name, []
        self.name, self.index = name, index
        if other and name:
            self.retrain()

    def hear(self) -> None:
        """Of which step the stage tells, that was seen to tick: also if its reader leaves in the same moment."""
        match st.session_state.get("lesson", {}).get("told"):
            case {"lesson": str(name), "index": int(index)}:
                if name in lessons() and index in range(len(lessons()[name].steps)):
                    self.done.add((name, index))

    def work(self) -> RunGroup:
        """Return the open lesson's run or runs."""
        return lessons()[self.name].work(self.run.seed)

    def texts(self) -> dict[str, str]:
        """The open lesson and its step, and a seed that is not the first."""
        if not self.name:
            return {}
        seed = {"seed": str(self.run.seed)} if self.run.seed else {}
        return {"lesson": self.name, "step": str(self.index + 1)} | seed

    def short_texts(self) -> dict[str, str]:
        """The same: it is short."""
        return self.texts()


class Attending(Learning):
    """The same for the page of a room: ``code`` is the room's; with hands of one's own there is a run of one's own."""

    key = "lpc-room"

    def __init__(self) -> None:
        asked = given()
        self.done, self.run = set(), RunConfig()
        self.group: RunGroup | None = None
        self.code = asked.pop("code", "")
        self.problems = [f"{ConfigError(other, 'a code on this page', text)}. It is ignored."
                         for other, text in asked.items()]

    @property
    def own(self) -> bool:
        """Whether this tab has taken its own hands."""
        return self.group is not None

    def join(self, code: str) -> None:
        """Go to a room."""
        self.follow()
        self.code, self.problems = code, []

    def take_hands(self, room: Classroom) -> None:
        """Train what the leader trains, from the start, with hands of one's own, from the next draw on."""
        self.group = hub.current().config(room.run)
        self.name, self.index = room.where.lesson, room.where.index

    def follow(self) -> None:
        """Watch the leader again; the run of one's own ends."""
        if self.place is not None:
            hub.current().close(self.place.id)
        self.group = self.place = None

    def goes_with(self, room: Classroom) -> None:
        """Be where the leader is, unless with hands of one's own."""
        if not self.own:
            self.name, self.index = room.where.lesson, room.where.index

    def open(self, name: str, index: int = 0) -> None:
        """With hands of one's own one may go through the lessons as elsewhere; from the last one to nowhere."""
        if name and self.own:
            self.group = self.group if name == self.name else lessons()[name].work(self.run.seed)
            super().open(name, index)

    def work(self) -> RunGroup:
        """Return what the leader trained when hands were taken, or the lesson one has gone to since."""
        return self.group or super().work()

    def texts(self) -> dict[str, str]:
        """The room's code."""
        return {"code": self.code} if self.code else {}


def given() -> dict[str, str]:
    """What the link says of what is trained."""
    return {name: text for name, text in st.query_params.items() if name not in (*_OF_THE_WINDOW, _LANGUAGE)}


def whole_link() -> dict[str, str]:
    """All that the link says."""
    return st.query_params.to_dict()


def language() -> str:
    """What this tab speaks: the language that a link has named, else the browser's; English where there is no tab."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return words.OWN
    return asked_language() or words.chosen(None, st.context.headers.get("Accept-Language"))


words.ask(language)


def asked_language() -> str:
    """The language that this tab's link has named; "" where none has."""
    if (asked := st.query_params.get(_LANGUAGE)) in words.LANGUAGES:
        st.session_state["lpc-language"] = asked
    return str(st.session_state.get("lpc-language", ""))


def ignored() -> list[str]:
    """What the link asks of any page that we do not have: a language, or controls to hide."""
    asked, errors = st.query_params.get(_LANGUAGE), _hidden()[1]
    if asked is not None and asked not in words.LANGUAGES:
        errors = [ConfigError(_LANGUAGE, " or ".join(words.LANGUAGES), asked), *errors]
    return [f"{error}. It is ignored." for error in errors]


def in_language(texts: Mapping[str, str]) -> dict[str, str]:
    """A link's ``texts`` and the language, where the tab's own link named one: what is passed on speaks it too."""
    asked = asked_language()
    return {**texts, _LANGUAGE: asked} if asked else dict(texts)


def language_links() -> list[str]:
    """A link, as HTML, to this page in each other language."""
    kept = {name: text for name, text in st.query_params.items() if name != _LANGUAGE}
    return [f'<a href="?{escape(urlencode(kept | {_LANGUAGE: code}))}" lang="{code}" hreflang="{code}" target="_self">'
            f"{name}</a>" for code, name in words.LANGUAGES.items() if code != language()]


def keep_language() -> None:
    """Let the address name the language also where the way to this page has left it out."""
    if (asked := asked_language()) and st.query_params.get(_LANGUAGE) != asked:
        st.query_params[_LANGUAGE] = asked


def _hidden() -> tuple[list[str], list[ConfigError]]:
    """The controls that the link hides, and what is wrong with them."""
    return moments.hidden(st.query_params.get(_HIDE))


def _lenient(work: Callable[[Any], Any], given: object) -> tuple[Any, list[ConfigError]]:
    try:
        return work(given), []
    except ConfigError as error:
        return None, [error]


def _explain(error: ConfigError, run: RunConfig) -> str:
    used = flatten(run).get(error.field)
    return str(error) + (f". Using {format_value(used)}." if used is not None else ". It is ignored.")


def link_job(desk: jobs.Desk) -> None:
    """Put ``desk`` into the address bar, so that its work is found again after a reload."""
    if st.query_params.get(_JOB) != desk.id:
        st.query_params[_JOB] = desk.id


def write_link(tab: Session, shown: Mapping[str, str] | None = None) -> None:
    """Put all that ``tab`` trains into the address bar, or what else is ``shown``."""
    texts = tab.texts() if shown is None else shown
    came = st.session_state.get("lpc-linked") != tab.key  # from another page: Back shows that one's address, unasked
    st.session_state["lpc-linked"] = tab.key
    if came or given() != texts:
        kept = {name: st.query_params[name] for name in _OF_THE_WINDOW if name in st.query_params}
        st.query_params.from_dict({**kept, **in_language(texts)})


def room_address() -> dict[str, str]:
    """The page by which others come into a room, as they reach it, and what to know of it."""
    base, note = reachable(urljoin(st.context.url or "", "room"))
    return {"base": base, "note": note}


def share(page: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """What ``page`` needs to write a link: what is trained or read in few words, its address as others reach it, what
    to know of that; the controls that can be hidden, as {name: words}, and those that are.
    """
    base, note = reachable((st.context.url or "").split("?")[0])
    return {"run": urlencode(in_language(texts)), "base": base, "note": note, "live": page in moments.LIVE,
            "hidden": _hidden()[0], "controls": {name: _(moments.CONTROLS[name]) for name in moments.HIDEABLE[page]}}


def carried(key: str, take: Callable[[Any], None]) -> Callable[[], None]:
    """A widget's ``on_change``: hand the widget's value to ``take``."""
    return lambda: take(st.session_state[key])


def fill(key: str, value: object, *, anew: bool = True) -> None:
    """Put ``value`` into the widget ``key``; without ``anew`` only where that holds nothing yet."""
    if anew or key not in st.session_state:
        st.session_state[key] = value


def film_recording(run: RunConfig) -> films.Recording:
    """``run`` and what the film's widgets (``film_…``) say."""
    asked = st.session_state
    return films.Recording(shortened(run, asked["film_steps"]), asked["film_gammas"], asked["film_frames"],
                           asked["film_points"])


@st.cache_resource(scope="session", on_release=jobs.leave, show_spinner=False)
def _clear_when_gone(desk: str) -> str:
    """Tie a desk of the tab to the browser session, which ends with its connection. (A place ends with its own.)"""
    return desk
