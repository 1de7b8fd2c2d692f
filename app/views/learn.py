"""Learn: the path of lessons, and one lesson at a time: words beside the live run, a check that ticks."""

from __future__ import annotations

import streamlit as st

from app import session
from app.glossary import linked, listed, met_in
from app.lessons import Claim, Lesson, broken_lessons, coached, lessons, spoken
from app.parts.room import lead
from app.parts.stage import stage, style
from app.room.messages import Where
from app.views import View
from app.views._place import place
from app.views._plain import plain, warn
from app.views._take_along import one_file
from app.words import N_, _

PAPER = "https://arxiv.org/abs/2310.08224"
INTRODUCTION = N_("""
## Latent point collapse, step by step
Each lesson is a live run: read a few lines, say what you expect, try it, and a check ticks when it has come about.
What the [paper]({paper}) says and what we measured ourselves is marked as such.
""")


def render() -> None:
    """The open lesson, or the path with all of them."""
    tab = session.Learning.current()
    tab.moment("learn")
    warn(tab.problems)
    session.write_link(tab)
    if tab.name in lessons():
        _lesson(tab, lessons()[tab.name])
    else:
        _path(tab)


def _path(tab: session.Learning) -> None:
    style()
    st.markdown(_(INTRODUCTION, paper=PAPER))
    for name, wrong in broken_lessons().items():
        st.error(plain(_("The lesson {name} cannot be shown: {wrong}", name=name, wrong=wrong)),
                 icon=":material/error:")
    for i, (name, lesson) in enumerate(lessons().items()):
        if i % 2 == 0:  # row by row: where a phone puts them below one another they keep their order
            columns = st.columns(2)
        with columns[i % 2], st.container(border=True, gap=None):
            done = sum((name, index) in tab.done for index in range(len(lesson.steps)))
            sign = "check_circle" if done == len(lesson.steps) else "play_circle"
            st.button(f"{i + 1} · {plain(_(lesson.title))}", key=f"lesson-{name}", type="tertiary",
                      icon=f":material/{sign}:", on_click=tab.open, args=(name,))
            steps = (_("{done} of {all} steps done.", done=done, all=len(lesson.steps)) if done else
                     _("{all} steps.", all=len(lesson.steps)))
            st.caption(plain(f"{_(lesson.summary)} {steps}"))


def _lesson(tab: session.Learning, lesson: Lesson) -> None:
    words, live = st.columns([1, 2.2], gap="medium")
    with live:
        _live(tab, lesson)
    with words:
        st.button(_("All lessons"), key="lesson-path", type="tertiary", icon=":material/arrow_back:", on_click=tab.open,
                  args=("",))
        told(tab, lesson)
        onward(tab, lesson)
        remaining(tab, lesson)


def _live(tab: session.Learning, lesson: Lesson) -> None:
    """The run, and what its page has seen."""
    seat = place(tab)
    if seat is not None:
        lead(seat.token, Where(page="learn", lesson=tab.name, index=tab.index), session.room_address(),
             spoken(lesson.steps[tab.index]).question)
        drawn(tab, lesson, seat.token, moment=tab.moment("learn"), share=session.share("learn", tab.short_texts()))


def drawn(tab: session.Learning, lesson: Lesson, token: str, **more: object) -> None:
    """The stage of the run that ``token`` opens; what it has told is taken up."""
    heard = stage(token, "learn/lesson", tab.hear, lesson=tab.name, index=tab.index, name=tab.name,
                  done=(tab.name, tab.index) in tab.done,
                  step=coached(spoken(lesson.steps[tab.index]), _way_on(*_ahead(tab, lesson))),
                  **lesson.drawn, **more).get("told")
    match heard:
        case {"what": "next", "lesson": tab.name, "index": tab.index}:
            tab.open(*_ahead(tab, lesson))
            st.rerun()


def _ahead(tab: session.Learning, lesson: Lesson) -> tuple[str, int]:
    """Where the open step leads on: to the next one, to the next lesson's first, or from the last to ("", 0)."""
    if tab.index + 1 < len(lesson.steps):
        return tab.name, tab.index + 1
    names = [*lessons(), ""]
    return names[names.index(tab.name) + 1], 0


def _way_on(name: str, index: int) -> str:
    """What the way to that step is called."""
    if index:
        return _("Next step")
    return _("Next lesson: {title}", title=_(lessons()[name].title)) if name else _("Back to all lessons")


def told(tab: session.Learning, lesson: Lesson) -> None:
    """The words of the open step."""
    shown = spoken(lesson.steps[tab.index])
    st.markdown(f"## {plain(_(lesson.title))}")
    marks = "".join("●" if (tab.name, i) in tab.done else "◉" if i == tab.index else "○"
                    for i in range(len(lesson.steps)))
    st.caption(plain(_("Step {n} of {all}", n=tab.index + 1, all=len(lesson.steps)) + f" {marks}"))
    before = met_in(" ".join(step.text for step in map(spoken, lesson.steps[:tab.index])))
    st.markdown(f"### {plain(shown.title)}\n\n{linked(shown.text, before)}")
    st.markdown(_("**Look for:** {what}", what=linked(shown.look_for, before | met_in(shown.text))))
    for claim in shown.claims:
        _claim(claim)


def onward(tab: session.Learning, lesson: Lesson) -> None:
    """The buttons that go back, and on."""
    before, after = st.columns(2)
    before.button(_("Back"), key="lesson-back", disabled=tab.index == 0, width="stretch", on_click=tab.open,
                  args=(tab.name, tab.index - 1))
    way = _ahead(tab, lesson)
    after.button(_("Next step") if way[1] else _("Next lesson"), key="lesson-next", width="stretch", on_click=tab.open,
                 args=way)


def remaining(tab: session.Learning, lesson: Lesson) -> None:
    """The step's terms, and the run as a file."""
    step = spoken(lesson.steps[tab.index])
    if terms := listed(met_in(f"{step.title} {step.text} {step.look_for}")):
        with st.expander(_("The words"), icon=":material/menu_book:"):
            st.markdown(terms)
    one_file(lesson.work(tab.run.seed), {"lesson": tab.name, "seed": tab.run.seed})


def _claim(claim: Claim) -> None:
    """A sentence, whose it is, and its evidence one click away."""
    badge = f":blue-badge[{_('The paper says')}]" if claim.by == "paper" else f":green-badge[{_('We measured')}]"
    with st.expander(f"{badge} {claim.words}"):
        st.caption(plain(claim.evidence))
        if claim.link:
            st.link_button(_("See it in the lab"), claim.link)
        elif claim.by == "paper":
            st.link_button(_("The paper"), PAPER)


VIEW = View("Learn", 2, render)
