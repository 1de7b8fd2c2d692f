"""For tests of hostile files: each is read in a process of its own, as always."""

from tests.forks import forked  # noqa: F401
