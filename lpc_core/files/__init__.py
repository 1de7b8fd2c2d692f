"""What the first bytes of a file say about it, for every reader of files."""
