"""Rows: one published generation or one stand-in per file; a module that defines ``ROWS`` is found by itself."""
