"""Formats of other people's files, one reader each; they import nothing of what they read."""
