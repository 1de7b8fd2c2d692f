"""Navigation only: every module of `app.views` that defines ``VIEW`` is a page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.views import views

ICON = Path(__file__).parent / "static" / "icon.png"

st.set_page_config(page_title="LPC Lab", page_icon=str(ICON), layout="wide")
pages = [st.Page(view.render, title=view.title, url_path=name, default=i == 0)
         for i, (name, view) in enumerate(views())]
st.navigation(pages, position="top" if len(pages) > 1 else "hidden").run()
