"""For tests of hostile files: the processes that read them are forked, but for those that are about such a process."""

from tests.forks import forked  # noqa: F401
