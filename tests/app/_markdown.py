"""What a reader sees of a text that a page made safe for Markdown."""

import re


def as_read(text):
    """``text`` without its escapes."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text).replace("\u2060", "")
