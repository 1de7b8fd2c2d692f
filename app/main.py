"""Navigation only: every module of `app.views` that defines ``VIEW`` is a page."""

from __future__ import annotations

import contextlib
from pathlib import Path

import streamlit as st

from app import login, session
from app.views import opening, views
from app.words import _

ICON = Path(__file__).parent / "static" / "icon.png"

st.set_page_config(page_title="LPC Lab", page_icon=str(ICON), layout="wide")
away = _("The server does not answer. This page goes on by itself as soon as it does.")
st.html(f'<style>:root {{ --lpc-away: "{away}" }}</style>')  # shown above every page whose server is away (`stage.css`)
pages = {name: st.Page(view.render, title=_(view.title), url_path=name, default=i == 0)
         for i, (name, view) in enumerate(views())}
inside = login.inside()
shown = st.navigation(list(pages.values()), position="top" if inside else "hidden")
if not inside:
    login.door()
    st.stop()
if shown is pages["home"] and session.given():  # links to runs have always been to the address itself
    st.switch_page(pages["play"], query_params=session.whole_link())
st.html(f"<h1>LPC Lab: {shown.title}</h1>")  # seen by screen readers only (`stage.css`)
with st.container(horizontal=True, key="lpc-pages"):  # where Streamlit hides its own (`stage.css`)
    for page in pages.values():
        with st.container(key="lpc-here", width="content") if page is shown else contextlib.nullcontext():
            st.page_link(page)
opening()
shown.run()
session.keep_language()
links = " · ".join([*session.language_links(), *login.ways_out()])
st.html(f'<p class="lpc-languages">{links}</p>')
