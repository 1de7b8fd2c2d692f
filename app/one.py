"""What a server has one of: installed by whoever starts it, asked for by the script threads of its pages."""

from __future__ import annotations

from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class One(Generic[Thing]):
    """The one thing of its kind in this process; ``error`` is raised where there is none."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error
        self._thing: Thing | None = None

    def install(self, thing: Thing | None) -> None:
        """Make ``thing`` this process's (None: there is none any more)."""
        self._thing = thing

    def current(self) -> Thing:
        """The one of this process; raises the error outside the server."""
        if self._thing is None:
            raise self._error("expected the lab's own server, got a plain `streamlit run app/main.py`; start it with "
                              "`python -m app`")
        return self._thing
