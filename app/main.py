"""Navigation only: every module of `app.views` that defines ``VIEW`` is a page."""

from __future__ import annotations

import contextlib
from pathlib import Path

import streamlit as st

from app import login, session
from app.views import opening, views
from app.words import _

# Above every page whose server is away. (A live view says it itself, of its own connection.)
AWAY = """<style>
[data-testid="stApp"]:not([data-test-connection-state="CONNECTED"]):not(:has([data-testid="lpc-stage"]))::before {
  content: "{words}";
  position: fixed; inset: 3.6rem 0 auto; z-index: 1000; margin: 0 auto; width: fit-content;
  max-width: calc(100vw - 2rem); padding: .6rem 1rem; border-radius: .5rem; border-left: 4px solid #d98a00;
  background: light-dark(#fff3d6, #4a3a12); color: light-dark(#3d2e00, #ffeec2); animation: lpc-away 0s 3s both; }
@keyframes lpc-away { from { visibility: hidden } to { visibility: visible } }
</style>"""
ICON = Path(__file__).parent / "static" / "icon.png"

st.set_page_config(page_title="LPC Lab", page_icon=str(ICON), layout="wide")
st.html(AWAY.replace("{words}", _("The server does not answer. This page goes on by itself as soon as it does.")))
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
