from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.live import messages
from app.live.messages import CONTROL, MessageError, read


@pytest.mark.parametrize(("text", "told"), [
    ("", "message: Invalid JSON"),
    ("[]", "Input should be an object|valid dictionary"),
    ('{"type": "explode"}', "Input tag 'explode'"),
    ('{"value": 1}', "Unable to extract tag"),
    ('{"type": "gamma", "value": -1}', r"gamma.value: .*greater than or equal to 0"),
    ('{"type": "gamma", "value": NaN}', "gamma.value|Invalid JSON"),
    ('{"type": "gamma", "value": "3"}', "valid number"),
    ('{"type": "gamma", "value": 1, "also": 2}', "Extra inputs"),
    ('{"type": "step", "count": 0}', "greater than or equal to 1"),
    ('{"type": "view", "nodes": []}', "at least 1"),
    ('{"type": "play"}' + " " * 5000, "at most 4096 bytes"),
])
def test_what_is_not_a_message_is_refused_with_one_line(text, told):
    with pytest.raises(MessageError, match=told) as refused:
        read(CONTROL, text)
    assert "\n" not in str(refused.value)


@given(st.text() | st.binary(max_size=200))
def test_nothing_else_ever_comes_out(text):
    with contextlib.suppress(MessageError):
        read(CONTROL, text)


def test_a_good_message():
    assert read(CONTROL, '{"type": "gamma", "value": 2, "seq": 5}') == messages.Gamma(type="gamma", value=2.0, seq=5)
