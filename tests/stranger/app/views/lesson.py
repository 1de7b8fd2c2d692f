"""Lesson: a page of words."""

from __future__ import annotations

import streamlit as st

from app.views import View


def render() -> None:
    """A heading and a sentence."""
    st.title("First lesson")
    st.write("Latents are points.")


VIEW = View("Lesson", 9, render)
