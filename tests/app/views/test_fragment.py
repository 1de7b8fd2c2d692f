"""A part of a page that starts again before its last pass was sent leaves the rest of the page whole."""

import pytest
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest

SCRIPT = """
import streamlit as st
from app.parts.fragment import fragment

@{decorator}
def part():
    st.text("first")
    st.container().text("second")

st.text("before")
part()
st.text("after")
"""


def holes(messages):
    """The paths at which a browser that has nothing yet would refuse a message: nothing stands before them."""
    children, refused = {(): 4}, []
    for message in messages:
        if message.HasField("delta"):
            *parent, index = path = tuple(message.metadata.delta_path)
            parent = tuple(parent)
            if index > children.setdefault(parent, 0):
                refused.append(path)
            children[parent] = max(children[parent], index + 1)
    return refused


def sent(decorator):
    """A page's messages of which the queue dropped what the fragment drew, as when it starts again at once."""
    queue = ForwardMsgQueue()
    ForwardMsgQueue.on_before_enqueue_msg(queue._queue.append)
    try:
        assert not AppTest.from_string(SCRIPT.format(decorator=decorator)).run().exception
    finally:
        ForwardMsgQueue.on_before_enqueue_msg(None)
    fragments = {message.delta.fragment_id for message in queue._queue} - {""}
    assert len(fragments) == 1
    whole = list(queue._queue)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=list(fragments))
    return whole, queue.flush()


@pytest.mark.parametrize(("decorator", "refused"), [("fragment()", []), ("st.fragment", [(0, 2)])])
def test_what_the_queue_drops_leaves_no_hole(decorator, refused):
    whole, left = sent(decorator)
    assert not holes(whole)
    assert len(left) < len(whole)
    assert holes(left) == refused
