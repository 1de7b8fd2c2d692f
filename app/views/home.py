"""Home: what this is in two sentences, a film that plays at once, four doors, and the terms."""

from __future__ import annotations

import streamlit as st

from app.desks.samples import FILMS, samples
from app.glossary import linked, listed
from app.parts.film import shipped, style
from app.views import View
from app.views._place import page_of
from app.views._plain import plain
from app.words import N_, _

WELCOME = N_("""
## What if all samples of a class became one point?
A classifier makes a short list of numbers, a *latent*, of each sample. Make long latents expensive, with a weight γ
that grows during training, and all samples of a class fall onto **one point**: *latent point collapse*, the method of
[L. Sbailò and L. Ghiringhelli](https://arxiv.org/abs/2310.08224).
""")
DOORS = (  # page, icon, title, sentence
    ("learn", "school", N_("Learn"), N_("Ten lessons of a few minutes. Predict, try, and see it tick.")),
    ("play", "sports_esports", N_("Play"), N_("Train a small network live and drag γ yourself.")),
    ("inspect", "search", N_("Inspect a file"), N_("Your checkpoint or embeddings: has it collapsed?")),
    ("experiments", "science", N_("Reproduce"),
     N_("The paper's rows run here: tables, figures, and a verdict per claim.")),
)


def render() -> None:
    """Two sentences, the doors, the film, the terms."""
    style()
    st.markdown(linked(_(WELCOME)))
    for column, (page, icon, title, sentence) in zip(st.columns(len(DOORS)), DOORS, strict=True):
        with column, st.container(border=True, height="stretch", gap="xxsmall"):
            st.page_link(page_of(page, title), label=f"**{_(title)}**", icon=f":material/{icon}:")
            st.caption(plain(_(sentence)))
    for film in samples(FILMS)[:1]:
        st.markdown(_("**{film}.** It plays by itself; then two sliders are yours: γ, and time.", film=_(film.title)))
        shipped(film)
    with st.expander(_("The words: latent, node, γ, shell, collapse …"), icon=":material/menu_book:"):
        st.markdown(listed())


VIEW = View("Home", 0, render)
