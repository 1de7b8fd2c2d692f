"""Inspect: a checkpoint or embeddings of one's own, read without trusting the file, and looked at within seconds."""

from __future__ import annotations

import streamlit as st

from app import session
from app.desks.inspections import InspectDesk
from app.parts.film import style
from app.parts.fragment import fragment
from app.views import View, _inspect_checkpoint, _inspect_compare, _inspect_files, _inspect_result
from app.views._desk import progress
from app.views._plain import plain, warn
from app.words import N_, _
from lpc_core.data import NOT_HERE

POLL_S = 0.3
SECOND = "-b"  # the slot of the file that is compared with
EMPTY = N_("""
## What do a network's latents look like?
Drop a checkpoint or embeddings. You see whether and how its classes collapse: every sample as a point, the points its
head foretells, what each node does, and every number of the paper with its formula. Nothing in the file is ever
executed: it is read by a separate process with no network and hard limits, and deleted when you leave.
""")


def render() -> None:
    """The file and what it turned out to be; then either what must be chosen first, or the inspection."""
    tab = session.Session.current()
    moment, desk = tab.moment("inspect"), tab.inspect_desk()
    style()
    warn(tab.problems)
    _inspect_files.open_linked(desk, moment)
    sample = _inspect_files.sample_of(desk.upload)
    session.write_link(tab, {"file": sample} if sample else {})
    if moment and "file" not in moment and desk.held is None:
        st.info(_("This link looks at a file that does not travel with it: open your copy of the file."))
    second = tab.inspect_desk(SECOND) if tab.comparing_files else None
    if desk.upload is None and desk.held is None:
        _empty(desk)
    else:
        _bar(tab, desk, second)
    if second is not None or not _waits(desk):  # else they stand where it is started, which a phone may show alone
        _messages(desk)
    if second is not None:
        _messages(second)
        _inspect_compare.render(desk, second)
        return
    _body(desk)


def _empty(desk: InspectDesk) -> None:
    st.markdown(_(EMPTY))
    _inspect_files.uploader(desk, _("A checkpoint or embeddings"))
    st.caption(_("Checkpoints: safetensors, .pt, .pth, .ckpt, .bin, ONNX, torch.export. Embeddings: npz, npy, parquet, "
                 "csv, safetensors with latents and labels. This lab's own runs and films too."))
    _inspect_files.samples(desk, _("or try one of these"))


def _bar(tab: session.Session, desk: InspectDesk, second: InspectDesk | None) -> None:
    """What is looked at, and what can be done with it."""
    facts, actions = st.columns(2, vertical_alignment="center")
    with facts:
        _inspect_result.facts(desk)
    with actions, st.container(horizontal=True, horizontal_alignment="right"):
        opened = f"inspect_open#{tab.inspect_uploads}"  # another key closes it once a file was taken
        with st.popover(_("Open another"), icon=":material/upload_file:", width="content", key=opened):
            _inspect_files.uploader(desk, _("A checkpoint or embeddings"))
            _inspect_files.samples(desk, _("or one of these"))
        if desk.held is not None:
            _inspect_result.names_field(desk, desk.held, second.held if second else None)
            _inspect_result.report_menu(desk.held)
            _inspect_compare.toggle()


def _messages(desk: InspectDesk) -> None:
    """In a box that is always there, so that what stands below keeps its place and is not mounted anew."""
    with st.container():
        if desk.busy:
            _progress(desk, desk.held)
        if desk.error:
            st.error(plain(_refusal(desk)), icon=":material/block:")
            if desk.asks is not None and not desk.busy:
                _inspect_files.question(desk, desk.asks)


def _refusal(desk: InspectDesk) -> str:
    """Which file, why not, and what stays."""
    named = desk.error
    if desk.upload is not None and NOT_HERE not in desk.error:  # data that are not here are no fault of the file
        named = f"{desk.upload.name}: {desk.error}"
    if desk.held is None or desk.held.upload is desk.upload:
        return named
    return f"{named.removesuffix('.')}. " + _("What was found in {name} stays below.", name=desk.held.upload.name)


def _waits(desk: InspectDesk) -> bool:
    """Whether there is a checkpoint that was not run yet."""
    return desk.found is not None and (desk.held is None or desk.held.upload is not desk.upload)


def _body(desk: InspectDesk) -> None:
    waiting = _waits(desk)
    if waiting:
        _inspect_checkpoint.render(desk, lambda: _messages(desk))
    if desk.head is not None:
        _inspect_result.head_alone(desk.head)
    elif desk.held is not None:
        _inspect_files.film_moment(desk, desk.held)
        _inspect_result.render(desk, desk.held)
        if desk.found is not None and not waiting:
            with st.expander(_("Run this checkpoint in another way")):
                _inspect_checkpoint.render(desk)


@fragment(POLL_S)
def _progress(desk: InspectDesk, shown: object) -> None:
    """How far it got; the page is drawn anew when there is something new to show."""
    if not desk.busy or desk.held is not shown:
        st.rerun(scope="app")
    if not desk.running:
        st.caption(_("Taking up the result and computing predicted points…"))
        return
    name = "" if desk.upload is None or desk.task != "inspect" else f"{desk.upload.name}: "
    progress(desk, desk.share, name + (desk.what or _("starting")), f"inspect_cancel_{desk.id}")


VIEW = View("Inspect", 6, render)
