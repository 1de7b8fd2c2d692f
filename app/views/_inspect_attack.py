"""Attack it: how small a change of its inputs changes a checkpoint's answers, by several attacks, and how far to
believe that: a table, the share still right at a strength, and what the numbers hide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import session
from app.charts.paper_figure import paper_cards
from app.desks.attacks import MOST_SAMPLES, AttackDesk
from app.desks.inspections import Held, InspectDesk
from app.parts.cards import cards
from app.parts.fragment import fragment
from app.views._desk import asked, progress
from app.views._plain import plain, warn
from app.words import N_, _
from lpc_core.experiments import FigureData
from lpc_core.files.plain_json import dumps, number
from lpc_core.robustness import attacks, robust_share

POLL_S = 0.5
USUAL = ("deepfool", "ddn", "fmn")
FEW = 50  # samples, unless asked otherwise
ABOUT = N_("Each attack seeks the smallest change of an input that changes the answer, and so gives an upper bound on "
           "the true robustness. DeepFool alone says too much of networks that are flat around their samples: run "
           "another beside it. Held-out samples of a built-in set are attacked.")


def render(desk: InspectDesk, held: Held) -> None:
    """Offer, progress and report, for a checkpoint that was run on data."""
    if held.inspection.layout is None or held.inspection.embeddings.weight is None:
        return
    own = session.Session.current().desk("attack", AttackDesk)
    own.of(held.upload)
    with st.expander(_("Attack it"), icon=":material/bolt:", expanded=own.running or own.report is not None):
        st.caption(_(ABOUT))
        if own.running:
            _progress(own)
        else:
            _offer(own, desk)
        if own.error:
            st.error(plain(own.error), icon=":material/block:")
        if own.report is not None:
            _report(own.report, held.upload.name)


def _offer(own: AttackDesk, desk: InspectDesk) -> None:
    known = attacks()
    first, second, third, fourth = st.columns([4, 1, 1, 1], vertical_alignment="bottom")
    names = first.multiselect(_("Attacks"), list(known), [name for name in USUAL if name in known],
                              key=f"attack_names_{own.id}", format_func=lambda name: known[name].title)
    samples = second.number_input(_("Samples"), 1, MOST_SAMPLES, FEW, 10, key=f"attack_samples_{own.id}")
    for column, words, only_ask in ((third, _("How long?"), True), (fourth, _("Attack it"), False)):
        if column.button(words, key=f"attack_{'ask' if only_ask else 'go'}_{own.id}", width="stretch",
                         type="secondary" if only_ask else "primary"):
            own.error = ""
            with asked(own):
                own.attack(desk.wish, tuple(names), int(samples), only_ask=only_ask)
            st.rerun()
    if own.seconds is not None and own.report is None:
        st.caption(_("{duration} for {n} samples, if the machine stays as busy as it is.",
                     duration=duration(own.seconds), n=f"{own.asked[1]:,}"))


def duration(seconds: float) -> str:
    """About 20 seconds, about 4 minutes."""
    if seconds < 90:
        return _("About {n} seconds", n=max(5, 5 * round(seconds / 5)))
    return _("About {n} minutes", n=round(seconds / 60))


def _inside(words: str) -> str:
    """As they go on a sentence."""
    return words[:1].lower() + words[1:]


@fragment(POLL_S)
def _progress(own: AttackDesk) -> None:
    about = "" if own.seconds is None else _(" ({duration} in all)", duration=_inside(duration(own.seconds)))
    progress(own, own.share, f"{_(own.what)}{about}", f"attack_cancel_{own.id}")


def _report(found: Mapping[str, Any], name: str) -> None:
    """The table, then what it hides, then the curves."""
    st.markdown(_("Accuracy **{accuracy}** on {n} samples. Norms are ‖δ‖/‖x‖ over the samples that were right.",
                  accuracy=f"{found['accuracy']:.1%}", n=f"{found['samples']:,}"))
    st.markdown(table(found))
    paper = number(found["paper_deepfool_mean"])
    if math.isfinite(paper):
        st.caption(_("By the paper's convention (DeepFool without bounds, every sample from its predicted class) the "
                     "mean is {mean}, and {share} of its inputs leave the data's range.", mean=f"{paper:.4f}",
                     share=f"{number(found['paper_deepfool_outside']):.0%}"))
    warn((flag["sentence"] for flag in found["flags"] if flag["raised"]), ":material/flag:")
    with st.expander(_("What was looked at and found in order")):
        st.markdown("\n".join(f"- {plain(text)}" for text in [
            *(flag["sentence"] for flag in found["flags"] if not flag["raised"]), *found["notes"]]))
    cards(paper_cards(curve(found, name), [name]), "inspect-attack", columns=1)
    st.download_button(_("Report (JSON)"), dumps(found), f"{name.rsplit('.', 1)[0]}.attack.json", "application/json",
                       icon=":material/download:", on_click="ignore", key="attack_json")


def table(found: Mapping[str, Any]) -> str:
    """The attacks in Markdown, the smallest known perturbation last."""
    lines = [_("| attack | changed | median | mean | mean, wrong ones as 0 | gradients | s |"), "|---" * 7 + "|"]
    for each in (*found["attacks"], found["best"]):
        numbers = (f"{number(each[key]):.4f}" for key in ("median", "mean", "mean_with_wrong"))
        changed = _("{n} of {all}", n=each["found"], all=each["samples"])
        lines.append(f"| {plain(each['title'])} | {changed} | " + " | ".join(numbers)
                     + f" | {each['backwards']:,.0f} | {each['seconds']:,.1f} |")
    return "\n".join(lines)


def curve(found: Mapping[str, Any], row: str) -> FigureData:
    """R(ε) of every L2 attack."""
    kept = {each["name"] for each in found["attacks"] if each["distance"] == "l2"}
    norms = {name: values["relative"] for name, values in found["per_sample"].items()
             if isinstance(values, dict) and name in kept}
    lines = tuple({"row": row, "seed": 0, "attack": attack, "epsilon": epsilon, "share": share}
                  for attack, epsilon, share in robust_share(norms))
    return FigureData("robustness", N_("R(ε): share still right at a relative perturbation ε"), "epsilon", "share",
                      "attack", (False, False), lines)
