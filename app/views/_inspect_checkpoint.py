"""A checkpoint that waits: what it is, what must be said before it can be run, its tensors, and a head to pick."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.charts.words import listed
from app.desks.inspections import InspectDesk, Upload, Wish
from app.desks.jobs import JobRefused
from app.settings import from_env
from app.views._desk import asked
from app.views._plain import plain, sentence, warn
from app.words import N_, _

OWN_DATA, OWN_PICTURES = N_("a file of my own (npz, zip)"), N_("a folder of my own pictures")
OWN_NUMBERS = "MEAN/STD"
PENULTIMATE = "penultimate"
BY_NUMBER, BY_ROWS = "number", "rows"
MOST_NAMED = 12  # missing or unexpected tensors that are named in the sentence; the rest is counted
MOST_SAMPLES, MOST_SIDE = 20_000, 4_096


def render(desk: InspectDesk, messages: Callable[[], None] = lambda: None) -> None:
    """Recognised: ask for data and run it. Not recognised, or not to be run: tensors and heads.

    ``messages`` says how far that got, or what went wrong.
    """
    found = desk.found
    if found is None:
        return
    layout = found.get("layout")
    runs = layout is not None and (not layout.get("obstacle") or bool(layout.get("orders")))
    _what(found, layout)
    weights = _weights(desk, found)
    if runs and layout is not None:
        _choices(desk, layout, weights)
    messages()
    with st.expander(_("Pick a head to look at it alone"), expanded=not runs):
        _heads(desk, found["heads"], weights)
    with st.expander(_("All tensors ({n})", n=f"{len(found['tensors']):,}"), expanded=not runs):
        _tensors(found["tensors"], desk.id)


def _what(found: Mapping[str, Any], layout: Mapping[str, Any] | None) -> None:
    """What was recognised, what had to be assumed, and every tensor that does not fit."""
    if layout is None:
        st.info(_("No layout known here fits these tensors, so the network cannot be rebuilt from the file alone. Pick "
                  "its head below to see where its classes would fall, or save embeddings (latents and labels) as npz "
                  "and drop those."))
        return
    lines = [_("**{name}**, {parameters} parameters: {classes} classes, {nodes} latent nodes at layer “{layer}”.",
               name=plain(str(layout["name"])), parameters=f"{layout['parameters']:,}",
               classes=f"{layout['classes']:,}", nodes=f"{layout['latent_dim']:,}", layer=plain(str(layout["layer"])))]
    lines += [plain(sentence(text)) for text in layout["assumptions"]]
    lines += [_named(N_("Missing tensors: {names}."), layout["missing"]),
              _named(N_("Unexpected tensors: {names}."), layout["unexpected"])]
    st.markdown("  \n".join(filter(None, lines)))
    warn(map(sentence, layout.get("warnings", ())), ":material/warning:")
    if layout.get("orders"):
        st.warning(_("The file does not say in which order its layers come, and several fit: choose one below."))
    elif layout.get("obstacle"):
        st.warning(plain(_("It cannot be run here: {obstacle}", obstacle=layout["obstacle"])))


def _named(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = _(" and {n} more", n=f"{len(names) - MOST_NAMED:,}") if len(names) > MOST_NAMED else ""
    return plain(_(what, names=", ".join(names[:MOST_NAMED]) + more))


# ---- running it --------------------------------------------------------------------------------------------------


def _weights(desk: InspectDesk, found: Mapping[str, Any]) -> str | None:
    """Which weights of a file with several, raw and averaged, are meant; None for the file's first or only ones."""
    offered = found.get("source", {}).get("weights", [])
    if len(offered) < 2:
        return None
    from lpc_core.checkpoint import averaged

    kinds = {name: _("averaged") if averaged(name) else _("raw") for name in offered}
    chosen = st.selectbox(_("Weights"), sorted(offered, key=lambda name: name != offered[0]),
                          key=f"{_key(desk)}weights",
                          format_func=lambda name: f"{name} ({kinds[name]})",
                          help=_("The file holds the network's weights several times: as training left them, and "
                                 "averaged over its steps."))
    return None if chosen == offered[0] else str(chosen)


def _key(desk: InspectDesk) -> str:
    return f"inspect_{desk.id}_{desk.upload.path.name if desk.upload else ''}_"


def _choices(desk: InspectDesk, layout: Mapping[str, Any], weights: str | None) -> None:
    """What a state dict does not say: data and normalisation have no default, and the run waits for both."""
    key = _key(desk)
    left, middle, right = st.columns(3, gap="medium")
    with left:
        data, data_name, side = _data(desk, layout, key)
        count = st.number_input(_("Samples, at most"), 10, MOST_SAMPLES, None, 100, key=f"{key}count",
                                placeholder=_("2000, or all"))
    with middle:
        normalisation = _normalisation(layout, key)
        split = st.selectbox(_("Samples of"), ["train", "test"], key=f"{key}split", disabled=bool(data_name),
                             format_func={"test": _("held-out data"), "train": _("training data")}.__getitem__,
                             help=_("Of a built-in set. Collapse is defined on training data; held-out data show what "
                                    "is left of it."))
        classes = _classes(layout, key)
    with right:
        order = _order(layout, key)
        activation = _activation(layout, key)
        layer = st.selectbox(_("Layer to watch"), [PENULTIMATE, *layout["modules"]], key=f"{key}layer",
                             help=_("Another layer than the penultimate one has no head that reads it, so nothing is "
                                    "foretold."))
    wish = Wish(data or None, data_name, split, normalisation or None, activation or None,
                None if layer == PENULTIMATE else layer, weights, order, classes or None,
                None if count is None else int(count), side)
    needed = [(_("data"), data), (_("a normalisation"), normalisation),
              (_("an order"), order or not layout.get("orders"))]
    missing = [words for words, given in needed if not given]
    if st.button(_("Run it"), type="primary", key=f"{key}run", disabled=bool(missing) or desk.busy,
                 icon=":material/play_arrow:"):
        with asked(desk):
            desk.inspect(wish)
        st.rerun()
    if missing:
        st.caption(plain(_("To run it, choose {missing}.", missing=listed(missing))))
    elif desk.busy:
        st.caption(_("It waits for what is being computed."))


def _data(desk: InspectDesk, layout: Mapping[str, Any], key: str) -> tuple[str, str, int | None]:
    """A built-in set's name, or an upload's path and name, and the side pictures are cut to; empty until chosen."""
    from lpc_core.data import sources

    known = sources()
    options, own = [*known, OWN_DATA, OWN_PICTURES], (layout.get("config") or {}).get("dataset")
    chosen = st.selectbox(_("Run it on"), options, options.index(own) if own in options else None, key=f"{key}data",
                          placeholder=_("choose data"),
                          format_func=lambda name: _(known[name].title if name in known else name))
    if chosen not in (OWN_DATA, OWN_PICTURES):
        return chosen or "", "", None
    upload = _own_file(desk, key) if chosen == OWN_DATA else _own_folder(desk, key)
    if upload is None:
        return "", "", None
    side = None
    if upload.path.suffix == ".zip":
        side = st.number_input(_("Cut pictures to, pixels"), 1, MOST_SIDE, None, 1, key=f"{key}side",
                               placeholder=_("as they are"),
                               help=_("Their middle square, made this wide. Needed where they differ in size, or where "
                                      "the network takes one size only."))
    return str(upload.path), upload.name, side


def _own_file(desk: InspectDesk, key: str) -> Upload | None:
    """Inputs and labels, or a zip of pictures."""
    given = st.file_uploader(_("Inputs and labels (npz), or pictures in one folder per class (zip)"),
                             type=["npz", "zip"], key=f"{key}own", max_upload_size=from_env().upload_mb)
    return None if given is None else _taken(desk, (given.file_id,), lambda: desk.take_data(given.name, given))


def _own_folder(desk: InspectDesk, key: str) -> Upload | None:
    """Pictures in one folder per class, straight from a disk."""
    from lpc_core.checkpoint.pictures import SUFFIXES

    most = from_env().upload_mb
    given = st.file_uploader(_("A folder with one folder of pictures per class"), type=list(SUFFIXES),
                             key=f"{key}folder", accept_multiple_files="directory", max_upload_size=most)
    if not given:
        return None
    return _taken(desk, tuple(file.file_id for file in given),
                  lambda: desk.take_pictures([(file.name, file) for file in given], most * 2**20))


def _taken(desk: InspectDesk, ids: tuple[str, ...], take: Callable[[], None]) -> Upload | None:
    """What the desk keeps of an upload, taken once; None with a word on the page where it was refused."""
    if desk.data_ids != ids:
        desk.data_ids, desk.data_error = ids, ""
        try:
            take()
        except JobRefused as error:
            desk.data_error = str(error)
    if desk.data_error:
        st.error(plain(desk.data_error))
        return None
    return desk.data


def _normalisation(layout: Mapping[str, Any], key: str) -> str:
    """How inputs were scaled in training: never guessed; known only for this lab's own runs."""
    from lpc_core.inspection.scaling import CHOICES

    options = list(CHOICES)
    own = options.index("lab") if layout.get("config") else None
    chosen = st.selectbox(_("Normalisation of its inputs"), options, own, key=f"{key}normalisation",
                          placeholder=_("choose, the file does not say"), format_func=lambda name: _(CHOICES[name][0]),
                          help="  \n".join(f"**{_(title)}**: {plain(_(text))}" for title, text in CHOICES.values()))
    if chosen != OWN_NUMBERS:
        return chosen or ""
    return st.text_input(_("Means / deviations of the channels"), key=f"{key}numbers", max_chars=200,
                         placeholder="0.5,0.5,0.5/0.25,0.25,0.25").strip()


def _activation(layout: Mapping[str, Any], key: str) -> str:
    """Asked for only where the file does not say it; empty leaves it to the layout, which says what it assumes."""
    if not any(text.startswith("activation") for text in layout["assumptions"]):
        return ""
    from lpc_core.inspection.layouts import ACTIVATIONS

    assumed = str(layout["activation"])
    options = [assumed, *(name for name in ACTIVATIONS if name != assumed)]
    chosen = st.selectbox(_("Activation"), options, key=f"{key}activation",
                          format_func=lambda name: _("{name} (assumed)", name=name) if name == assumed else name,
                          help=_("A state dict does not say it. A wrong one gives wrong latents."))
    return "" if chosen == assumed else str(chosen)


def _order(layout: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    """Asked for only where several orders of the layers fit."""
    orders = layout.get("orders") or []
    if not orders:
        return None
    chosen = st.selectbox(_("Order of the layers"), range(len(orders)), None, key=f"{key}order",
                          placeholder=_("choose, the file does not say"),
                          format_func=lambda place: " → ".join(orders[place]),
                          help=_("The orders that the layers' sizes allow. A wrong one gives wrong latents."))
    return None if chosen is None else tuple(orders[chosen])


def _classes(layout: Mapping[str, Any], key: str) -> str:
    """Which rows of the head the data's classes are; empty: those of their numbers, with a warning in doubt."""
    words = {BY_NUMBER: _("class k of the data is row k"), "name": _("by their names"), BY_ROWS: _("rows that I name")}
    options = [BY_NUMBER, *(["name"] if layout.get("class_names") else []), BY_ROWS]
    chosen = st.selectbox(_("Classes of the data in the head"), options, key=f"{key}classes",
                          format_func=words.__getitem__,
                          help=_("Matters where the network was trained on other classes, or in another order."))
    if chosen != BY_ROWS:
        return "" if chosen == BY_NUMBER else str(chosen)
    return st.text_input(_("One row of the head for each class of the data"), key=f"{key}rows", max_chars=10_000,
                         placeholder="404, 817, …").strip()


# ---- tensors and heads -------------------------------------------------------------------------------------------


def _heads(desk: InspectDesk, heads: Sequence[Mapping[str, Any]], weights: str | None) -> None:
    if not heads:
        st.caption(_("No tensor of this file can be the weight of a head: that would be a matrix of at least two "
                     "rows."))
        return
    key = f"{_key(desk)}head"
    by_name = {head["weight"]: head for head in heads}
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    chosen = left.selectbox(_("Weight of the head"), list(by_name), key=key,
                            format_func=lambda name: _told(by_name[name]))
    if right.button(_("Show it"), key=f"{key}_show", width="stretch", disabled=desk.busy) and chosen is not None:
        with asked(desk):
            desk.pick_head(chosen, by_name[chosen]["bias"], weights)
        st.rerun()


def _told(head: Mapping[str, Any]) -> str:
    return _("{weight}  ({classes} classes × {nodes} nodes): {why}", weight=head["weight"],
             classes=f"{head['classes']:,}", nodes=f"{head['latent_dim']:,}", why=head["why"])


def _tensors(tensors: Sequence[Mapping[str, Any]], key: str) -> None:
    """The tensor tree as a table with a filter."""
    wanted = st.text_input(_("Filter by name"), key=f"inspect_filter_{key}", placeholder="layer4").strip().lower()
    shown = [tensor for tensor in tensors if wanted in tensor["name"].lower()]
    number, share = st.column_config.NumberColumn(format="%.4g"), st.column_config.NumberColumn(format="percent")
    norm, values, smallest, largest, zeros = _("norm"), _("values"), _("smallest"), _("largest"), _("zeros")
    st.dataframe(
        {_("name"): [tensor["name"] for tensor in shown],
         _("shape"): [" × ".join(map(str, tensor["shape"])) or _("scalar") for tensor in shown],
         _("type"): [tensor["dtype"] for tensor in shown], norm: [tensor["norm"] for tensor in shown],
         values: [list(tensor["histogram"]) for tensor in shown],
         smallest: [tensor["minimum"] for tensor in shown], largest: [tensor["maximum"] for tensor in shown],
         zeros: [tensor["zeros"] for tensor in shown],
         _("not finite"): [tensor["nans"] + tensor["infinities"] for tensor in shown]},
        hide_index=True, height=min(460, 40 + 35 * max(1, len(shown))),
        column_config={values: st.column_config.BarChartColumn(values, help=_("From the smallest to the largest.")),
                       zeros: share, norm: number, smallest: number, largest: number})
